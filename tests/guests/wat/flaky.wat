;; Does what its input says: -1 traps, -2 loops without end, -3 abstains, -4 is not a number, -5 breaks the
;; promised shape; else `y = x`.
(data (i32.const 1024) "the input says so")
(func $answer_request (param $request i32) (param $result i32)
  (local $x f64)
  (local.set $x (call $x (local.get $request)))
  (if (f64.eq (local.get $x) (f64.const -1)) (then unreachable))
  (if (f64.eq (local.get $x) (f64.const -2)) (then (loop $forever (br $forever))))
  (if (f64.eq (local.get $x) (f64.const -3)) (then
    (call $refuse (local.get $result) (i32.const 1) (i32.const 1024) (i32.const 17))
    return))
  (if (f64.eq (local.get $x) (f64.const -4)) (then (local.set $x (f64.const nan))))
  (call $accept (local.get $result) (local.get $x))
  (if (f64.eq (local.get $x) (f64.const -5)) (then
    (i32.store $memory offset=8 (local.get $result) (i32.const 0)))))
