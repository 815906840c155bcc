//! Does a module that asks for files, clocks and chance find what the adapter promises, in the sandbox?

use sandbox::{CompileIn, ModelLimits, Runtime, RuntimeConfig};

/// A model whose description comes only if a check holds; it traps otherwise.
fn holds(check: &str) -> Result<(), String> {
    let module = format!(
        r#"(module
        (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        ;; No input; at 1056 one output `p` of FP64, a scalar.
        (data (i32.const 1024) "\00\00\00\00\00\00\00\00\20\04\00\00\01\00\00\00\00\00\00\00\00")
        (data (i32.const 1056) "\40\04\00\00\01\00\00\00\0c\00\00\00\00\00\00\00\00\00\00\00")
        (data (i32.const 1088) "p")
        (func $steady (result i64)
            (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 512)))
            (i64.load (i32.const 512)))
        (func $check (result i32) {check})
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
        (func (export "understudy:model/predictor@0.1.0#describe") (result i32)
            (if (i32.eqz (call $check)) (then unreachable))
            (i32.const 1024))
        (func (export "understudy:model/predictor@0.1.0#predict") (param i32 i32) (result i32) unreachable))"#
    );
    let component = builder::without_imports(module.as_bytes()).expect("a component");
    let config = RuntimeConfig { compile: CompileIn::Process, ..RuntimeConfig::default() };
    let runtime = Runtime::new(config).expect("a sandbox");
    let loaded = runtime.load(&component, &ModelLimits::default());
    loaded.map(drop).map_err(|why| why.to_string())
}

#[test]
fn a_check_that_fails_is_seen() {
    let why = holds("(i32.const 0)").unwrap_err();
    assert!(why.contains("unreachable"), "{why}");
    assert_eq!(holds("(i32.const 1)"), Ok(()));
}

#[test]
fn the_date_stands_still_and_the_steady_clock_goes_on() {
    let date = "(i32.store (i32.const 512) (i32.const 7))
        (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 512)))
        (i64.eqz (i64.load (i32.const 512)))";
    assert_eq!(holds(date), Ok(()));
    assert_eq!(holds("(i64.lt_u (call $steady) (call $steady))"), Ok(()));
}

#[test]
fn random_numbers_are_the_same_each_time() {
    // The first bytes of SplitMix64 from the seed 1, each the highest of its number.
    let first = "(drop (call $random (i32.const 512) (i32.const 4)))
        (i32.eq (i32.load (i32.const 512)) (i32.const 0x71f8be91))";
    assert_eq!(holds(first), Ok(()));
}

#[test]
fn what_is_written_is_dropped_and_there_is_no_other_file() {
    let written =
        "(i32.store (i32.const 600) (i32.const 5)) (i32.store (i32.const 604) (i32.const 30))
        (i32.store (i32.const 612) (i32.const 12))
        (drop (call $write (i32.const 2) (i32.const 600) (i32.const 2) (i32.const 512)))
        (i32.eq (i32.load (i32.const 512)) (i32.const 42))";
    assert_eq!(holds(written), Ok(()));
    let other = "(i32.eq (i32.const 8)
        (call $write (i32.const 3) (i32.const 600) (i32.const 1) (i32.const 512)))";
    assert_eq!(holds(other), Ok(()));
    let opened = "(i32.eq (i32.const 8) (call $open (i32.const 3) (i32.const 0) (i32.const 1088) (i32.const 1)
        (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 512)))";
    assert_eq!(holds(opened), Ok(()));
}

#[test]
fn there_are_no_variables() {
    let sizes = "(i64.store (i32.const 512) (i64.const -1))
        (drop (call $environ (i32.const 512) (i32.const 516)))
        (i64.eqz (i64.load (i32.const 512)))";
    assert_eq!(holds(sizes), Ok(()));
}

#[test]
fn who_sleeps_wakes_at_once_and_the_time_is_over() {
    // A subscription to the steady clock, for five seconds, known as 77; its event goes to 700.
    let asked =
        "(i64.store (i32.const 600) (i64.const 77)) (i32.store (i32.const 616) (i32.const 1))
        (i64.store (i32.const 624) (i64.const 5000000000))";
    let woken = format!(
        "{asked} (drop (call $poll (i32.const 600) (i32.const 700) (i32.const 1) (i32.const 512)))
        (i32.and (i32.eq (i32.load (i32.const 512)) (i32.const 1))
            (i32.and (i64.eq (i64.load (i32.const 700)) (i64.const 77))
                (i64.gt_u (call $steady) (i64.const 5000000000))))"
    );
    assert_eq!(holds(&woken), Ok(()));
}

#[test]
fn who_ends_the_process_traps() {
    let why = holds("(call $exit (i32.const 0)) (i32.const 1)").unwrap_err();
    assert!(why.contains("unreachable"), "{why}");
}
