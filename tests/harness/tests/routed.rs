//! Models of which each request names its own: loaded when they are wanted, within a budget of memory.

use harness::{Client, Host, Models, Options, guest};
use serde_json::Value;

/// Each request goes to the model of its key, which is its `x`; who has none goes to the champion.
const POLICY: &str = "\
deadline = '20s'
key = 'x'
[roles]
champion = 'champion'
[[route]]
models = 'client-*'
order = [{ model = 'champion' }]
";

/// A folder with a champion that answers 0.5, and clients 1 to `clients` who answer their number.
fn clients(clients: usize) -> Models {
    let models = Models::new();
    models.install("e", "champion", guest("constant-0.5"));
    for client in 1..=clients {
        models.install("e", &format!("client-{client}"), guest(&format!("constant-{client}")));
    }
    models.policy("e", POLICY);
    models
}

fn start(models: &Models, config: &str) -> Host {
    let host = Host::start(&models.path(), Options { config: config.into(), data: None });
    host.wait_until_live("e", "champion");
    host
}

/// What the status says of the routed models together.
fn routed(host: &Host, what: &str) -> u64 {
    let endpoint = host.endpoint("e").expect("the endpoint");
    endpoint["routed"][what].as_u64().unwrap_or_else(|| panic!("no {what} in {endpoint:#}"))
}

/// What the status says of one routed model.
fn one(host: &Host, model: &str) -> Option<Value> {
    let status = Client::new(host.admin()).get("/status?all=true").expect("a status").json();
    let models = status["endpoints"][0]["models"].as_array()?.clone();
    models.into_iter().find(|it| it["name"] == model)
}

/// Asks as a client, and returns who answered what.
fn ask(client: &mut Client, number: usize) -> (String, f64) {
    let response = client.infer("e", number as f64).expect("a response");
    let answered = response.model().zip(response.y());
    answered.unwrap_or_else(|| panic!("no answer in {}", response.text()))
}

fn own(number: usize) -> (String, f64) {
    (format!("client-{number}"), number as f64)
}

fn champions() -> (String, f64) {
    ("champion".to_owned(), 0.5)
}

