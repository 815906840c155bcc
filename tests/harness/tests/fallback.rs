//! Models that break, spend their error budget or come too late, watched from the first sign to the
//! recovery: what the next callers get, and what events, status and metrics say.

use std::sync::atomic::{AtomicBool, Ordering};

use harness::{Call, Client, Host, Load, LoadOptions, Models, Options, guest};
use serde_json::Value;

/// A folder with a champion and a second, in this order.
fn models(champion: &str, until: &str, more: &str) -> Models {
    let models = Models::new();
    models.install("e", "champion", guest(champion));
    models.manifest(
        "e",
        "champion",
        "limits = { cpu = '10s', wall = '1min', batch = 1, queue = 4 }",
    );
    models.install("e", "second", guest("times-2"));
    models.policy(
        "e",
        &format!(
            "deadline = '20s'
            warm_up_requests = 0
            roles = {{ champion = 'champion' }}
            policy = {{ order = [{{ model = 'champion', until = '{until}' }}, {{ model = 'second' }}] }}
            {more}"
        ),
    );
    models
}

fn start(models: &Models) -> Host {
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_live("e", "champion");
    host.wait_until_live("e", "second");
    host
}

/// Waits for calls that are made from now on, and returns what `pick` says of each.
fn next_calls(host: &Host, x: f64, count: usize) -> Vec<(Option<String>, Option<String>)> {
    let mut client = host.client();
    let mut call = || {
        let response = client.infer("e", x).expect("a response");
        let reason = response.json()["parameters"]["reason"].as_str().map(str::to_owned);
        (response.model(), reason)
    };
    (0..count).map(|_| call()).collect()
}

fn assert_all(calls: &[(Option<String>, Option<String>)], model: &str, reason: &str) {
    let expected = (Some(model.to_owned()), Some(reason.to_owned()));
    assert!(calls.iter().all(|call| *call == expected), "expected {expected:?} in {calls:?}");
}

/// The value of a metric of the champion, or of one of its endpoint.
fn metric(host: &Host, line: &str) -> Option<f64> {
    let text = Client::new(host.admin()).get("/metrics").expect("metrics").text();
    text.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok())
}

fn reason(event: &Value) -> &str {
    event["reason"].as_str().expect("a reason")
}

static BROKEN: AtomicBool = AtomicBool::new(true);

#[test]
fn a_champion_that_breaks_is_set_aside_probed_by_one_request_at_a_time_and_taken_back() {
    let quarantine = "quarantine = { backoff_first = '200ms', backoff_longest = '10s' }";
    let models = models("flaky", "10s", quarantine);
    let host = start(&models);
    let x = |_| if BROKEN.load(Ordering::Relaxed) { -1.0 } else { 7.0 };
    let load =
        Load::start_with(&host, "e", LoadOptions { callers: 4, x, ..LoadOptions::default() });
    let set_aside = host.wait_for_events("e", "champion", "quarantined", 3);
    assert!(reason(&set_aside[0]).starts_with("panic: "), "{set_aside:?}");
    BROKEN.store(false, Ordering::Relaxed);
    host.wait_for_events("e", "champion", "recovered", 1);
    host.wait_until_live("e", "champion");
    let before = load.calls();
    load.wait_for_calls(40);
    let calls = load.finish().calls;
    let of = |call: &Call| (call.model(), call.reason());
    let first: Vec<_> = calls.iter().take(1).map(of).collect();
    assert_all(&first, "second", "preferred-failed");
    let last: Vec<_> = calls.iter().skip(before as usize + 4).map(of).collect();
    assert_all(&last, "champion", "preferred");
    // Between two rests one request decided, though four callers never stopped.
    let probed = host.wait_for_events("e", "champion", "probed", 3);
    let times = |events: &[Value]| -> Vec<u64> {
        events.iter().filter_map(|event| event["time_us"].as_u64()).collect()
    };
    let (from, to) = (times(&probed), times(&set_aside));
    let scores = host.topic("e", "scores");
    for round in 0..2 {
        let of_the_champion = scores.iter().filter(|score| {
            score.headers["model"] == "champion"
                && (from[round]..=to[round + 1]).contains(&score.time_us)
        });
        assert_eq!(of_the_champion.count(), 1, "in round {round}");
    }
    let changes = r#"understudy_roster_changes_total{endpoint="e",change="quarantined"}"#;
    assert_eq!(metric(&host, changes), Some(3.0));
    host.stop();
}

#[test]
fn the_last_that_can_answer_is_kept_and_says_so() {
    let models = Models::with_champion("e", "flaky");
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_live("e", "champion");
    let mut client = host.client();
    for _ in 0..20 {
        let response = client.infer("e", -1.0).expect("a response");
        assert_eq!(response.status, 504, "{}", response.text());
    }
    let kept = host.wait_for_events("e", "champion", "kept", 1);
    assert!(reason(&kept[0]).starts_with("panic: "), "{kept:?}");
    let model = host.wait_for("the status says so", |host| {
        host.model("e", "champion").filter(|model| !model["reason"].is_null())
    });
    assert_eq!(model["state"], "live");
    assert_eq!(client.infer("e", 7.0).expect("a response").y(), Some(7.0));
    host.stop();
}

