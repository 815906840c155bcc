;; Refuses with a text that is not UTF-8.
(data (i32.const 1024) "\c3\28")
(func $answer_request (param $request i32) (param $result i32)
  (call $refuse (local.get $result) (i32.const 1) (i32.const 1024) (i32.const 2)))
