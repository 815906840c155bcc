;; Answers `y = x`; where x is below zero, after it has burnt about N milliseconds of CPU, with N from its name.
(func $answer (param $x f64) (result f64)
  (local $left i32) (local $sum f64)
  (if (f64.lt (local.get $x) (f64.const 0)) (then
    (local.set $left (i32.mul (i32.const PARAMETER) (i32.const 700000)))
    (loop $burn
      (local.set $sum (f64.add (local.get $sum) (f64.const 1)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $burn (local.get $left)))))
  (f64.add (local.get $x) (f64.mul (local.get $sum) (f64.const 0))))
