;; Returns no result, however many requests there are.
(func $predict (param $requests i32) (param $request_count i32) (result i32)
  (call $pair (i32.const 4096) (i32.const 0)))
