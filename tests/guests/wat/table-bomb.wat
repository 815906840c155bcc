;; Grows a table until it is refused more, then traps.
(table $table 1 funcref)
(func $answer (param $x f64) (result f64)
  (loop $more
    (br_if $more (i32.ne (table.grow $table (ref.null func) (i32.const 100000)) (i32.const -1))))
  unreachable)
