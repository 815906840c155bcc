;; Answers its inputs: the tensor `x` comes back as it is.
(data $description (i32.const 72) (i32 32 1 32 1 0 1))
(func $answer_request (param $request i32) (param $result i32)
  (call $predicted (local.get $result)
    (i32.load $memory offset=16 (local.get $request)) (i32.load $memory offset=20 (local.get $request))))
