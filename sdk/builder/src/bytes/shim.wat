;; Turns lists of elements into lists of bytes on their way to the guest, and back on the way to the host.
;;
;; The values lie in this memory in the layout of the canonical ABI, which is the same on both sides: a list is a pointer
;; and a length. So only the lengths change. What a call needs is given out in a row, and all of it is free again after
;; the call.
(module
  (import "understudy:bytes/predictor@0.1.0" "describe" (func $guest_describe (param i32)))
  (import "understudy:bytes/predictor@0.1.0" "predict" (func $guest_predict (param i32 i32 i32)))

  (memory (export "memory") 1)

  ;; For each case of `contents`, by which power of two the size of an element is.
  (data (i32.const 16) "\00\00\01\02\03\00\01\02\03\01\01\02\03\00\00")

  ;; Where results go: 24 bytes at 32.
  (global $begin i32 (i32.const 64))
  (global $end (mut i32) (i32.const 64))

  ;; Gives memory that is aligned for every type, whatever was asked for, since a list of bytes may be one of numbers.
  (func $realloc (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
    (result i32) (local $at i32) (local $end i64)
    (local.set $at (i32.and (i32.add (global.get $end) (i32.const 7)) (i32.const -8)))
    (local.set $end (i64.add (i64.extend_i32_u (local.get $at)) (i64.extend_i32_u (local.get $size))))
    (if (i64.gt_u (local.get $end) (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16)))
      (then
        (if (i32.eq (i32.const -1)
              (memory.grow (i32.wrap_i64 (i64.shr_u
                (i64.sub (i64.add (local.get $end) (i64.const 65535))
                  (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16)))
                (i64.const 16)))))
          (then (unreachable)))))
    (global.set $end (i32.wrap_i64 (local.get $end)))
    (if (local.get $old)
      (then (memory.copy (local.get $at) (local.get $old)
        (select (local.get $old_size) (local.get $size) (i32.lt_u (local.get $old_size) (local.get $size))))))
    (local.get $at))

  (func $shift (param $tensor i32) (result i32)
    (i32.load8_u offset=16 (i32.load8_u offset=16 (local.get $tensor))))

  ;; A tensor has 28 bytes: its name, its shape, and at 16 its contents: the case, and at 20 and 24 the list.
  (func $into_bytes (param $tensor i32) (param $count i32)
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (i32.store offset=24 (local.get $tensor)
        (i32.shl (i32.load offset=24 (local.get $tensor)) (call $shift (local.get $tensor))))
      (local.set $tensor (i32.add (local.get $tensor) (i32.const 28)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next))))

  ;; Bytes that are no whole number of elements are a fault of the guest's library.
  (func $from_bytes (param $tensor i32) (param $count i32) (local $length i32) (local $elements i32)
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (local.set $length (i32.load offset=24 (local.get $tensor)))
      (local.set $elements (i32.shr_u (local.get $length) (call $shift (local.get $tensor))))
      (if (i32.ne (local.get $length) (i32.shl (local.get $elements) (call $shift (local.get $tensor))))
        (then (unreachable)))
      (i32.store offset=24 (local.get $tensor) (local.get $elements))
      (local.set $tensor (i32.add (local.get $tensor) (i32.const 28)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next))))

  (func (export "understudy:model/predictor@0.1.0#describe") (result i32)
    (call $guest_describe (i32.const 32))
    (i32.const 32))

  ;; A request has 24 bytes, with the list of its inputs at 16; a result has 20, with its case at 0 and the list of the
  ;; outputs at 4.
  (func (export "understudy:model/predictor@0.1.0#predict") (param $requests i32) (param $count i32) (result i32)
    (local $at i32) (local $left i32)
    (local.set $at (local.get $requests))
    (local.set $left (local.get $count))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      (call $into_bytes (i32.load offset=16 (local.get $at)) (i32.load offset=20 (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 24)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next)))
    (call $guest_predict (local.get $requests) (local.get $count) (i32.const 32))
    (local.set $at (i32.load (i32.const 32)))
    (local.set $left (i32.load (i32.const 36)))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      (if (i32.eqz (i32.load8_u (local.get $at)))
        (then (call $from_bytes (i32.load offset=4 (local.get $at)) (i32.load offset=8 (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 20)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next)))
    (i32.const 32))

  (func $free (param i32) (global.set $end (global.get $begin)))
  (export "cabi_post_understudy:model/predictor@0.1.0#describe" (func $free))
  (export "cabi_post_understudy:model/predictor@0.1.0#predict" (func $free)))
