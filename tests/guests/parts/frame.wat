;; What every guest shares: the canonical ABI of `understudy:model` written out, and a model behind it
;; that answers `y = x`. A guest's own file comes before this one. A form that the guest defines itself,
;; like `(func $answer`, is left out here; that is how it differs. Forms are parted by empty lines.
;;
;; Addresses: 16 names, 20 shapes, 32 and 52 the types of `x` and `y`, 72 the description,
;; from 1024 what a guest keeps for itself, from 4096 the heap. Datatype 12 is FP64.

(memory $memory 1)

(data $names (i32.const 16) "xy")

(data $shapes (i32.const 20) (i32 1 -1 2))

(data $types (i32.const 32) (i32 16 1 12 20 1) (i32 17 1 12 20 1))

;; Inputs, outputs, no batch limit, stateless.
(data $description (i32.const 72) (i32 32 1 52 1 0 1))

(global $heap i32 (i32.const 4096))

(global $next (mut i32) (i32.const 4096))

;; How many requests the call brought.
(global $count (mut i32) (i32.const 0))

(func $allocate (param $size i32) (param $align i32) (result i32)
  (local $at i32) (local $missing i32)
  (local.set $at (i32.and
    (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
    (i32.sub (i32.const 0) (local.get $align))))
  (global.set $next (i32.add (local.get $at) (local.get $size)))
  (if (i32.lt_u (global.get $next) (local.get $at)) (then unreachable))
  (local.set $missing (i32.sub
    (i32.add (i32.shr_u (global.get $next) (i32.const 16)) (i32.const 1)) (memory.size $memory)))
  (if (i32.gt_s (local.get $missing) (i32.const 0)) (then
    (if (i32.eq (memory.grow $memory (local.get $missing)) (i32.const -1)) (then unreachable))))
  (local.get $at))

(func $realloc (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
  (local $at i32)
  (local.set $at (call $allocate (local.get $size) (local.get $align)))
  (memory.copy $memory $memory (local.get $at) (local.get $old)
    (select (local.get $old_size) (local.get $size) (i32.lt_u (local.get $old_size) (local.get $size))))
  (local.get $at))

;; Forgets everything that was allocated. Called when the host has read a result.
(func $reset (param $result i32) (global.set $next (global.get $heap)))

(func $pair (param $first i32) (param $second i32) (result i32)
  (local $at i32)
  (local.set $at (call $allocate (i32.const 8) (i32.const 4)))
  (i32.store $memory (local.get $at) (local.get $first))
  (i32.store $memory offset=4 (local.get $at) (local.get $second))
  (local.get $at))

(func $describe (result i32) (i32.const 72))

;; A request takes 24 bytes, a result 20.
(func $predict (param $requests i32) (param $request_count i32) (result i32)
  (local $results i32) (local $index i32)
  (global.set $count (local.get $request_count))
  (local.set $results (call $allocate (i32.mul (local.get $request_count) (i32.const 20)) (i32.const 4)))
  (block $done (loop $each
    (br_if $done (i32.ge_u (local.get $index) (local.get $request_count)))
    (call $answer_request
      (i32.add (local.get $requests) (i32.mul (local.get $index) (i32.const 24)))
      (i32.add (local.get $results) (i32.mul (local.get $index) (i32.const 20))))
    (local.set $index (i32.add (local.get $index) (i32.const 1)))
    (br $each)))
  (call $pair (local.get $results) (local.get $request_count)))

;; The element of the first input.
(func $x (param $request i32) (result f64)
  (f64.load $memory (i32.load $memory offset=20 (i32.load $memory offset=16 (local.get $request)))))

(func $answer_request (param $request i32) (param $result i32)
  (call $accept (local.get $result) (call $answer (call $x (local.get $request)))))

(func $answer (param $x f64) (result f64) (local.get $x))

;; Writes a prediction with one output.
(func $accept (param $result i32) (param $y f64)
  (call $predicted (local.get $result) (call $tensor (local.get $y)) (i32.const 1)))

;; Writes a prediction with these outputs and no notes.
(func $predicted (param $result i32) (param $outputs i32) (param $output_count i32)
  (i32.store $memory (local.get $result) (i32.const 0))
  (i32.store $memory offset=4 (local.get $result) (local.get $outputs))
  (i32.store $memory offset=8 (local.get $result) (local.get $output_count))
  (i32.store $memory offset=12 (local.get $result) (i32.const 16))
  (i32.store $memory offset=16 (local.get $result) (i32.const 0)))

;; The tensor `y` of shape [1]; 28 bytes.
(func $tensor (param $y f64) (result i32)
  (local $at i32) (local $elements i32)
  (local.set $elements (call $allocate (i32.const 8) (i32.const 8)))
  (f64.store $memory (local.get $elements) (local.get $y))
  (local.set $at (call $allocate (i32.const 28) (i32.const 4)))
  (i32.store $memory (local.get $at) (i32.const 17))
  (i32.store $memory offset=4 (local.get $at) (i32.const 1))
  (i32.store $memory offset=8 (local.get $at) (i32.const 20))
  (i32.store $memory offset=12 (local.get $at) (i32.const 1))
  (i32.store $memory offset=16 (local.get $at) (i32.const 12))
  (i32.store $memory offset=20 (local.get $at) (local.get $elements))
  (i32.store $memory offset=24 (local.get $at) (i32.const 1))
  (local.get $at))

;; Writes a refusal: case 0 invalid input, 1 abstain, 2 failed.
(func $refuse (param $result i32) (param $case i32) (param $text i32) (param $length i32)
  (i32.store $memory (local.get $result) (i32.const 1))
  (i32.store $memory offset=4 (local.get $result) (local.get $case))
  (i32.store $memory offset=8 (local.get $result) (local.get $text))
  (i32.store $memory offset=12 (local.get $result) (local.get $length)))

(export "memory" (memory $memory))

(export "cabi_realloc" (func $realloc))

(export "understudy:model/predictor@0.1.0#describe" (func $describe))

(export "cabi_post_understudy:model/predictor@0.1.0#describe" (func $reset))

(export "understudy:model/predictor@0.1.0#predict" (func $predict))

(export "cabi_post_understudy:model/predictor@0.1.0#predict" (func $reset))
