;; Answers its inputs like `every-datatype`, but has the first PARAMETER of them only: those that some clients
;; cannot say come last, which are the halves and the brain floats.
(data (i32.const 1024) "bools   u8s     u16s    u32s    u64s    s8s     s16s    s32s    s64s    "
  "f32s    f64s    texts   blobs   f16s    bf16s   ")
(data (i32.const 1152)
  (i32 1024 5  0 24 1) (i32 1032 3  1 24 1) (i32 1040 4  2 24 1) (i32 1048 4  3 24 1) (i32 1056 4  4 24 1)
  (i32 1064 3  5 24 1) (i32 1072 4  6 24 1) (i32 1080 4  7 24 1) (i32 1088 4  8 24 1) (i32 1096 4 11 24 1)
  (i32 1104 4 12 24 1) (i32 1112 5 13 24 1) (i32 1120 5 14 24 1) (i32 1128 4  9 24 1) (i32 1136 5 10 24 1))
(data $description (i32.const 72) (i32 1152 PARAMETER 1152 PARAMETER 0 1))
(func $answer_request (param $request i32) (param $result i32)
  (call $predicted (local.get $result)
    (i32.load $memory offset=16 (local.get $request)) (i32.load $memory offset=20 (local.get $request))))
