;; Answers `y = x` with the note `why` = `because`.
(data (i32.const 1024) "whybecause")
(data (i32.const 1036) (i32 1024 3 1027 7))
(func $accept (param $result i32) (param $y f64)
  (call $predicted (local.get $result) (call $tensor (local.get $y)) (i32.const 1))
  (i32.store $memory offset=12 (local.get $result) (i32.const 1036))
  (i32.store $memory offset=16 (local.get $result) (i32.const 1)))
