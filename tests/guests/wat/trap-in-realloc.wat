;; Traps when the host asks for room for the arguments.
(func $realloc (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
  unreachable)
