;; Returns a list of 4,294,967,295 results.
(func $predict (param $requests i32) (param $request_count i32) (result i32)
  (call $pair (i32.const 4096) (i32.const -1)))
