;; Describes an input whose first dimension has the length -2.
(data $shapes (i32.const 20) (i32 -2 -1 2))
