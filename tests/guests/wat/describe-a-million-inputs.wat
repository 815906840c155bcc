;; Describes a million inputs without a name.
(func $describe (result i32)
  (i32.store $memory (i32.const 72) (call $allocate (i32.const 20000000) (i32.const 4)))
  (i32.store $memory (i32.const 76) (i32.const 1000000))
  (i32.const 72))
