//! The compile child and its limits. This program runs itself as the child, which is why it has a
//! `main` of its own: the usual one would write to standard output, where the artefact goes.

#![expect(clippy::unwrap_used, reason = "what prepares a test may fail it")]

use std::process::ExitCode;
use std::time::Duration;

use sandbox::{
    CompileIn, CompileLimits, CompileWhy, How, LoadError, Model, ModelLimits, Runtime,
    RuntimeConfig,
};

const CHILD: &str = "compile-child";

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(CHILD) {
        return sandbox::compile_child();
    }
    let tests: [(&str, fn()); 6] = [
        ("a component is compiled in a child", a_component_is_compiled_in_a_child),
        ("too much CPU time is found out", too_much_cpu_time_is_found_out),
        ("too long on the wall is found out", too_long_on_the_wall_is_found_out),
        ("too much memory is found out", too_much_memory_is_found_out),
        ("an invalid component is no child's fault", an_invalid_component_is_no_childs_fault),
        ("a program that is none is the host's fault", a_program_that_is_none_is_the_hosts_fault),
    ];
    for (name, test) in tests {
        test();
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

fn load(wasm: &[u8], compile_limits: CompileLimits) -> Result<Model, LoadError> {
    let program = std::env::current_exe().unwrap();
    let compile = CompileIn::Child { program, args: vec![CHILD.into()] };
    load_in(wasm, compile, compile_limits)
}

fn load_in(
    wasm: &[u8],
    compile: CompileIn,
    compile_limits: CompileLimits,
) -> Result<Model, LoadError> {
    let config = RuntimeConfig { compile, compile_limits, sessions_limit: 8, ..Default::default() };
    Runtime::new(config).unwrap().load(wasm, &ModelLimits::default())
}

fn why(loaded: Result<Model, LoadError>) -> CompileWhy {
    match loaded {
        Err(LoadError::Compile(error)) => {
            assert!(!error.message.is_empty() && !error.message.contains('\n'), "{error}");
            error.why
        }
        other => panic!("expected a failure to compile, found {other:?}"),
    }
}

fn a_component_is_compiled_in_a_child() {
    let model = load(&guests::build("times-2"), CompileLimits::default()).unwrap();
    assert!(matches!(model.loaded(), How::Compiled { .. }));
    assert!(model.session().is_ok());
}

fn too_much_cpu_time_is_found_out() {
    let limits = CompileLimits { cpu: Duration::from_secs(1), ..CompileLimits::default() };
    assert_eq!(why(load(&guests::huge_function(60_000), limits)), CompileWhy::Cpu);
}

fn too_long_on_the_wall_is_found_out() {
    let limits = CompileLimits { wall: Duration::from_millis(100), ..CompileLimits::default() };
    assert_eq!(why(load(&guests::huge_function(60_000), limits)), CompileWhy::Wall);
}

fn too_much_memory_is_found_out() {
    let limits = CompileLimits { memory_bytes: 160 << 20, ..CompileLimits::default() };
    assert_eq!(why(load(&guests::many_functions(30_000), limits)), CompileWhy::Memory);
}

fn an_invalid_component_is_no_childs_fault() {
    // Whole in its structure, so that only the compiler sees what is wrong with the function.
    let mut wasm = guests::build("times-2");
    let end = wasm.windows(3).rposition(|bytes| bytes == [0xa2, 0x0b, 0x0b]);
    let end = end.or_else(|| wasm.windows(2).position(|bytes| bytes == [0xa2, 0x0b])).unwrap();
    // The product of two floats becomes the sum of two integers.
    wasm[end] = 0x6a;
    assert_eq!(why(load(&wasm, CompileLimits::default())), CompileWhy::Invalid);
}

fn a_program_that_is_none_is_the_hosts_fault() {
    let missing = CompileIn::Child { program: "/nowhere/at/all".into(), args: Vec::new() };
    let wasm = guests::build("times-2");
    assert_eq!(why(load_in(&wasm, missing, CompileLimits::default())), CompileWhy::Host);
    let other = CompileIn::Child { program: "/bin/false".into(), args: Vec::new() };
    assert_eq!(why(load_in(&wasm, other, CompileLimits::default())), CompileWhy::Host);
}
