;; Describes itself without an output.
(data $description (i32.const 72) (i32 32 1 52 0 0 1))
