//! Configuration files that are wrong, early, late or empty.

use std::path::Path;
use std::time::Duration;

use catalog::{Change, HostConfig, Severity, diff};

use crate::folder::{Folder, component};

const GOOD: &[u8] = b"deadline = '20ms'\n[policy]\norder = [\n  { model = 'gbdt' },\n]\n";

fn good() -> Folder {
    Folder::holding(&[
        ("flights/endpoint.toml", GOOD),
        ("flights/gbdt.wasm", &component("first")),
        ("flights/logit.wasm", &component("other")),
    ])
}

fn deadline_ms(folder: &Folder) -> u128 {
    folder.catalog().endpoints["flights"].config.deadline.as_millis()
}

#[test]
fn a_broken_file_leaves_the_last_good_one() {
    let mut folder = good();
    let before = folder.catalog().clone();
    let broken = [
        (
            "deadline = '20m'",
            "1: deadline: found \"20m\", expected a duration such as \"500us\", \"30ms\", \"2s\", \
             \"5min\", \"1h\" or \"7d\"",
        ),
        (
            "deadline = '20ms\n",
            "1: found text that is not TOML: invalid literal string, expected `'`",
        ),
        (
            "\n[policy]\norder = [\n  { model = 'gbtd' },\n]",
            "4: policy.order[0].model: found \"gbtd\", expected one of \"gbdt\", \"logit\"; did you \
             mean \"gbdt\"?",
        ),
        (
            "[roles]\nfallback = 'base'",
            "2: roles.fallback: found \"base\", expected one of \"gbdt\", \"logit\"",
        ),
        (
            "[[route]]\nwhen = \"key == 'HA' && carier == 1\"\nmodel = 'logit'",
            "2: route[0].when: found an unknown variable \"carier\", at column 16 of it, where there are \
             key, id, tenant, inputs and parameters, expected a condition such as \"key == 'HA' && inputs.distance > 1000.0\"",
        ),
    ];
    for (text, problem) in broken {
        folder.write("flights/endpoint.toml", text.as_bytes());
        folder.after(600);
        assert_eq!(folder.catalog().endpoints, before.endpoints, "{text}");
        assert_eq!(folder.problems(), [format!("models/flights/endpoint.toml:{problem}")]);
        assert_eq!(diff(&before, folder.catalog()), []);
    }
    folder.write("flights/endpoint.toml", b"deadline = '30ms'");
    folder.after(600);
    assert_eq!((deadline_ms(&folder), folder.problems().len()), (30, 0));
    let endpoint = "flights".into();
    assert_eq!(diff(&before, folder.catalog()), [Change::ConfigChanged { endpoint }]);
}

#[test]
fn models_come_and_go_while_the_configuration_is_broken() {
    let mut folder = good();
    folder.write("flights/endpoint.toml", b"deadline = 20");
    folder.write("flights/new.wasm", &component("third"));
    folder.remove("flights/logit.wasm");
    folder.after(600);
    assert_eq!(folder.after(1000), "flights: gbdt=first new=third");
    assert_eq!(deadline_ms(&folder), 20);
}

#[test]
fn an_endpoint_that_was_never_good_is_not_there() {
    let mut folder = Folder::new();
    folder.write("flights/endpoint.toml", b"deadline = 20");
    folder.write("flights/gbdt.wasm", &component("first"));
    assert_eq!(folder.after(600), "");
    assert_eq!(folder.problems().len(), 1);
    folder.write("flights/endpoint.toml", b"deadline = '20ms'");
    assert_eq!(folder.after(600), "flights: gbdt=first");
}

#[test]
fn a_policy_waits_for_a_model_that_is_being_copied() {
    let mut folder = good();
    let text = b"deadline = '40ms'\nroles = { champion = 'new' }";
    folder.write("flights/endpoint.toml", text);
    folder.later(600);
    folder.write("flights/new.wasm", &component("third"));
    folder.after(0);
    assert_eq!((deadline_ms(&folder), folder.problems().len()), (20, 0));
    folder.after(500);
    assert_eq!((deadline_ms(&folder), folder.problems().len()), (40, 0));
}

