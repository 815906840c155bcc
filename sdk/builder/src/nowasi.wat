;; WASI preview 1 for a model, which asks its host for nothing: no arguments, no variables, no files, no sockets.
;;
;; Libraries of C, C++, Zig and Go look for all of these when they start or when something breaks. What they find is the
;; same each time, so that the same requests give the same predictions:
;;   - what is written to standard output and standard error is dropped
;;   - the date is 1970-01-01, and the steady clock moves on by a microsecond whenever it is looked at
;;   - whoever sleeps wakes at once, and the steady clock says that the time is over
;;   - random numbers come from one seed
;;   - whoever ends the process traps, which the host takes for a fault
;;
;; Error numbers: 0 success, 8 no such file descriptor, 28 invalid argument, 52 not supported.
(module
  (import "env" "memory" (memory 0))

  (global $steady_ns (mut i64) (i64.const 0))
  (global $random (mut i64) (i64.const 1))

  ;; Nothing to list: both sizes are zero.
  (func (export "args_get") (export "environ_get") (param i32 i32) (result i32)
    (i32.const 0))
  (func (export "args_sizes_get") (export "environ_sizes_get") (param $count i32) (param $bytes i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $bytes) (i32.const 0))
    (i32.const 0))

  ;; Clock 0 is the date; all others are steady.
  (func (export "clock_res_get") (param $clock i32) (param $into i32) (result i32)
    (i64.store (local.get $into) (i64.const 1000))
    (i32.const 0))
  (func (export "clock_time_get") (param $clock i32) (param $precision i64) (param $into i32) (result i32)
    (if (local.get $clock)
      (then
        (global.set $steady_ns (i64.add (global.get $steady_ns) (i64.const 1000)))
        (i64.store (local.get $into) (global.get $steady_ns)))
      (else (i64.store (local.get $into) (i64.const 0))))
    (i32.const 0))

  ;; SplitMix64, one byte of each number.
  (func (export "random_get") (param $into i32) (param $bytes i32) (result i32)
    (local $mixed i64)
    (loop $more
      (if (local.get $bytes)
        (then
          (global.set $random (i64.add (global.get $random) (i64.const 0x9e3779b97f4a7c15)))
          (local.set $mixed (global.get $random))
          (local.set $mixed (i64.mul
            (i64.xor (local.get $mixed) (i64.shr_u (local.get $mixed) (i64.const 30)))
            (i64.const 0xbf58476d1ce4e5b9)))
          (local.set $mixed (i64.mul
            (i64.xor (local.get $mixed) (i64.shr_u (local.get $mixed) (i64.const 27)))
            (i64.const 0x94d049bb133111eb)))
          (i64.store8 (local.get $into) (i64.shr_u (local.get $mixed) (i64.const 56)))
          (local.set $into (i32.add (local.get $into) (i32.const 1)))
          (local.set $bytes (i32.sub (local.get $bytes) (i32.const 1)))
          (br $more))))
    (i32.const 0))

  ;; Each of `count` buffers is a pointer and a length; the sum of the lengths counts as written.
  (func (export "fd_write") (param $fd i32) (param $buffers i32) (param $count i32) (param $written i32) (result i32)
    (local $sum i32)
    (if (i32.gt_u (i32.sub (local.get $fd) (i32.const 1)) (i32.const 1))
      (then (return (i32.const 8))))
    (loop $more
      (if (local.get $count)
        (then
          (local.set $sum (i32.add (local.get $sum) (i32.load offset=4 (local.get $buffers))))
          (local.set $buffers (i32.add (local.get $buffers) (i32.const 8)))
          (local.set $count (i32.sub (local.get $count) (i32.const 1)))
          (br $more))))
    (i32.store (local.get $written) (local.get $sum))
    (i32.const 0))

  ;; A subscription has 48 bytes: what it is for (8), its kind (1, 0 is a clock), the clock's id (at 16), a time (at 24),
  ;; and whether that is a point in time (at 40). An event has 32: what it is for, its error (at 8), its kind (at 10).
  (func (export "poll_oneoff") (param $asked i32) (param $events i32) (param $count i32) (param $happened i32) (result i32)
    (local $left i32)
    (if (i32.eqz (local.get $count)) (then (return (i32.const 28))))
    (local.set $left (local.get $count))
    (loop $more
      (i64.store (local.get $events) (i64.load (local.get $asked)))
      (i64.store offset=8 (local.get $events) (i64.const 0))
      (i64.store offset=16 (local.get $events) (i64.const 0))
      (i64.store offset=24 (local.get $events) (i64.const 0))
      (i32.store8 offset=10 (local.get $events) (i32.load8_u offset=8 (local.get $asked)))
      (if (i32.load8_u offset=8 (local.get $asked))
        (then (i32.store16 offset=8 (local.get $events) (i32.const 8)))
        (else (call $pass
          (i64.load offset=24 (local.get $asked))
          (i32.and (i32.load16_u offset=40 (local.get $asked)) (i32.const 1)))))
      (local.set $asked (i32.add (local.get $asked) (i32.const 48)))
      (local.set $events (i32.add (local.get $events) (i32.const 32)))
      (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (i32.store (local.get $happened) (local.get $count))
    (i32.const 0))

  ;; Lets time pass: to a point of the steady clock, or for some nanoseconds.
  (func $pass (param $time_ns i64) (param $is_point i32)
    (local $until_ns i64)
    (local.set $until_ns (local.get $time_ns))
    (if (i32.eqz (local.get $is_point))
      (then (local.set $until_ns (i64.add (global.get $steady_ns) (local.get $time_ns)))))
    (if (i64.gt_u (local.get $until_ns) (global.get $steady_ns))
      (then (global.set $steady_ns (local.get $until_ns)))))

  (func (export "sched_yield") (result i32) (i32.const 0))
  (func (export "proc_exit") (param i32) (unreachable))
  (func (export "proc_raise") (param i32) (result i32) (unreachable))

  ;; There is no file and no socket; functions with the same parameters share a body.
  (func (export "fd_close") (export "fd_datasync") (export "fd_sync")
    (param i32) (result i32) (i32.const 8))
  (func (export "fd_fdstat_get") (export "fd_fdstat_set_flags") (export "fd_filestat_get") (export "fd_prestat_get")
    (export "fd_renumber") (export "fd_tell") (export "sock_shutdown")
    (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_dir_name") (export "path_create_directory") (export "path_remove_directory")
    (export "path_unlink_file") (export "sock_accept")
    (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_read")
    (param i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_filestat_get") (export "path_symlink") (export "sock_send")
    (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_readlink") (export "path_rename") (export "sock_recv")
    (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_link")
    (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_size")
    (param i32 i64) (result i32) (i32.const 8))
  (func (export "fd_allocate") (export "fd_fdstat_set_rights")
    (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_advise") (export "fd_filestat_set_times")
    (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_seek")
    (param i32 i64 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_pread") (export "fd_pwrite") (export "fd_readdir")
    (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "path_filestat_set_times")
    (param i32 i32 i32 i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "path_open")
    (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 8)))
