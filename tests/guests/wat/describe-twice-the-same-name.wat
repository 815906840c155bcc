;; Describes two inputs named `x`.
(data (i32.const 1024) (i32 16 1 12 20 1) (i32 16 1 12 20 1))
(data $description (i32.const 72) (i32 1024 2 52 1 0 1))
