//! Every guest that misbehaves, dropped into the folder of a host whose champion is being asked all the time.
//!
//! Each is dropped twice: into the endpoint `calm`, where it has to get through the recent requests first, and into
//! the endpoint `bold`, where it goes live at once and misbehaves beside the champion. What the champion's callers notice
//! of it is nothing.

use std::fs;
use std::os::unix::fs::symlink;

use harness::{Contract, Expected, GUESTS, Host, Load, LoadOptions, Models, Options, guest};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

/// Rests so long that the state is still to be seen.
const CALM: &str = "
    deadline = '20s'
    roles = { champion = 'champion' }
    quarantine = { backoff_first = '10min', backoff_longest = '10min' }";
/// Enough for every guest to show its class of fault, and little enough for those that never end.
const MANIFEST: &str = "limits = { cpu = '100ms', batch = 1 }";
/// Compilation of a bomb ends by the limit of CPU time.
const CONFIG: &str = "compile = { cpu = '1s', wall = '30s' }";

struct Scene {
    models: Models,
    host: Host,
    loads: Vec<Load>,
}

impl Scene {
    fn new() -> Self {
        Self::with(CONFIG)
    }

    fn with(config: &str) -> Self {
        let models = Models::new();
        let bold = format!("warm_up_requests = 0\n{CALM}");
        for (endpoint, policy) in [("calm", CALM), ("bold", &bold)] {
            models.install(endpoint, "champion", guest("identity"));
            models.manifest(endpoint, "hostile", MANIFEST);
            models.policy(endpoint, policy);
        }
        let host = Host::start(&models.path(), Options { config: config.into(), data: None });
        let loads = ["calm", "bold"].map(|endpoint| {
            host.wait_until_live(endpoint, "champion");
            let options = LoadOptions { callers: 1, ..LoadOptions::default() };
            Load::start_with(&host, endpoint, options)
        });
        let scene = Self { models, host, loads: loads.into() };
        scene.hear_from_the_champions();
        scene
    }

    fn hear_from_the_champions(&self) {
        self.loads.iter().for_each(|load| load.wait_for_calls(40));
    }

    /// Drops a component into an endpoint, and waits for what becomes of it: its state and the reason.
    fn drop_in(&self, endpoint: &str, wasm: &[u8]) -> (String, String) {
        self.models.install(endpoint, "hostile", wasm);
        self.host.wait_for("something becomes of the guest", |host| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let model = host.model(endpoint, "hostile")?;
            let settled = model["state"] != "loading";
            settled.then(|| (text(&model["state"]), text(&model["reason"])))
        })
    }

    /// Asserts that a component is refused for this reason.
    fn assert_refused(&self, endpoint: &str, wasm: &[u8], reason: &[&str]) {
        let (state, found) = self.drop_in(endpoint, wasm);
        assert_eq!(state, "refused", "{found}");
        for reason in reason {
            assert!(found.contains(reason), "expected {reason:?} in {found:?}");
        }
        let events = self.host.wait_for_events(endpoint, "hostile", "refused", 1);
        assert_eq!(events[0]["reason"], found);
    }

    /// Asserts that every caller of a champion got its answer, and ends the host in good order.
    fn assert_unharmed(mut self) {
        self.hear_from_the_champions();
        for load in self.loads.drain(..) {
            let report = load.finish();
            report.assert_answered_by(&["champion"]);
            let wrong = report.calls.iter().find(|call| call.y() != Some(call.x));
            assert_eq!(wrong, None);
        }
        self.host.stop();
    }
}

