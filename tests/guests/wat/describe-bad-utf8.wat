;; Names its input with bytes that are not UTF-8.
(data $names (i32.const 16) "\ffy")
