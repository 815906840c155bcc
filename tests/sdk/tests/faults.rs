//! What becomes of a panic in the compiled languages, and of an endless loop in all of them?

use std::time::Duration;

use builder::Language;
use message::{Contents, FaultClass, Prediction, Refusal, Request};
use sandbox::{ModelLimits, Runtime, RuntimeConfig, Session};
use sdk_tests::{Wire, cache, component, difference, reference, rows};

/// What the model throws.
const MESSAGE: &str = "zu spät – too late";

type Answer = Result<Prediction, Refusal>;

/// Whether a library can turn what a model throws into a refusal; else the model has lost its instance.
fn refuses(language: Language) -> bool {
    match language {
        Language::Go | Language::Python | Language::JavaScript | Language::TypeScript => true,
        Language::Rust | Language::C | Language::Cpp | Language::Zig | Language::AssemblyScript => {
            false
        }
    }
}

#[test]
fn a_panic_is_a_refusal_where_it_can_be_caught_and_a_fault_elsewhere() {
    let runtime = runtime();
    for language in [Language::Rust, Language::C, Language::Cpp, Language::Zig, Language::Go] {
        let model = runtime.load(&component(language), &limits()).unwrap();
        let mut session = model.session().unwrap();
        answers(language, &mut session);
        let found = ask(&mut session, &broken("throw"));
        if refuses(language) {
            let found = found.unwrap_or_else(|fault| panic!("{language}: {fault:?}"));
            let Err(Refusal::Failed(message)) = found else { panic!("{language}: {found:?}") };
            assert!(message.contains(MESSAGE), "{language}: {message}");
        } else {
            let (class, message) = found.expect_err("what nobody catches is a fault");
            assert_eq!(class, FaultClass::Panic, "{language}: {message}");
            // It says nothing of the request.
            assert!(!message.contains(MESSAGE), "{language}: {message}");
            session = model.session().unwrap();
        }
        answers(language, &mut session);
    }
}

#[test]
fn an_endless_loop_is_a_fault_in_every_language_and_the_next_instance_answers() {
    let runtime = runtime();
    for language in Language::ALL {
        let model = runtime.load(&component(language), &limits()).unwrap();
        let mut session = model.session().unwrap();
        let (class, message) = ask(&mut session, &broken("loop")).expect_err("no loop ends");
        assert_eq!(class, FaultClass::Cpu, "{language}: {message}");
        answers(language, &mut model.session().unwrap());
    }
}

/// Asks what every model answers, and compares it.
fn answers(language: Language, session: &mut Session) {
    let row = row("every datatype, reversed");
    let found = ask(session, &row).unwrap_or_else(|fault| panic!("{language}: {fault:?}"));
    let differs = difference(&found, &reference::answer(&row), Wire::None);
    assert_eq!(differs, None, "{language}");
}

fn ask(session: &mut Session, request: &Request) -> Result<Answer, (FaultClass, String)> {
    let results = session.predict(&[request]).results;
    let mut results = results.map_err(|fault| (fault.class, fault.message))?;
    assert_eq!(results.len(), 1);
    Ok(results.remove(0))
}

fn row(name: &str) -> Request {
    rows().into_iter().find(|row| row.name == name).expect("a row of the table").request
}

/// A request of the mode `break`.
fn broken(argument: &str) -> Request {
    let mut request = row("nothing, as it came");
    for (name, text) in [("mode", "break"), ("argument", argument), ("text", MESSAGE)] {
        let input = request.inputs.iter_mut().find(|input| input.name == name).expect("an input");
        (input.shape, input.contents) = ([1].into(), Contents::Texts(vec![text.to_owned()]));
    }
    request
}

fn runtime() -> Runtime {
    let compiled = cache().join("compiled");
    std::fs::create_dir_all(&compiled).expect("a folder in the cache");
    let config = RuntimeConfig { cache_dir: Some(compiled), ..RuntimeConfig::default() };
    Runtime::new(config).expect("a runtime")
}

fn limits() -> ModelLimits {
    ModelLimits {
        memory_bytes: 512 << 20,
        cpu_budget: Duration::from_secs(1),
        start_budget: Duration::from_secs(20),
        wall_backstop: Duration::from_secs(120),
        ..ModelLimits::default()
    }
}
