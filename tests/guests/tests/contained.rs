//! Every guest in the real sandbox: what the table says of it is what happens, and nothing else.

use std::time::Duration;

use guests::{ALL, Contract, Expected};
use message::{Contents, Fault, FaultClass, Prediction, Refusal, Request, RequestId, Tensor, Time};
use sandbox::{LoadError, Model, ModelLimits, Runtime, RuntimeConfig};

const MIB: usize = 1 << 20;
/// 2013-01-01T00:00:00Z
const REQUEST_TIME_S: u64 = 1_356_998_400;

fn runtime(allow_wasi: bool) -> Runtime {
    Runtime::new(RuntimeConfig { sessions_limit: 16, allow_wasi, ..RuntimeConfig::default() })
        .expect("the engine starts")
}

/// Enough for every guest that behaves, and little enough for the others to end soon.
fn limits() -> ModelLimits {
    ModelLimits {
        memory_bytes: 64 * MIB,
        start_budget: Duration::from_millis(200),
        ..ModelLimits::default()
    }
}

fn load(name: &str) -> Result<Model, LoadError> {
    runtime(true).load(&guests::build(name), &limits())
}

fn request(x: f64) -> Request {
    with_inputs(vec![Tensor::new("x", [1], Contents::F64s(vec![x]))])
}

fn with_inputs(inputs: Vec<Tensor>) -> Request {
    Request {
        id: RequestId::from("1"),
        time: Time::from_us(REQUEST_TIME_S * 1_000_000),
        deadline: Time::from_us(REQUEST_TIME_S * 1_000_000 + 50_000),
        key: None,
        tenant: None,
        caller_id: None,
        inputs,
        parameters: Default::default(),
        outputs: Vec::new(),
    }
}

/// What a fresh session makes of one request.
fn ask(model: &Model, request: &Request) -> Result<Result<Prediction, Refusal>, Fault> {
    let mut session = model.session()?;
    let mut results = session.predict(&[request]).results?;
    assert_eq!(results.len(), 1);
    Ok(results.remove(0))
}

fn y(prediction: &Prediction) -> f64 {
    match &prediction.outputs[..] {
        [Tensor { name, contents: Contents::F64s(elements), .. }] if name == "y" => elements[0],
        other => panic!("expected `y`, found {other:?}"),
    }
}

fn answer(model: &Model, x: f64) -> f64 {
    y(&ask(model, &request(x)).expect("no fault").expect("no refusal"))
}

/// What is wrong with a guest, if anything is.
fn deviation(name: &str, expected: Expected) -> Option<String> {
    let model = match load(name) {
        Ok(_) if expected == Expected::NeverLive => return Some("it was loaded".to_owned()),
        Ok(model) => model,
        Err(_) if expected == Expected::NeverLive => return None,
        // Where the room for the description is what the guest refuses to give.
        Err(LoadError::Describe(fault)) if expected == Expected::Faults(fault.class) => {
            return None;
        }
        Err(error) => return Some(error.to_string()),
    };
    if expected == Expected::AnswersOtherwise {
        return None;
    }
    let found = ask(&model, &request(3.0));
    let fits = match (&expected, &found) {
        (Expected::Answers(expected), Ok(Ok(prediction))) => {
            expected.total_cmp(&y(prediction)).is_eq()
        }
        (Expected::Refuses, Ok(Err(_))) => true,
        (Expected::Faults(class), Err(fault)) => *class == fault.class,
        _ => false,
    };
    (!fits).then(|| format!("expected {expected:?}, found {found:?}"))
}

#[test]
fn every_guest_does_what_the_table_says_and_no_more() {
    let deviations: Vec<_> = ALL
        .iter()
        .filter_map(|guest| {
            Some(format!("{}: {}", guest.name, deviation(guest.name, guest.expected)?))
        })
        .collect();
    assert_eq!(deviations, Vec::<String>::new());
}

#[test]
fn broken_artefacts_are_refused() {
    let runtime = runtime(true);
    let loaded: Vec<_> = guests::broken()
        .into_iter()
        .filter(|(_, bytes)| runtime.load(bytes, &limits()).is_ok())
        .map(|(name, _)| name)
        .collect();
    assert_eq!(loaded, Vec::<&str>::new());
}

