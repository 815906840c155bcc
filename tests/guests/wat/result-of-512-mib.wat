;; Returns an output of 512 MiB that it really holds.
(func $accept (param $result i32) (param $y f64)
  (local $tensor i32)
  (local.set $tensor (call $tensor (local.get $y)))
  (i32.store $memory offset=20 (local.get $tensor) (call $allocate (i32.const 0x20000000) (i32.const 8)))
  (i32.store $memory offset=24 (local.get $tensor) (i32.const 0x4000000))
  (call $predicted (local.get $result) (local.get $tensor) (i32.const 1)))
