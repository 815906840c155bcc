;; Traps when it is to describe itself.
(func $describe (result i32) unreachable)
