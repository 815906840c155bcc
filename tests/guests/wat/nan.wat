;; Answers a NaN with an odd payload.
(func $answer (param $x f64) (result f64) (f64.const -nan:0xdeadbeef))
