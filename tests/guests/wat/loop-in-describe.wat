;; Loops without end when it is to describe itself.
(func $describe (result i32) (loop $forever (br $forever)) (i32.const 72))
