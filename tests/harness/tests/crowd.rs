//! Many at once: models, files in a row, shadows that never end. The champion's callers notice nothing.

use std::fs::File;
use std::io::Write as _;

use harness::{Host, Load, LoadOptions, Models, Options, guest, padded};

fn start(models: &Models, config: &str) -> Host {
    let host = Host::start(&models.path(), Options { config: config.into(), data: None });
    host.wait_until_live("e", "champion");
    host
}

#[test]
fn a_hundred_models_that_are_dropped_at_once_all_score() {
    let count = std::env::var("MODELS").ok().and_then(|count| count.parse().ok()).unwrap_or(100);
    let models = Models::with_champion("e", "identity");
    let host = start(&models, "");
    let load = Load::start(&host, "e");
    for number in 0..count {
        models.install("e", &format!("m{number}"), guest(&format!("constant-0.{number}")));
    }
    let asked_once = |model: &serde_json::Value| {
        model["state"] == "live" && model["predictions"].as_u64() > Some(0)
    };
    let status = host.wait_for("every model has scored", |host| {
        let endpoint = host.endpoint("e")?;
        let models = endpoint["models"].as_array()?;
        (models.len() == count + 1 && models.iter().all(asked_once)).then_some(endpoint)
    });
    load.finish().assert_answered_by(&["champion"]);
    let faults = status["models"].as_array().into_iter().flatten().filter(|it| it["faults"] != 0);
    assert_eq!(faults.count(), 0);
    println!("{count} models: the host has {} MiB", host.resident_bytes() >> 20);
    host.stop();
}

#[test]
fn of_many_files_in_a_row_the_last_one_runs() {
    let models = Models::with_champion("e", "identity");
    let host = start(&models, "");
    let load = Load::start(&host, "e");
    for number in 2..60_u8 {
        models.install("e", "champion", guest(&format!("times-{number}")));
    }
    models.install("e", "champion", guest("constant-77"));
    let mut client = host.client();
    host.wait_for("the last one answers", |_| {
        let response = client.infer("e", 1.0).expect("a response");
        (response.y() == Some(77.0)).then_some(())
    });
    load.wait_for_calls(40);
    host.wait_until_live("e", "champion");
    let report = load.finish();
    report.assert_answered_by(&["champion"]);
    assert_eq!(report.calls.last().and_then(|call| call.y()), Some(77.0));
    host.stop();
}

#[test]
fn shadows_that_never_end_hold_up_neither_answers_nor_the_end() {
    let models = Models::with_champion("e", "identity");
    for number in 0..4 {
        let model = format!("endless{number}");
        models.manifest("e", &model, "limits = { cpu = '1s', wall = '1min', batch = 1 }");
        models.install("e", &model, guest("loop-in-predict"));
    }
    models.policy(
        "e",
        "deadline = '20s'
        roles = { champion = 'champion' }
        limits = { queue = 16 }
        quarantine = { consecutive_faults = 1000000, faults = 1000000 }",
    );
    let host = start(&models, "lanes = { shadow_threads = 2 }");
    host.wait_until_settled("e");
    let load = Load::start(&host, "e");
    host.wait_for("the queues of the shadows are full", |host| {
        let dropped = |number: u64| {
            host.model("e", &format!("endless{number}"))?["drops"].as_u64().filter(|&it| it > 0)
        };
        (0..4).all(|number| dropped(number).is_some()).then_some(())
    });
    load.wait_for_calls(100);
    let report = load.finish();
    report.assert_answered_by(&["champion"]);
    let answers = host.stop().topic("e", "answers");
    assert_eq!(answers.len(), report.calls.len());
}

#[test]
fn champions_that_never_end_leave_the_answer_to_the_fallback() {
    let models = Models::new();
    for model in ["first", "second"] {
        models.manifest("e", model, "limits = { cpu = '2s', wall = '1min', batch = 1 }");
        models.install("e", model, guest("loop-in-predict"));
    }
    models.install("e", "fallback", guest("times-2"));
    models.policy(
        "e",
        "deadline = '20s'
        roles = { champion = 'first', challengers = ['second'], fallback = 'fallback' }
        policy = { order = [{ model = 'first', until = '5ms' }, { model = 'second', until = '10ms' }] }
        quarantine = { consecutive_faults = 1000000, faults = 1000000 }",
    );
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_settled("e");
    let load = Load::start_with(&host, "e", LoadOptions { callers: 4, ..LoadOptions::default() });
    load.wait_for_calls(100);
    let report = load.finish();
    report.assert_answered_by(&["fallback"]);
    assert!(report.calls.iter().all(|call| call.y() == Some(2.0 * call.x)));
    let reasons: Vec<_> = report.calls.iter().filter_map(harness::Call::reason).collect();
    assert!(reasons.contains(&"preferred-was-slow".to_owned()), "{reasons:?}");
    host.stop();
}

#[test]
fn without_hints_of_the_system_a_file_that_pauses_is_never_served_half() {
    let models = Models::with_champion("e", "identity");
    let config = "watch = { hints = false, period = '50ms', settle = '50ms', grace = '100ms' }";
    let host = start(&models, config);
    let load = Load::start(&host, "e");
    let old = host.model("e", "champion").expect("the champion")["revision"].clone();
    let large = padded(guest("times-2"), 1 << 20);
    let mut file = File::create(models.file("e", "champion.wasm")).expect("a file to copy to");
    for piece in large.chunks(256 << 10) {
        file.write_all(piece).expect("room for a piece");
        // Now and then it keeps still for so long that it is looked at, and found to be half.
        load.wait_for_calls(100);
    }
    drop(file);
    host.wait_for("the new revision runs", |host| {
        let model = host.model("e", "champion")?;
        (model["revision"] != old && model["reason"].is_null()).then_some(())
    });
    load.wait_for_calls(40);
    host.wait_for("all is well", |host| host.problems().is_empty().then_some(()));
    let report = load.finish();
    report.assert_answered_by(&["champion"]);
    for call in &report.calls {
        let factor = if call.revision().as_deref() == old.as_str() { 1.0 } else { 2.0 };
        assert_eq!(call.y(), Some(call.x * factor));
    }
    let refused = host.topic("e", "events").into_iter().find(|it| it.value["event"] == "refused");
    assert_eq!(refused, None);
    host.stop();
}