#[test]
fn a_model_that_is_of_no_use_takes_no_endpoint_with_it() {
    let text = b"deadline = '40ms'\nroles = { champion = 'gbdt', challengers = ['bad', 'late'] }";
    let mut folder = Folder::holding(&[
        ("flights/endpoint.toml", text),
        ("flights/gbdt.wasm", &component("first")),
        ("flights/bad.wasm", b"PK\x03\x04"),
    ]);
    assert_eq!(folder.after(0), "", "late.wasm is not there at all");
    folder.write("flights/late.wasm", &component("third")[..10]);
    assert_eq!(folder.after(0), "flights: gbdt=first");
    // Where something runs, the new configuration must be good as a whole.
    folder.write("flights/late.wasm", &component("third"));
    folder.write("flights/endpoint.toml", b"roles = { champion = 'bad' }");
    assert_eq!(folder.after(600), "flights: gbdt=first late=third");
    assert_eq!(deadline_ms(&folder), 40);
    assert_eq!(
        folder.problems()[1],
        "models/flights/endpoint.toml:1: roles.champion: found \"bad\", expected one of \"gbdt\", \
         \"late\""
    );
}

#[test]
fn a_policy_takes_hold_when_the_model_that_it_names_comes() {
    let mut folder = good();
    folder.write("flights/endpoint.toml", b"deadline = '40ms'\nroles = { champion = 'new' }");
    folder.after(5_000);
    assert_eq!((deadline_ms(&folder), folder.problems().len()), (20, 1));
    folder.write("flights/new.wasm", &component("third"));
    folder.after(600);
    assert_eq!((deadline_ms(&folder), folder.problems().len()), (40, 0));
}

#[test]
fn a_model_stays_while_the_policy_names_it() {
    let mut folder = good();
    folder.remove("flights/gbdt.wasm");
    folder.after(0);
    folder.after(1000);
    assert_eq!(folder.after(5_000), "flights: gbdt=(gone) logit=other");
    let problem = "models/flights/gbdt.wasm: found no file, expected the model that endpoint.toml \
                   names; the revision that was there stays";
    assert_eq!(folder.problems(), [problem]);
    folder.write("flights/endpoint.toml", b"roles = { champion = 'logit' }");
    assert_eq!(folder.after(600), "flights: logit=other");
    assert_eq!(folder.problems(), [""; 0]);
}

#[test]
fn a_configuration_that_is_gone_or_emptied_stays() {
    let mut folder = good();
    folder.write("flights/endpoint.toml", b"");
    folder.after(600);
    let emptied = "models/flights/endpoint.toml: found an empty file, expected a key, or at least \
                   a comment; the configuration that was there stays";
    assert_eq!((deadline_ms(&folder), folder.problems()), (20, vec![emptied.to_owned()]));
    folder.remove("flights/endpoint.toml");
    folder.after(0);
    folder.after(1000);
    let gone = "models/flights/endpoint.toml: found no file, expected the configuration of the \
                endpoint; the one that was there stays";
    assert_eq!((deadline_ms(&folder), folder.problems()), (20, vec![gone.to_owned()]));
    folder.write("flights/endpoint.toml", b"# the defaults");
    folder.after(600);
    assert_eq!((deadline_ms(&folder), folder.problems().len()), (50, 0));
}

#[test]
fn a_broken_manifest_holds_back_a_new_model_and_leaves_an_old_one() {
    let mut folder = good();
    for name in ["logit", "new"] {
        folder.write(&format!("flights/{name}.toml"), b"[limits]\nmemory = '64MB'");
    }
    folder.write("flights/new.wasm", &component("third"));
    assert_eq!(folder.after(600), "flights: gbdt=first logit=other");
    let problem = |name| {
        format!(
            "models/flights/{name}.toml:2: limits.memory: found \"64MB\", expected a size such as \
             \"512B\", \"64KiB\", \"64MiB\" or \"1GiB\""
        )
    };
    assert_eq!(folder.problems(), [problem("logit"), problem("new")]);
    let before = folder.catalog().clone();
    for name in ["logit", "new"] {
        folder.write(&format!("flights/{name}.toml"), b"[limits]\nmemory = '32MiB'");
    }
    assert_eq!(folder.after(600), "flights: gbdt=first logit=other new=third");
    let memory =
        |name| folder.catalog().model("flights", name).unwrap().manifest.limits.memory_bytes;
    assert_eq!((memory("gbdt"), memory("logit"), memory("new")), (64 << 20, 32 << 20, 32 << 20));
    let (endpoint, logit, new) = ("flights".into(), "logit".into(), "new".into());
    assert_eq!(
        diff(&before, folder.catalog()),
        [
            Change::ManifestChanged { endpoint, model: logit },
            Change::ModelAdded { endpoint: "flights".into(), model: new },
        ]
    );
}

