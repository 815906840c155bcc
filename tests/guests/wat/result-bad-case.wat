;; Returns a refusal of a case that the contract does not have.
(func $answer_request (param $request i32) (param $result i32)
  (call $refuse (local.get $result) (i32.const 99) (i32.const 1024) (i32.const 2)))
