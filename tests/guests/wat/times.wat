;; Answers `y = x * N`, with N from its name.
(func $answer (param $x f64) (result f64) (f64.mul (local.get $x) (f64.const PARAMETER)))
