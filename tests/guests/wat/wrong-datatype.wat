;; Promises FP64 and gives INT64.
(func $accept (param $result i32) (param $y f64)
  (local $tensor i32)
  (local.set $tensor (call $tensor (local.get $y)))
  (i32.store $memory offset=16 (local.get $tensor) (i32.const 8))
  (call $predicted (local.get $result) (local.get $tensor) (i32.const 1)))
