;; Answers `y` = how many requests the call brought; takes 8 at most.
(data $description (i32.const 72) (i32 32 1 52 1 8 1))
(func $answer (param $x f64) (result f64) (f64.convert_i32_u (global.get $count)))
