;; Loops without end when it is asked.
(func $answer (param $x f64) (result f64) (loop $forever (br $forever)) (local.get $x))