#[test]
fn a_champion_that_spends_its_error_budget_gives_way_and_comes_back_with_a_new_one() {
    let quarantine = "
        [quarantine]
        faults = 1000000
        budget = { faults = '10%', over = '2s', calls = 50 }";
    let models = models("flaky", "10s", quarantine);
    let host = start(&models);
    let mut client = host.client();
    let spent = host.wait_for("the budget is spent", |host| {
        // Every other call faults, never two in a row.
        for x in [-1.0, 7.0] {
            let response = client.infer("e", x).expect("a response");
            assert_eq!(response.status, 200, "{}", response.text());
        }
        host.model("e", "champion").filter(|model| model["state"] == "demoted")
    });
    assert_eq!(spent["budget_left"], 0.0);
    let reason = spent["reason"].as_str().expect("a reason");
    assert!(reason.contains("faulted on 6 of"), "{reason}");
    assert!(reason.contains("calls within 2s (allowed: 10%)"), "{reason}");
    assert_all(&next_calls(&host, 7.0, 20), "second", "preferred");
    // It is asked all the time, and does well.
    host.wait_for("it has its place again", |host| {
        client.infer("e", 7.0).expect("a response");
        host.model("e", "champion").filter(|model| model["state"] == "live")
    });
    host.wait_for_events("e", "champion", "reinstated", 1);
    assert_all(&next_calls(&host, 7.0, 20), "champion", "preferred");
    host.stop();
}

#[test]
fn what_is_no_number_is_a_fault_where_the_operator_says_so() {
    let models = models("nan", "10s", "quarantine = { nan_is_fault = true }");
    let host = start(&models);
    assert_all(&next_calls(&host, 1.0, 7), "second", "preferred-failed");
    let events = host.wait_for_events("e", "champion", "quarantined", 1);
    assert_eq!(reason(&events[0]), "contract: output \"y\": found NaN, expected numbers");
    host.stop();
}

static SLOW: AtomicBool = AtomicBool::new(true);

#[test]
fn a_champion_that_is_late_for_a_while_gives_way_and_gets_its_place_back() {
    let pace = "
        [pace]
        window = '2s'
        requests = 3
        slow_for = '500ms'
        recover_after = '500ms'";
    let models = models("slow-below-zero-900", "400ms", pace);
    let host = start(&models);
    let x = |_| if SLOW.load(Ordering::Relaxed) { -1.0 } else { 7.0 };
    let pause = std::time::Duration::from_millis(20);
    let load = Load::start_with(
        &host,
        "e",
        LoadOptions { callers: 2, pause, x, ..LoadOptions::default() },
    );
    let model = host.wait_for_state("e", "champion", "demoted");
    let events = host.wait_for_events("e", "champion", "demoted", 1);
    assert_eq!(model["reason"], events[0]["reason"]);
    assert!(reason(&events[0]).starts_with("late for "), "{events:?}");
    assert!(reason(&events[0]).contains("requests within 2s (allowed: 50%)"), "{events:?}");
    assert!(model["late_share"].as_f64() > Some(0.5), "{model}");
    assert!(host.log().contains("model demoted"), "{}", host.log());
    let gauge = r#"understudy_model_demoted{endpoint="e",model="champion"}"#;
    assert_eq!(metric(&host, gauge), Some(1.0));
    // Nobody waits for it any more: it is not even the preferred one.
    assert_all(&next_calls(&host, -1.0, 20), "second", "preferred");
    assert!(
        host.client().get("/v2/models/e/versions/champion/ready").expect("a response").status
            == 200
    );
    SLOW.store(false, Ordering::Relaxed);
    host.wait_for_state("e", "champion", "live");
    host.wait_for_events("e", "champion", "reinstated", 1);
    assert_eq!(metric(&host, gauge), Some(0.0));
    host.wait_for("the champion answers again", |host| {
        let calls = next_calls(host, 7.0, 1);
        (calls[0].0.as_deref() == Some("champion")).then_some(())
    });
    let calls = load.finish().calls;
    let first = (calls[0].model(), calls[0].reason());
    assert_all(&[first], "second", "preferred-was-slow");
    host.stop();
}

#[test]
fn the_fallback_never_gives_way_however_late_it_is() {
    let models = Models::new();
    models.install("e", "champion", guest("refuses"));
    models.install("e", "last", guest("slow-below-zero-300"));
    models.manifest("e", "last", "limits = { cpu = '10s', wall = '1min', batch = 1 }");
    models.policy(
        "e",
        "deadline = '100ms'
        limits = { score_grace = '20s' }
        roles = { champion = 'champion', fallback = 'last' }
        policy = { default = { y = [0.5] } }
        pace = { window = '1s', requests = 1, slow_for = '1us' }",
    );
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_live("e", "last");
    let mut client = host.client();
    for _ in 0..10 {
        client.infer("e", -1.0).expect("a response");
    }
    host.wait_for("the fallback has been late", |host| {
        host.model("e", "last").filter(|model| model["predictions"].as_u64() > Some(3))
    });
    assert_eq!(host.model("e", "last").expect("the fallback")["state"], "live");
    host.stop();
}
