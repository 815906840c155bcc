;; Writes one line to standard output for each request, then answers `y = x`. A host without WASI refuses it.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
  (func $write (param i32 i32 i32 i32)))
(data (i32.const 1040) "a line from the model\n")
(func $answer (param $x f64) (result f64)
  (call $write (call $stdout) (i32.const 1040) (i32.const 22) (i32.const 1024))
  (local.get $x))
