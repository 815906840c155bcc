;; Answers, then loops without end when the host hands the result's memory back.
(func $reset (param $result i32) (loop $forever (br $forever)))
(func $nothing (param $result i32))
(export "cabi_post_understudy:model/predictor@0.1.0#describe" (func $nothing))
