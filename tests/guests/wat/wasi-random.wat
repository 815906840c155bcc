;; Answers `y` = 53 random bits. A locked WASI always gives it the same.
(import "wasi:random/random@0.2.0" "get-random-u64" (func $random (result i64)))
(func $answer (param $x f64) (result f64) (f64.convert_i64_u (i64.shr_u (call $random) (i64.const 11))))
