;; Answers `y = x`, and keeps and touches N MiB of memory from the first request on, with N from its name.
(global $kept (mut i32) (i32.const 0))
(func $answer (param $x f64) (result f64)
  (local $at i32) (local $end i32)
  (if (i32.eqz (global.get $kept)) (then
    (local.set $at (i32.mul (memory.size $memory) (i32.const 65536)))
    (if (i32.eq (memory.grow $memory (i32.mul (i32.const PARAMETER) (i32.const 16))) (i32.const -1)) (then unreachable))
    (local.set $end (i32.mul (memory.size $memory) (i32.const 65536)))
    (loop $touch
      (i32.store8 $memory (local.get $at) (i32.const 1))
      (local.set $at (i32.add (local.get $at) (i32.const 4096)))
      (br_if $touch (i32.lt_u (local.get $at) (local.get $end))))
    (global.set $kept (i32.const 1))))
  (local.get $x))
