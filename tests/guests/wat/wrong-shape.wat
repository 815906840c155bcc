;; Promises the shape [1] and gives [2], with two elements.
(func $accept (param $result i32) (param $y f64)
  (local $tensor i32) (local $elements i32)
  (local.set $elements (call $allocate (i32.const 16) (i32.const 8)))
  (local.set $tensor (call $tensor (local.get $y)))
  (i32.store $memory offset=8 (local.get $tensor) (i32.const 28))
  (i32.store $memory offset=20 (local.get $tensor) (local.get $elements))
  (i32.store $memory offset=24 (local.get $tensor) (i32.const 2))
  (call $predicted (local.get $result) (local.get $tensor) (i32.const 1)))
