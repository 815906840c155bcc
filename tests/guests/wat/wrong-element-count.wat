;; Gives the promised shape, and no element.
(func $accept (param $result i32) (param $y f64)
  (local $tensor i32)
  (local.set $tensor (call $tensor (local.get $y)))
  (i32.store $memory offset=24 (local.get $tensor) (i32.const 0))
  (call $predicted (local.get $result) (local.get $tensor) (i32.const 1)))
