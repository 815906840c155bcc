;; Answers `y` = how many requests this instance has seen; says that it is not stateless.
(global $seen (mut f64) (f64.const 0))
(data $description (i32.const 72) (i32 32 1 52 1 0 0))
(func $answer (param $x f64) (result f64)
  (global.set $seen (f64.add (global.get $seen) (f64.const 1)))
  (global.get $seen))