#[test]
fn a_newer_contract_is_refused_by_both_versions() {
    for contract in [Contract::NEWER, Contract::MUCH_NEWER] {
        let bytes = guests::with_contract("newer", "", contract);
        match runtime(true).load(&bytes, &limits()) {
            Err(LoadError::Contract { found, known }) => {
                assert_eq!((found.as_str(), known.as_str()), (contract.0, Contract::KNOWN.0));
            }
            other => panic!("expected a refusal of the contract, found {:?}", other.err()),
        }
    }
}

#[test]
fn without_wasi_its_imports_are_refused_by_name() {
    for name in
        ["log-flood", "log-line", "wasi-clock", "wasi-random", "wasi-environment", "wasi-folders"]
    {
        match runtime(false).load(&guests::build(name), &limits()) {
            Err(LoadError::ForbiddenImports { names }) => {
                assert!(names.iter().all(|import| import.starts_with("wasi:")), "{names:?}");
            }
            other => panic!("expected a refusal of the imports of {name}, found {:?}", other.err()),
        }
    }
}

#[test]
fn every_datatype_goes_in_and_out_as_it_is() {
    let tensor = |name, contents: Contents| Tensor::new(name, [contents.len() as u32], contents);
    let inputs = vec![
        tensor("bools", Contents::Bools(vec![true, false])),
        tensor("u8s", Contents::U8s(vec![0, u8::MAX])),
        tensor("u16s", Contents::U16s(vec![u16::MAX])),
        tensor("u32s", Contents::U32s(vec![1, u32::MAX, 3])),
        tensor("u64s", Contents::U64s(vec![u64::MAX])),
        tensor("s8s", Contents::S8s(vec![i8::MIN, -1])),
        tensor("s16s", Contents::S16s(vec![i16::MIN])),
        tensor("s32s", Contents::S32s(vec![i32::MIN])),
        tensor("s64s", Contents::S64s(vec![i64::MIN, i64::MAX])),
        tensor("f16s", Contents::F16s(vec![0x3e00])),
        tensor("bf16s", Contents::Bf16s(vec![0x3fc0])),
        tensor("f32s", Contents::F32s(vec![-0.0, f32::MIN_POSITIVE])),
        tensor("f64s", Contents::F64s(vec![f64::MAX, 0.1])),
        tensor("texts", Contents::Texts(vec!["ä".into(), String::new()])),
        tensor("blobs", Contents::Blobs(vec![vec![0xff, 0], Vec::new()])),
    ];
    let model = load("every-datatype").unwrap();
    let prediction = ask(&model, &with_inputs(inputs.clone())).unwrap().unwrap();
    assert_eq!(prediction.outputs, inputs);
    let empty: Vec<_> = inputs
        .iter()
        .map(|tensor| Tensor {
            shape: vec![0],
            contents: emptied(&tensor.contents),
            ..tensor.clone()
        })
        .collect();
    let prediction = ask(&model, &with_inputs(empty.clone())).unwrap().unwrap();
    assert_eq!(prediction.outputs, empty);
}

fn emptied(contents: &Contents) -> Contents {
    let mut contents = contents.clone();
    match &mut contents {
        Contents::Bools(them) => them.clear(),
        Contents::U8s(them) => them.clear(),
        Contents::U16s(them) | Contents::F16s(them) | Contents::Bf16s(them) => them.clear(),
        Contents::U32s(them) => them.clear(),
        Contents::U64s(them) => them.clear(),
        Contents::S8s(them) => them.clear(),
        Contents::S16s(them) => them.clear(),
        Contents::S32s(them) => them.clear(),
        Contents::S64s(them) => them.clear(),
        Contents::F32s(them) => them.clear(),
        Contents::F64s(them) => them.clear(),
        Contents::Texts(them) => them.clear(),
        Contents::Blobs(them) => them.clear(),
    }
    contents
}

#[test]
fn an_echo_gives_its_input_back() {
    let request = request(0.1);
    let prediction = ask(&load("echo").unwrap(), &request).unwrap().unwrap();
    assert_eq!(prediction.outputs, request.inputs);
}