#[test]
fn the_defaults_of_the_host_lie_beneath_every_file() {
    let text = "[endpoint]\ndeadline = '70ms'\nlimits = { queue = 5, batch = 6 }\n\
                [model.limits]\nmemory = '8MiB'\nsessions = 3";
    let host = HostConfig::parse(Path::new("understudy.toml"), text).unwrap();
    let mut folder = Folder::with(host.watch_options().scan);
    folder.write("bare/gbdt.wasm", &component("first"));
    folder.write("flights/endpoint.toml", b"limits = { queue = 9 }");
    folder.write("flights/gbdt.wasm", &component("first"));
    folder.write("flights/gbdt.toml", b"limits = { memory = '9MiB' }");
    folder.after(600);
    let catalog = folder.catalog();
    assert_eq!(catalog.problems, []);
    let config = |name: &str| &catalog.endpoints[name].config;
    assert_eq!(config("bare").deadline, Duration::from_millis(70));
    assert_eq!((config("bare").limits.queue, config("bare").limits.batch), (5, 6));
    assert_eq!((config("flights").limits.queue, config("flights").limits.batch), (9, 6));
    let limits = |endpoint| &catalog.model(endpoint, "gbdt").unwrap().manifest.limits;
    assert_eq!((limits("bare").memory_bytes, limits("bare").sessions), (8 << 20, 3));
    assert_eq!((limits("flights").memory_bytes, limits("flights").sessions), (9 << 20, 3));
}

#[test]
fn a_route_to_models_of_which_there_is_none_is_told() {
    let mut folder = good();
    let text = "[[route]]\nmodels = 'client-*'\n[[route]]\nmodels = 'g*'\n";
    folder.write("flights/endpoint.toml", text.as_bytes());
    folder.after(600);
    assert_eq!(
        folder.problems(),
        [
            "models/flights/endpoint.toml:2: route[0].models: found \"client-*\", expected a model of \
             such a name; the route takes no request"
        ]
    );
    assert_eq!(folder.catalog().problems[0].severity, Severity::Warning);
    let missing = "[[route]]\nwhen = 'true'\norder = [{ model = 'lgit' }]\n";
    folder.write("flights/endpoint.toml", missing.as_bytes());
    folder.after(600);
    assert_eq!(
        folder.problems(),
        [
            "models/flights/endpoint.toml:3: route[0].order[0].model: found \"lgit\", expected one of \
          \"gbdt\", \"logit\"; did you mean \"logit\"?"
        ]
    );
}

#[test]
fn an_external_model_has_no_file_and_a_file_of_its_name_is_left_alone() {
    let mut folder = good();
    let text = "roles = { champion = 'torch', fallback = 'gbdt' }\n[external.torch]\n";
    folder.write("flights/endpoint.toml", text.as_bytes());
    folder.after(600);
    assert_eq!(folder.problems(), [""; 0]);
    assert!(folder.catalog().endpoints["flights"].config.external.contains_key("torch"));
    folder.write("flights/torch.wasm", &component("third"));
    folder.after(600);
    let spec = &folder.catalog().endpoints["flights"];
    assert!(spec.config.external.contains_key("torch") && !spec.models.contains_key("torch"));
    assert_eq!(
        folder.problems(),
        [
            "models/flights/torch.wasm: found the file of a model that is external, expected another \
          name, or no [external.torch] in endpoint.toml; the file is left alone"
        ]
    );
}
