;; Takes memory and touches it until it is refused more, then traps.
(func $answer (param $x f64) (result f64)
  (local $pages i32)
  (loop $more
    (local.set $pages (memory.grow $memory (i32.const 16)))
    (if (i32.eq (local.get $pages) (i32.const -1)) (then unreachable))
    (memory.fill $memory (i32.mul (local.get $pages) (i32.const 65536)) (i32.const 1) (i32.const 1048576))
    (br $more))
  (local.get $x))
