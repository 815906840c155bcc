;; Answers infinity.
(func $answer (param $x f64) (result f64) (f64.const inf))
