;; Swaps the names of input and output each time it describes itself.
(func $describe (result i32)
  (i32.store8 $memory (i32.const 16) (i32.xor (i32.load8_u $memory (i32.const 16)) (i32.const 1)))
  (i32.store8 $memory (i32.const 17) (i32.xor (i32.load8_u $memory (i32.const 17)) (i32.const 1)))
  (i32.const 72))