#[test]
fn of_many_models_only_those_are_loaded_that_are_asked() {
    let models = clients(300);
    let host = start(&models, "");
    host.wait_until_settled("e");
    assert_eq!((routed(&host, "cold"), routed(&host, "warm")), (300, 0));
    let mut client = host.client();
    for number in (1..=300).step_by(15) {
        assert_eq!(ask(&mut client, number), own(number));
        assert_eq!(ask(&mut client, number), own(number));
    }
    assert_eq!(ask(&mut client, 301), champions());
    assert_eq!(ask(&mut client, 0), champions());
    let counts = ["cold", "warm", "loads", "evictions"].map(|what| routed(&host, what));
    assert_eq!(counts, [280, 20, 20, 0]);
    let metrics = Client::new(host.admin()).get("/metrics").expect("metrics").text();
    for line in [
        "understudy_routed_models{endpoint=\"e\",state=\"warm\"} 20",
        "understudy_routed_models{endpoint=\"e\",state=\"cold\"} 280",
        "understudy_routed_loads_total{endpoint=\"e\"} 20",
        "understudy_routed_wait_seconds_count{endpoint=\"e\"} 20",
        "understudy_answers_total{endpoint=\"e\",chosen=\"score\",model=\"client-*\",reason=\"preferred\"} 40",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert!(!metrics.contains("client-16"), "a series for each of many models");
    let stopped = host.stop();
    let scores = stopped.topic("e", "scores");
    let of = |client: bool| {
        let is_client = |model: &str| model.starts_with("client-");
        scores.iter().filter(|score| is_client(&score.headers["model"]) == client).count()
    };
    assert_eq!((of(true), of(false)), (40, 42));
}

/// What one client takes in memory.
fn footprint(models: &Models) -> u64 {
    let host = start(models, "");
    assert_eq!(ask(&mut host.client(), 1), own(1));
    let bytes = routed(&host, "memory_bytes");
    host.stop();
    bytes
}

#[test]
fn whoever_was_used_longest_ago_makes_room_within_the_budget() {
    let models = clients(24);
    let budget = footprint(&models) * 6;
    let host = start(&models, &format!("[routed]\nmemory = '{budget}B'\n"));
    let mut client = host.client();
    for round in 0..3 {
        for number in 1..=24 {
            assert_eq!(ask(&mut client, number), own(number), "round {round}");
            assert!(routed(&host, "memory_bytes") <= budget);
        }
    }
    assert!(routed(&host, "warm") <= 6);
    assert_eq!(routed(&host, "loads"), 72);
    assert!(routed(&host, "evictions") >= 66);
    // Who is asked again and again stays, whoever else comes.
    assert_eq!(ask(&mut client, 1), own(1));
    let loads = routed(&host, "loads");
    for number in 2..=20 {
        assert_eq!(ask(&mut client, number), own(number));
        assert_eq!(ask(&mut client, 1), own(1));
    }
    assert!(routed(&host, "loads") <= loads + 19);
    // All at once wait for each other, and each gets its own answer.
    let address = host.rest();
    let callers: Vec<_> = (1..=24)
        .map(|number| std::thread::spawn(move || ask(&mut Client::new(address), number)))
        .collect();
    for (number, caller) in (1..=24).zip(callers) {
        assert_eq!(caller.join().expect("a caller"), own(number));
    }
    host.stop();
}

#[test]
fn who_grows_beyond_the_budget_answers_and_leaves() {
    let models = clients(2);
    models.install("e", "client-3", guest("memory-16"));
    // What it touches costs more than the usual budget where the machine is short of memory or busy.
    models.manifest("e", "client-3", "limits = { cpu = '10s' }");
    let budget = footprint(&models) * 5 / 2;
    let host = start(&models, &format!("[routed]\nmemory = '{budget}B'\n"));
    // It is younger than the policy, and so may be seen after the endpoint is.
    host.wait_for("client-3 is there", |host| (routed(host, "cold") == 3).then_some(()));
    let mut client = host.client();
    for round in 0..3 {
        for number in 1..=3 {
            let found = ask(&mut client, number);
            let scores = || host.topic("e", "scores").pop().map(|score| score.value);
            assert_eq!(found, own(number), "round {round}, last score: {:?}", scores());
        }
        host.wait_for("the budget holds again", |host| {
            (routed(host, "memory_bytes") <= budget).then_some(())
        });
    }
    host.stop();
}

#[test]
fn a_broken_model_leaves_its_requests_to_the_next_of_the_order() {
    let models = clients(1);
    models.install("e", "client-2", guest("trap-in-start"));
    models.install("e", "client-3", guest("trap-in-predict"));
    models.install("e", "client-4", guest("imports-unknown"));
    let host = start(&models, "");
    let mut client = host.client();
    for number in [2, 3, 4, 2, 4] {
        assert_eq!(ask(&mut client, number), champions());
    }
    assert_eq!(ask(&mut client, 1), own(1));
    for (model, why) in [("client-2", "start"), ("client-4", "imports")] {
        let refused = host.wait_for_state("e", model, "refused");
        let reason = refused["reason"].as_str().expect("a reason").to_owned();
        assert!(reason.contains(why), "{reason}");
        assert_eq!(host.wait_for_events("e", model, "refused", 1).len(), 1);
    }
    // Who faults again and again rests, and is not asked any more.
    host.wait_for("client-3 rests", |host| {
        assert_eq!(ask(&mut client, 3), champions());
        host.model("e", "client-3").filter(|it| it["state"] == "quarantined")
    });
    // A better file is asked at once.
    models.install("e", "client-2", guest("constant-2"));
    host.wait_for("client-2 answers", |_| (ask(&mut client, 2) == own(2)).then_some(()));
    host.stop();
}

#[test]
fn a_file_is_replaced_while_its_model_is_cold_and_while_it_is_warm() {
    let models = clients(3);
    let budget = footprint(&models) * 3 / 2;
    let host = start(&models, &format!("[routed]\nmemory = '{budget}B'\n"));
    let mut client = host.client();
    // Warm: whoever asks meanwhile is answered by one or the other.
    assert_eq!(ask(&mut client, 1), own(1));
    models.install("e", "client-1", guest("constant-101"));
    host.wait_for("the new one answers", |_| {
        let (model, y) = ask(&mut client, 1);
        assert_eq!(model, "client-1");
        assert!(y == 1.0 || y == 101.0, "{y}");
        (y == 101.0).then_some(())
    });
    // Cold, and there is room for one alone.
    assert_eq!(ask(&mut client, 2), own(2));
    assert_eq!(one(&host, "client-1").expect("client-1")["state"], "cold");
    models.install("e", "client-1", guest("constant-201"));
    host.wait_for("the newer one answers", |_| (ask(&mut client, 1).1 == 201.0).then_some(()));
    // A file of no use leaves the one that plays, from its compiled code: its own file is gone.
    models.install("e", "client-1", guest("trap-in-describe"));
    host.wait_for_events("e", "client-1", "refused", 1);
    for _ in 0..3 {
        assert_eq!(ask(&mut client, 2), own(2));
        assert_eq!(ask(&mut client, 1), ("client-1".to_owned(), 201.0));
    }
    let note = host.wait_for("the refusal is shown", |host| {
        host.model("e", "client-1")?["reason"].as_str().map(str::to_owned)
    });
    assert!(note.contains("refused"), "{note}");
    // A model that is taken away is nobody's any more.
    models.remove("e", "client-2");
    host.wait_for("client-2 has gone", |_| (ask(&mut client, 2) == champions()).then_some(()));
    // A new one is there without anything else.
    models.install("e", "client-9", guest("constant-9"));
    host.wait_for("client-9 answers", |_| (ask(&mut client, 9) == own(9)).then_some(()));
    host.stop();
}

#[test]
fn after_a_restart_everybody_is_cold_and_answers() {
    let models = clients(5);
    let host = start(&models, "");
    for number in 1..=5 {
        assert_eq!(ask(&mut host.client(), number), own(number));
    }
    let host = host.restart();
    host.wait_until_live("e", "champion");
    assert_eq!((routed(&host, "cold"), routed(&host, "warm")), (5, 0));
    for number in (1..=5).rev() {
        assert_eq!(ask(&mut host.client(), number), own(number));
    }
    host.stop();
}

#[test]
fn a_cold_model_is_ready_and_can_be_asked_by_itself() {
    let models = clients(2);
    let host = start(&models, "");
    let mut client = host.client();
    let ready = client.get("/v2/models/e/versions/client-1/ready").expect("a response");
    assert_eq!(ready.status, 200, "{}", ready.text());
    assert_eq!(routed(&host, "warm"), 0);
    let alone = client.infer_model("e", "client-1", 7.0).expect("a response");
    assert_eq!((alone.model().as_deref(), alone.y()), (Some("client-1"), Some(1.0)));
    assert_eq!(routed(&host, "warm"), 1);
    let metadata = client.get("/v2/models/e/versions/client-1").expect("a response").json();
    assert_eq!(metadata["inputs"][0]["name"], "x");
    host.stop();
}

#[test]
fn a_routed_model_that_is_named_stays_and_one_that_is_not_makes_room() {
    let models = clients(2);
    let host = start(&models, "");
    let mut client = host.client();
    assert_eq!(ask(&mut client, 1), own(1));
    models.policy("e", &POLICY.replace("champion = 'champion'", "champion = 'client-1'"));
    host.wait_for("client-1 is the champion", |_| {
        let (model, y) = ask(&mut client, 77);
        assert!((model == "champion" && y == 0.5) || (model == "client-1" && y == 1.0));
        (model == "client-1").then_some(())
    });
    assert_eq!(ask(&mut client, 1), own(1));
    assert_eq!((routed(&host, "cold"), routed(&host, "warm")), (1, 0));
    models.policy("e", POLICY);
    host.wait_for("client-1 is one of many again", |host| {
        assert_eq!(ask(&mut client, 1), own(1));
        (routed(host, "cold") + routed(host, "warm") == 2).then_some(())
    });
    assert_eq!(ask(&mut client, 77), champions());
    host.stop();
}
