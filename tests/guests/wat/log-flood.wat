;; Writes 40 MB to standard output for each request, then answers `y = x`. A host without WASI refuses it.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
  (func $write (param i32 i32 i32 i32)))
(func $answer (param $x f64) (result f64)
  (local $left i32) (local $stream i32)
  (memory.fill $memory (call $allocate (i32.const 4096) (i32.const 4)) (i32.const 0x61) (i32.const 4096))
  (local.set $stream (call $stdout))
  (local.set $left (i32.const 10000))
  (loop $more
    (call $write (local.get $stream)
      (i32.sub (global.get $next) (i32.const 4096)) (i32.const 4096) (i32.const 1024))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left)))
  (local.get $x))