#[test]
fn a_batch_reaches_the_guest_in_one_call() {
    let model = load("batch-size").unwrap();
    assert_eq!(model.description().batch_limit, 8);
    let request = request(0.0);
    let results =
        model.session().unwrap().predict(&[&request, &request, &request]).results.unwrap();
    let sizes: Vec<_> = results.iter().map(|result| y(result.as_ref().unwrap())).collect();
    assert_eq!(sizes, [3.0, 3.0, 3.0]);
}

#[test]
fn a_session_keeps_its_memory_and_a_fresh_one_has_none_of_it() {
    let model = load("counter").unwrap();
    assert!(!model.description().stateless);
    let count = |session: &mut sandbox::Session| {
        let results = session.predict(&[&request(0.0)]).results.unwrap();
        y(results[0].as_ref().unwrap())
    };
    let mut session = model.session().unwrap();
    assert_eq!((count(&mut session), count(&mut session)), (1.0, 2.0));
    drop(session);
    assert_eq!(count(&mut model.session().unwrap()), 1.0);
}

#[test]
fn a_flaky_guest_does_what_its_input_says() {
    let model = load("flaky").unwrap();
    let class = |x| ask(&model, &request(x)).unwrap_err().class;
    assert_eq!(class(-1.0), FaultClass::Panic);
    assert_eq!(class(-2.0), FaultClass::Cpu);
    assert_eq!(
        ask(&model, &request(-3.0)).unwrap(),
        Err(Refusal::Abstain("the input says so".into()))
    );
    assert!(answer(&model, -4.0).is_nan());
    assert_eq!(class(-5.0), FaultClass::Contract);
    assert_eq!(answer(&model, 7.0), 7.0);
}

#[test]
fn a_refusal_keeps_its_kind_and_its_words() {
    let model = load("refuses").unwrap();
    let kind = |x| ask(&model, &request(x)).unwrap().unwrap_err().kind();
    assert_eq!([kind(-1.0), kind(0.0), kind(1.0)], ["invalid-input", "abstain", "failed"]);
    assert_eq!(ask(&model, &request(0.0)).unwrap().unwrap_err().message(), "I would rather not");
}

#[test]
fn a_note_comes_with_the_prediction() {
    let prediction = ask(&load("noted").unwrap(), &request(3.0)).unwrap().unwrap();
    assert_eq!(prediction.notes, [("why".to_owned(), "because".to_owned())]);
}

#[test]
fn a_nan_is_the_same_nan_on_every_machine() {
    let bits = answer(&load("nan").unwrap(), 3.0).to_bits();
    assert_eq!(bits, f64::NAN.to_bits());
}

#[test]
fn what_a_guest_prints_is_kept_and_bounded() {
    let model = load("log-line").unwrap();
    answer(&model, 3.0);
    assert_eq!(model.log(), ["a line from the model"]);
    let model = load("log-flood").unwrap();
    // A hundred times the usual budget, since this is about the log.
    let mut session = model.session().unwrap();
    session.predict_within(Duration::from_secs(10), &[&request(3.0)]).results.unwrap();
    let kept_bytes: usize = model.log().iter().map(String::len).sum();
    assert!(kept_bytes <= limits().log_bytes, "{kept_bytes}");
}

#[test]
fn a_locked_wasi_tells_the_time_of_the_request_and_always_the_same_random_numbers() {
    assert_eq!(answer(&load("wasi-clock").unwrap(), 3.0), REQUEST_TIME_S as f64);
    let random = || answer(&load("wasi-random").unwrap(), 3.0);
    assert_eq!(random(), random());
}

#[test]
fn the_memory_of_all_sessions_counts_together() {
    let model = load("memory-24").unwrap();
    let mut first = model.session().unwrap();
    let mut second = model.session().unwrap();
    let mut third = model.session().unwrap();
    let request = request(3.0);
    assert!(first.predict(&[&request]).results.is_ok());
    assert!(second.predict(&[&request]).results.is_ok());
    assert_eq!(third.predict(&[&request]).results.unwrap_err().class, FaultClass::Limit);
    assert!(first.predict(&[&request]).results.is_ok());
}

#[test]
fn a_slow_guest_is_slow_enough_to_be_stopped() {
    let model = load("slow-1000").unwrap();
    assert_eq!(ask(&model, &request(3.0)).unwrap_err().class, FaultClass::Cpu);
}