/// Runs a guest that breaks when it is asked: it does not get through the recent requests, and where it need not,
/// it is set aside.
fn breaks(name: &str, class: &str) {
    let scene = Scene::new();
    let wasm = guest(name);
    let place = format!("({class})");
    scene.assert_refused("calm", &wasm, &["faulted", &place]);
    scene.models.install("bold", "hostile", &wasm);
    let model = scene.host.wait_for_state("bold", "hostile", "quarantined");
    let reason = model["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason.starts_with(&format!("{class}: ")), "expected class {class}, found {reason:?}");
    scene.host.wait_for_events("bold", "hostile", "quarantined", 1);
    let scores = scene.host.topic("bold", "scores");
    let faults = scores.iter().filter(|score| score.headers["model"] == "hostile").count();
    assert!(faults >= 5, "found {faults} recorded faults, expected as many as lead to quarantine");
    scene.assert_unharmed();
}

/// Runs a guest that cannot be loaded.
fn never_lives(name: &str, reason: &str) {
    let scene = Scene::new();
    let wasm = guest(name);
    scene.assert_refused("calm", &wasm, &[reason]);
    scene.assert_refused("bold", &wasm, &[reason]);
    scene.assert_unharmed();
}

/// Runs a guest that looks worse than it is: it goes live, and `check` says what is to be seen then.
fn lives(name: &str, check: impl FnOnce(&Host, Value)) {
    let scene = Scene::new();
    scene.models.install("bold", "hostile", guest(name));
    scene.host.wait_until_live("bold", "hostile");
    let model = scene.host.wait_for("the guest is asked", |host| {
        let model = host.model("bold", "hostile")?;
        let asked = ["predictions", "refusals"].map(|count| model[count].as_u64().unwrap_or(0));
        (asked.iter().sum::<u64>() > 0).then_some(model)
    });
    check(&scene.host, model);
    scene.assert_unharmed();
}

macro_rules! guests {
    ($($test:ident: $run:ident($guest:literal, $expected:expr);)*) => {
        $(#[test] fn $test() { $run($guest, $expected) })*

        const TESTED: &[&str] = &[$($guest),*];
    };
}

guests! {
    an_endless_loop_in_predict: breaks("loop-in-predict", "cpu");
    an_endless_loop_in_realloc: breaks("loop-in-realloc", "cpu");
    an_endless_loop_when_the_result_is_handed_back: breaks("loop-after-predict", "cpu");
    a_trap_in_predict: breaks("trap-in-predict", "panic");
    a_trap_in_realloc: breaks("trap-in-realloc", "panic");
    a_read_past_the_end_of_memory: breaks("out-of-bounds", "memory");
    a_division_by_zero: breaks("divides-by-zero", "arithmetic");
    a_memory_bomb: breaks("memory-bomb", "limit");
    a_table_bomb: breaks("table-bomb", "limit");
    a_recursion_without_end: breaks("deep-recursion", "stack");
    arguments_out_of_range: breaks("realloc-out-of-range", "abi");
    arguments_at_an_odd_address: breaks("realloc-misaligned", "abi");
    a_result_out_of_range: breaks("result-out-of-range", "abi");
    a_pointer_to_a_result_out_of_range: breaks("result-pointer-out-of-range", "abi");
    a_result_at_an_odd_address: breaks("result-misaligned", "abi");
    a_result_longer_than_memory: breaks("result-too-long", "abi");
    a_result_that_is_not_utf8: breaks("result-bad-utf8", "abi");
    a_result_of_a_case_that_is_none: breaks("result-bad-case", "abi");
    a_result_of_512_mib: breaks("result-of-512-mib", "limit");
    a_result_of_512_mib_in_one_place: breaks("result-of-512-mib-aliased", "result-size");
    an_output_of_another_name: breaks("wrong-name", "contract");
    an_output_of_another_datatype: breaks("wrong-datatype", "contract");
    an_output_of_another_shape: breaks("wrong-shape", "contract");
    an_output_of_another_rank: breaks("wrong-rank", "contract");
    an_output_with_too_few_elements: breaks("wrong-element-count", "contract");
    a_missing_output: breaks("missing-output", "contract");
    an_output_too_many: breaks("extra-output", "contract");
    too_few_results: breaks("too-few-results", "contract");
    too_many_results: breaks("too-many-results", "contract");

    an_endless_loop_at_the_start: never_lives("loop-in-start", "does not start");
    an_endless_loop_in_describe: never_lives("loop-in-describe", "cannot describe itself");
    a_trap_at_the_start: never_lives("trap-in-start", "does not start");
    a_trap_in_describe: never_lives("trap-in-describe", "cannot describe itself");
    a_memory_bomb_at_the_start: never_lives("memory-bomb-in-start", "limit");
    a_table_bomb_at_the_start: never_lives("table-bomb-in-start", "limit");
    a_description_that_is_not_utf8: never_lives("describe-bad-utf8", "cannot describe itself");
    a_description_with_a_name_twice: never_lives("describe-twice-the-same-name", "description");
    a_description_without_an_output: never_lives("describe-no-output", "description");
    a_description_of_a_million_inputs: never_lives("describe-a-million-inputs", "descri");
    a_description_with_a_negative_length: never_lives("describe-negative-length", "description");
    an_import_of_http: never_lives("imports-http", "imports wasi:http/types");
    an_import_that_nobody_knows: never_lives("imports-unknown", "imports acme:secrets/vault");

    not_a_number_is_an_answer: lives("nan", |host, _| {
        let response = host.client().infer_model("bold", "hostile", 1.0).expect("a response");
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(response.json()["outputs"][0]["data"][0], "NaN");
    });
    infinity_is_an_answer: lives("infinite", |host, _| {
        let response = host.client().infer_model("bold", "hostile", 1.0).expect("a response");
        assert_eq!(response.json()["outputs"][0]["data"][0], "Infinity");
    });
    a_model_may_refuse_everything: lives("refuses", |host, model| {
        assert_eq!((&model["predictions"], &model["faults"]), (&0.into(), &0.into()));
        let response = host.client().infer_model("bold", "hostile", 0.0).expect("a response");
        assert_eq!(response.status, 400);
        assert_eq!(
            response.error().as_deref(),
            Some("the model refused (abstain): I would rather not")
        );
    });
    the_network_is_locked: lives("imports-sockets", |_, model| {
        assert_eq!(model["faults"], 0);
    });
}

#[test]
fn a_flood_of_output_is_kept_within_bounds() {
    let scene = Scene::new();
    scene.models.manifest("bold", "hostile", "limits = { cpu = '10s', batch = 1 }");
    scene.models.install("bold", "hostile", guest("log-flood"));
    let model = scene.host.wait_for("the guest has written 40 MB", |host| {
        host.model("bold", "hostile").filter(|model| model["predictions"].as_u64() > Some(0))
    });
    let lines = model["log"].as_array().expect("the log of the model");
    let kept_bytes: usize = lines.iter().filter_map(Value::as_str).map(str::len).sum();
    assert!((1..=64 << 10).contains(&kept_bytes), "{kept_bytes} bytes are kept");
    assert!(scene.host.log().len() < 1 << 20, "the host's own log is flooded");
    scene.assert_unharmed();
}

#[test]
fn a_model_that_describes_itself_anew_each_time_is_held_to_the_first_time() {
    let scene = Scene::new();
    scene.models.install("bold", "hostile", guest("describe-changes"));
    scene.host.wait_for("the guest is there", |host| {
        host.model("bold", "hostile").filter(|model| model["state"] != "loading")
    });
    let metadata = || {
        let response = scene.host.client().get("/v2/models/bold/versions/hostile");
        response.expect("a response").json()["inputs"].clone()
    };
    let first = metadata();
    scene.hear_from_the_champions();
    assert_eq!(metadata(), first);
    scene.assert_unharmed();
}

#[test]
fn files_that_are_no_model_are_refused_by_name() {
    let scene = Scene::new();
    let broken = harness::broken();
    for (name, bytes) in &broken {
        scene.models.install("calm", name, bytes);
    }
    for (name, _) in &broken {
        let reason = reason_of(&scene.host, name);
        assert!(reason.contains("expected") || reason.contains("invalid"), "{name}: {reason}");
    }
    let reason = |name| reason_of(&scene.host, name);
    assert!(reason("core-module").contains("component"), "{}", reason("core-module"));
    assert!(reason("other-component").contains("predictor"), "{}", reason("other-component"));
    scene.assert_unharmed();
}

/// Why a model is not there: its own reason, or the problem with its file.
fn reason_of(host: &Host, name: &str) -> String {
    host.wait_for(&format!("{name} is refused"), |host| {
        let file = format!("/{name}.wasm");
        let problem = host.problems().into_iter().find(|problem| problem.contains(&file));
        problem.or_else(|| {
            let model = host.model("calm", name).filter(|model| model["state"] == "refused")?;
            model["reason"].as_str().map(str::to_owned)
        })
    })
}

#[test]
fn things_that_are_no_files_are_refused_by_name() {
    let scene = Scene::new();
    let file = |name: &str| scene.models.file("calm", name);
    let elsewhere = scene.models.beside("sparse");
    fs::File::create(&elsewhere).and_then(|file| file.set_len(1 << 30)).expect("a sparse file");
    fs::rename(&elsewhere, file("one-gib.wasm")).expect("a file in its place");
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, file("pipe.wasm"), FileType::Fifo, mode, 0).expect("a named pipe");
    symlink("loop-b.wasm", file("loop-a.wasm")).expect("a link");
    symlink("loop-a.wasm", file("loop-b.wasm")).expect("a link");
    symlink("nowhere.wasm", file("dangling.wasm")).expect("a link");
    symlink("/dev/zero", file("outside.wasm")).expect("a link");
    fs::create_dir(file("folder.wasm")).expect("a folder");
    for (name, found) in [
        ("one-gib", "1073741824 bytes"),
        ("pipe", "pipe"),
        ("loop-a", "link"),
        ("loop-b", "link"),
        ("dangling", "a link that leads nowhere"),
        ("outside", "a link that leads out of the folder"),
        ("folder", "folder"),
    ] {
        scene.host.wait_for_problem(&[&format!("/{name}.wasm: "), found, "expected"]);
    }
    scene.assert_unharmed();
}

#[test]
fn a_module_for_a_newer_contract_is_refused_with_both_versions() {
    let scene = Scene::new();
    for contract in [Contract::NEWER, Contract::MUCH_NEWER] {
        let wasm = harness::with_contract("newer", "", contract);
        scene.models.install("calm", contract.0, &wasm);
        let reason = reason_of(&scene.host, contract.0);
        assert!(reason.contains(contract.0) && reason.contains(Contract::KNOWN.0), "{reason}");
    }
    scene.assert_unharmed();
}

#[test]
fn a_compile_bomb_of_many_functions_is_stopped() {
    let scene = Scene::new();
    let bomb = harness::many_functions(200_000);
    scene.assert_refused("calm", &bomb, &["cannot be compiled"]);
    scene.assert_unharmed();
}

#[test]
fn a_compile_bomb_of_one_huge_function_is_stopped() {
    let scene = Scene::new();
    let bomb = harness::huge_function(40_000);
    scene.assert_refused("calm", &bomb, &["cannot be compiled"]);
    scene.assert_unharmed();
}

#[test]
fn an_operator_can_forbid_even_the_locked_wasi_to_all() {
    let scene = Scene::with("wasi = false");
    for name in ["log-line", "wasi-clock", "wasi-random", "wasi-environment", "wasi-folders"] {
        scene.models.install("calm", name, guest(name));
        let reason = reason_of(&scene.host, name);
        assert!(reason.contains("imports wasi:"), "{name}: {reason}");
    }
    scene.assert_unharmed();
}

#[test]
fn an_operator_can_forbid_even_the_locked_wasi_to_one_model() {
    let scene = Scene::new();
    scene.models.manifest("calm", "hostile", "grants = { wasi = false }");
    scene.assert_refused(
        "calm",
        &guest("log-line"),
        &["imports wasi:", "its manifest does not grant"],
    );
    scene.models.manifest("calm", "hostile", "grants = { wasi = true }");
    scene.host.wait_until_live("calm", "hostile");
    let model = scene.host.wait_for("the guest has printed", |host| {
        let model = host.model("calm", "hostile")?;
        model["log"].as_array().is_some_and(|lines| !lines.is_empty()).then_some(model)
    });
    assert_eq!(model["log"][0], "a line from the model");
    scene.assert_unharmed();
}

#[test]
fn a_model_that_breaks_when_it_is_asked_alone_tells_only_who_asked() {
    let models = Models::new();
    models.install("e", "flaky", guest("flaky"));
    models.manifest("e", "flaky", MANIFEST);
    models.policy("e", CALM.replace("'champion'", "'flaky'").as_str());
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_live("e", "flaky");
    let mut client = host.client();
    let mut ask = |x| client.infer_model("e", "flaky", x).expect("a response");
    for (x, status, error) in [
        (-1.0, 500, "the model broke (panic)"),
        (-2.0, 500, "the model broke (cpu)"),
        (-3.0, 400, "the model refused (abstain): the input says so"),
        (-5.0, 500, "the model broke (contract)"),
    ] {
        let response = ask(x);
        assert_eq!(response.status, status, "{}", response.text());
        let found = response.error().expect("an error");
        assert!(found.starts_with(error), "expected {error:?}, found {found:?}");
    }
    assert_eq!(ask(7.0).y(), Some(7.0));
    let stopped = host.stop();
    for topic in ["requests", "scores", "answers"] {
        assert_eq!(stopped.topic("e", topic), [], "{topic}");
    }
}

/// Starts a host whose champion is this guest, with a fallback that answers `2 x`, and asks it for some time.
fn hostile_champion(
    name: &str,
    quarantine: &str,
    x: fn(u64) -> f64,
) -> (Host, harness::LoadReport) {
    let models = Models::new();
    models.install("e", "champion", guest(name));
    models.install("e", "fallback", guest("times-2"));
    models.manifest("e", "champion", MANIFEST);
    models.policy(
        "e",
        &format!(
            "deadline = '20s'
            warm_up_requests = 0
            roles = {{ champion = 'champion', fallback = 'fallback' }}
            policy = {{ order = [{{ model = 'champion', until = '10s' }}] }}
            quarantine = {{ {quarantine} }}"
        ),
    );
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_live("e", "champion");
    host.wait_until_live("e", "fallback");
    let load = Load::start_with(&host, "e", LoadOptions { x, ..LoadOptions::default() });
    load.wait_for_calls(100);
    let report = load.finish();
    (host, report)
}

#[test]
fn a_champion_that_breaks_is_killed_at_its_budget_and_the_fallback_answers() {
    for (name, event) in [
        ("loop-in-predict", Some("quarantined")),
        ("memory-bomb", Some("quarantined")),
        ("wrong-shape", Some("quarantined")),
        ("refuses", None),
    ] {
        let (host, report) = hostile_champion(name, "", |number| number as f64);
        report.assert_answered_by(&["fallback"]);
        let wrong = report.calls.iter().find(|call| call.y() != Some(2.0 * call.x));
        assert_eq!(wrong, None, "{name}");
        let first = &report.calls[0];
        // Not because its ten seconds were up.
        assert_eq!(first.reason().as_deref(), Some("preferred-failed"), "{name}");
        if let Some(event) = event {
            host.wait_for_events("e", "champion", event, 1);
        }
        host.stop();
    }
}

#[test]
fn a_champion_that_breaks_on_some_requests_answers_the_others() {
    const INPUTS: [f64; 6] = [-1.0, 7.0, -2.0, -3.0, -5.0, 8.0];
    let x = |number| INPUTS[number as usize % INPUTS.len()];
    let (host, report) =
        hostile_champion("flaky", "faults = 1000000, budget = { faults = '100%' }", x);
    report.assert_answered_by(&["champion", "fallback"]);
    for call in &report.calls {
        let expected = if call.x > 0.0 { ("champion", call.x) } else { ("fallback", 2.0 * call.x) };
        assert_eq!((call.model().as_deref(), call.y()), (Some(expected.0), Some(expected.1)));
    }
    host.stop();
}

#[test]
fn a_champion_that_breaks_without_an_understudy_leaves_the_default() {
    let models = Models::with_champion("e", "trap-in-predict");
    models.policy(
        "e",
        "deadline = '20s'
        roles = { champion = 'champion' }
        policy = { default = { y = [0.5] } }",
    );
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_live("e", "champion");
    let load = Load::start(&host, "e");
    host.wait_for_events("e", "champion", "quarantined", 1);
    load.wait_for_calls(40);
    let report = load.finish();
    report.assert_answered_by(&["default"]);
    assert!(report.calls.iter().all(|call| call.y() == Some(0.5)));
    let reasons: Vec<_> = report.calls.iter().filter_map(harness::Call::reason).collect();
    assert!(reasons.contains(&"every-model-failed".to_owned()), "{reasons:?}");
    assert!(reasons.contains(&"no-live-model".to_owned()), "{reasons:?}");
    host.stop();
}

#[test]
fn every_guest_that_misbehaves_has_a_test_here() {
    const ELSEWHERE: [&str; 1] = ["describe-changes"];
    let missing: Vec<_> = GUESTS
        .iter()
        .filter(|guest| {
            matches!(guest.expected, Expected::Faults(_) | Expected::NeverLive | Expected::Refuses)
        })
        .map(|guest| guest.name)
        .filter(|name| !TESTED.contains(name) && !ELSEWHERE.contains(name))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}
