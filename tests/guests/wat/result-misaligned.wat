;; Returns an odd pointer.
(func $predict (param $requests i32) (param $request_count i32) (result i32) (i32.const 4097))
