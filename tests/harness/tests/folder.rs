//! What an operator does to the folder while callers call: nobody of them notices more than another answer.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use harness::{Host, Load, LoadOptions, LoadReport, Models, Options, guest, padded};

/// Looks often, and calls a file still after a tenth of a second.
const CONFIG: &str = "watch = { period = '200ms', settle = '100ms', grace = '100ms' }";
const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

fn start(models: &Models) -> Host {
    Host::start(&models.path(), Options { config: CONFIG.into(), data: None })
}

/// A host whose endpoint `e` has the champion `champion` and nothing else, with callers.
fn start_with_champion(guest: &str) -> (Models, Host, Load) {
    let models = Models::with_champion("e", guest);
    let host = start(&models);
    host.wait_until_live("e", "champion");
    let load = Load::start(&host, "e");
    (models, host, load)
}

fn revision(host: &Host, model: &str) -> String {
    let model = host.model("e", model).expect("a model");
    model["revision"].as_str().expect("a revision").to_owned()
}

/// Asserts that the champion answered each call with `x` times the factor of the revision that answered, and that who
/// called after somebody had got an answer of a revision got one of that revision or of a newer one.
fn assert_one_after_the_other(report: &LoadReport, factors: &[(&str, f64)]) {
    report.assert_answered_by(&["champion"]);
    let mut told = Vec::new();
    for call in &report.calls {
        let revision = call.revision();
        let place = factors.iter().position(|(name, _)| Some(*name) == revision.as_deref());
        let place = place.unwrap_or_else(|| panic!("an answer of {revision:?}"));
        assert_eq!(call.y(), Some(call.x * factors[place].1), "by {revision:?}");
        told.push((call.at, call.at + call.latency, place));
    }
    for (at, _, place) in &told {
        let stale = told.iter().find(|(_, until, newer)| until < at && newer > place);
        assert_eq!(stale, None, "an old revision answered at {at:?}");
    }
    assert!(told.iter().any(|(_, _, place)| place + 1 == factors.len()), "{factors:?}");
}

#[test]
fn a_slow_copy_of_a_large_module_is_never_served_half() {
    let (models, host, load) = start_with_champion("identity");
    let old = revision(&host, "champion");
    let large = padded(guest("times-2"), 8 * MIB);
    let mut file = File::create(models.file("e", "champion.wasm")).expect("a file to copy to");
    for (index, piece) in large.chunks(64 * KIB).enumerate() {
        file.write_all(piece).expect("room for a piece");
        // Once the copy rests for longer than a file has to be still.
        load.wait_for_calls(if index == 64 { 400 } else { 4 });
        assert_eq!(revision(&host, "champion"), old);
    }
    drop(file);
    host.wait_for("the new revision is live", |host| {
        let model = host.model("e", "champion")?;
        (model["revision"] != old.as_str() && model["reason"].is_null()).then_some(())
    });
    load.wait_for_calls(40);
    let new = revision(&host, "champion");
    assert_one_after_the_other(&load.finish(), &[(&old, 1.0), (&new, 2.0)]);
    let events = host.topic("e", "events");
    let refused = events.iter().find(|event| event.value["event"] == "refused");
    assert_eq!(refused, None);
    host.stop();
}

#[test]
fn a_corrupt_file_is_refused_and_a_good_one_in_its_place_needs_no_restart() {
    let (models, host, load) = start_with_champion("identity");
    let good = guest("times-2");
    models.install("e", "new", &good[..good.len() / 2]);
    host.wait_for_problem(&["new.wasm"]);
    load.wait_for_calls(40);
    assert_eq!(host.model("e", "new"), None);
    models.install("e", "new", &good);
    host.wait_until_live("e", "new");
    host.wait_for("the problem has gone", |host| host.problems().is_empty().then_some(()));
    load.wait_for_calls(40);
    load.finish().assert_answered_by(&["champion"]);
    host.stop();
}

#[test]
fn a_bad_revision_of_a_running_model_changes_nothing_and_says_why() {
    let (models, host, load) = start_with_champion("identity");
    let old = revision(&host, "champion");
    models.install("e", "champion", b"this is no component");
    host.wait_for_problem(&["champion.wasm", "expected"]);
    load.wait_for_calls(40);
    models.install("e", "champion", guest("trap-in-describe"));
    let model = host.wait_for("the refusal is there", |host| {
        let refused = |reason: &str| reason.contains("refused: ");
        host.model("e", "champion").filter(|it| it["reason"].as_str().is_some_and(refused))
    });
    assert_eq!(model["state"], "live");
    let reason = model["reason"].as_str().expect("a reason");
    assert!(reason.contains("refused: the model cannot describe itself"), "{reason}");
    load.wait_for_calls(40);
    assert_one_after_the_other(&load.finish(), &[(&old, 1.0)]);
    host.stop();
}

#[test]
fn a_revision_that_breaks_after_it_went_live_is_rolled_back_by_itself() {
    let models = Models::with_champion("e", "identity");
    models.install("e", "fallback", guest("times-2"));
    models.policy(
        "e",
        "deadline = '20s'
        warm_up_requests = 0
        roles = { champion = 'champion', fallback = 'fallback' }",
    );
    let host = start(&models);
    let old = host.wait_until_live("e", "champion")["revision"].clone();
    host.wait_until_live("e", "fallback");
    // The new revision traps where x is -1.
    let options = LoadOptions { x: |_| -1.0, ..LoadOptions::default() };
    let load = Load::start_with(&host, "e", options);
    load.wait_for_calls(40);
    models.install("e", "champion", guest("flaky"));
    let events = host.wait_for_events("e", "champion", "rolled-back", 1);
    assert!(events[0]["reason"].as_str().is_some_and(|why| why.starts_with("panic: ")));
    let model = host.model("e", "champion").expect("the champion");
    assert_eq!((&model["state"], &model["revision"]), (&"live".into(), &old));
    let reason = model["reason"].as_str().expect("a reason");
    assert!(reason.contains("rolled back: panic"), "{reason}");
    load.wait_for_calls(40);
    let report = load.finish();
    report.assert_answered_by(&["champion", "fallback"]);
    assert_eq!(report.calls.last().and_then(|call| call.model()).as_deref(), Some("champion"));
    assert!(report.answers_of("fallback") >= 1, "nobody stepped in");
    host.stop();
}

/// An endpoint whose champion refuses everything, so that the fallback has to answer.
fn models_with_a_needed_fallback(fallback: &str) -> Models {
    let models = Models::with_champion("e", "refuses");
    models.install("e", "fallback", guest(fallback));
    models.policy(
        "e",
        "deadline = '20s'
        warm_up_requests = 0
        roles = { champion = 'champion', fallback = 'fallback' }
        policy = { default = { y = [0.5] } }",
    );
    models
}

#[test]
fn a_fallback_that_breaks_after_it_went_live_is_rolled_back_as_well() {
    let models = models_with_a_needed_fallback("times-2");
    let host = start(&models);
    host.wait_until_live("e", "champion");
    let old = host.wait_until_live("e", "fallback")["revision"].clone();
    let load = Load::start(&host, "e");
    load.wait_for_calls(40);
    models.install("e", "fallback", guest("trap-in-predict"));
    host.wait_for_events("e", "fallback", "rolled-back", 1);
    let model = host.wait_for_state("e", "fallback", "live");
    assert_eq!(model["revision"], old);
    load.wait_for_calls(40);
    let report = load.finish();
    report.assert_answered_by(&["fallback", "default"]);
    assert_eq!(report.calls.last().and_then(|call| call.model()).as_deref(), Some("fallback"));
    host.stop();
}

#[test]
fn a_fallback_with_nobody_behind_it_is_never_set_aside() {
    let models = models_with_a_needed_fallback("flaky");
    let host = start(&models);
    host.wait_until_live("e", "champion");
    host.wait_until_live("e", "fallback");
    // Nine in ten break it.
    let x = |number| if number % 10 == 0 { 7.0 } else { -1.0 };
    let options = LoadOptions { callers: 1, x, ..LoadOptions::default() };
    let load = Load::start_with(&host, "e", options);
    load.wait_for_calls(100);
    let report = load.finish();
    for call in &report.calls {
        let expected = if call.x > 0.0 { ("fallback", 7.0) } else { ("default", 0.5) };
        assert_eq!((call.model().as_deref(), call.y()), (Some(expected.0), Some(expected.1)));
    }
    assert_eq!(host.model("e", "fallback").expect("the fallback")["state"], "live");
    host.stop();
}

static BROKEN: AtomicBool = AtomicBool::new(true);

#[test]
fn of_two_bad_revisions_in_a_row_each_is_rolled_back_to_the_good_one() {
    let (models, host, load) = start_with_champion("identity");
    models.policy("e", &format!("warm_up_requests = 0\n{}", policy_of("champion")));
    let old = revision(&host, "champion");
    for (count, bad) in ["trap-in-predict", "out-of-bounds", "trap-in-predict"].iter().enumerate() {
        models.install("e", "champion", guest(bad));
        host.wait_for_events("e", "champion", "rolled-back", count + 1);
        host.wait_for("the good one is back", |host| {
            (revision(host, "champion") == old).then_some(())
        });
    }
    load.wait_for_calls(40);
    let report = load.finish();
    assert_eq!(report.calls.last().and_then(|call| call.y()), report.calls.last().map(|it| it.x));
    host.stop();
}

#[test]
fn a_model_in_quarantine_is_probed_after_ever_longer_rests_and_recovers() {
    let models = Models::with_champion("e", "flaky");
    models.install("e", "fallback", guest("times-2"));
    models.policy(
        "e",
        "deadline = '20s'
        warm_up_requests = 0
        roles = { champion = 'champion', fallback = 'fallback' }
        quarantine = { backoff_first = '100ms', backoff_longest = '10s' }",
    );
    let host = start(&models);
    host.wait_until_live("e", "champion");
    host.wait_until_live("e", "fallback");
    let x = |_| if BROKEN.load(Ordering::Relaxed) { -1.0 } else { 7.0 };
    let load = Load::start_with(&host, "e", LoadOptions { x, ..LoadOptions::default() });
    let events = host.wait_for_events("e", "champion", "quarantined", 3);
    let times_us: Vec<_> = events.iter().filter_map(|event| event["time_us"].as_u64()).collect();
    assert!(times_us[1] - times_us[0] >= 100_000, "{times_us:?}");
    assert!(times_us[2] - times_us[1] >= 200_000, "{times_us:?}");
    BROKEN.store(false, Ordering::Relaxed);
    host.wait_for_events("e", "champion", "recovered", 1);
    host.wait_until_live("e", "champion");
    load.wait_for_calls(40);
    let report = load.finish();
    report.assert_answered_by(&["champion", "fallback"]);
    assert_eq!(report.calls.last().and_then(|call| call.model()).as_deref(), Some("champion"));
    host.stop();
}

/// A policy whose champion is this model, of two that are there.
fn policy_of(champion: &str) -> String {
    format!("deadline = '20s'\nroles = {{ champion = '{champion}' }}\n")
}

fn wait_for_role(host: &Host, model: &str, role: &str) {
    host.wait_for(&format!("{model} is {role}"), |host| {
        host.model("e", model).filter(|model| model["role"] == role)
    });
}

#[test]
fn the_policy_can_be_edited_while_callers_call() {
    let models = Models::new();
    models.install("e", "one", guest("identity"));
    models.install("e", "two", guest("times-2"));
    models.policy("e", &policy_of("one"));
    let host = start(&models);
    host.wait_until_live("e", "one");
    host.wait_until_live("e", "two");
    let load = Load::start(&host, "e");
    for champion in ["two", "one"].into_iter().cycle().take(41) {
        models.policy("e", &policy_of(champion));
        wait_for_role(&host, champion, "champion");
        load.wait_for_calls(8);
    }
    let changed = load.next_number();
    load.wait_for_calls(40);
    let report = load.finish();
    report.assert_answered_by(&["one", "two"]);
    for call in &report.calls {
        let factor = if call.model().as_deref() == Some("one") { 1.0 } else { 2.0 };
        assert_eq!(call.y(), Some(call.x * factor), "by {:?}", call.model());
    }
    let late = report.calls.iter().filter(|call| call.number >= changed);
    assert!(late.clone().count() > 0);
    assert!(late.clone().all(|call| call.model().as_deref() == Some("two")));
    assert!(report.answers_of("one") > 0);
    host.stop();
}

#[test]
fn a_policy_waits_until_the_model_that_it_promotes_can_answer() {
    let (models, host, load) = start_with_champion("identity");
    let mut last = "champion".to_owned();
    for number in 2..12_u8 {
        // Never compiled before, so that it takes a while.
        let next = format!("times-{number}");
        models.install("e", &next, guest(&next));
        models.policy("e", &policy_of(&next));
        models.remove("e", &last);
        wait_for_role(&host, &next, "champion");
        host.wait_for("the old one is gone", |host| host.model("e", &last).is_none().then_some(()));
        load.wait_for_calls(4);
        last = next;
    }
    let report = load.finish();
    report.assert_no_failure();
    for call in &report.calls {
        let model = call.model().expect("a model");
        let factor = model.strip_prefix("times-").map_or(1.0, |n| n.parse().expect("a number"));
        assert_eq!(call.y(), Some(call.x * factor), "by {model}");
    }
    host.stop();
}

#[test]
fn a_policy_that_promotes_a_model_that_is_refused_does_not_take_hold() {
    let (models, host, load) = start_with_champion("identity");
    models.install("e", "new", guest("trap-in-describe"));
    models.policy("e", &policy_of("new"));
    let model = host.wait_for_state("e", "new", "refused");
    let reason = model["reason"].as_str().expect("a reason");
    assert!(reason.ends_with("the policy that names it waits"), "{reason}");
    load.wait_for_calls(40);
    assert_eq!(host.model("e", "champion").expect("the champion")["role"], "champion");
    models.install("e", "new", guest("times-2"));
    wait_for_role(&host, "new", "champion");
    load.wait_for_calls(40);
    let report = load.finish();
    report.assert_answered_by(&["champion", "new"]);
    assert_eq!(report.calls.last().and_then(|call| call.model()).as_deref(), Some("new"));
    host.stop();
}

#[test]
fn a_policy_with_a_mistake_is_refused_with_its_line_and_the_old_one_stays() {
    let (models, host, load) = start_with_champion("identity");
    models.install("e", "other", guest("times-2"));
    host.wait_until_live("e", "other");
    for (toml, words) in [
        ("deadline = '20s'\n[roles]\nchampion = 'nobody'\n", ["endpoint.toml:3", "nobody"]),
        ("[roles]\nchampion = 'other\n", ["endpoint.toml:2", "expected"]),
        ("[roles]\nchampion = 'other'\n[policy]\nkind = 'dice'\n", ["endpoint.toml:4", "dice"]),
        ("deadline = 20\n[roles]\nchampion = 'other'\n", ["endpoint.toml:1", "deadline"]),
        ("[roles]\nchampion = 'other'\ncolour = 'red'\n", ["endpoint.toml:3", "colour"]),
    ] {
        models.policy("e", toml);
        host.wait_for_problem(&words);
        assert_eq!(host.model("e", "champion").expect("the champion")["role"], "champion");
        load.wait_for_calls(8);
    }
    models.policy("e", &policy_of("other"));
    wait_for_role(&host, "other", "champion");
    assert_eq!(host.problems(), Vec::<String>::new());
    let switched = load.next_number();
    load.wait_for_calls(40);
    let report = load.finish();
    report.assert_answered_by(&["champion", "other"]);
    let late = report.calls.iter().filter(|call| call.number >= switched);
    assert!(late.clone().all(|call| call.model().as_deref() == Some("other")));
    host.stop();
}

#[test]
fn a_folder_that_is_unmounted_and_mounted_again_is_not_missed() {
    let (models, host, load) = start_with_champion("identity");
    let away = models.beside("away");
    fs::rename(models.path(), &away).expect("a folder that goes");
    host.wait_for("the folder is missed", |host| host.problems().into_iter().next());
    load.wait_for_calls(200);
    fs::create_dir(models.path()).expect("an empty mount point");
    host.wait_for_problem(&["unmounted"]);
    load.wait_for_calls(200);
    fs::remove_dir(models.path()).expect("an empty mount point");
    fs::rename(&away, models.path()).expect("a folder that comes back");
    host.wait_for("all is well", |host| host.problems().is_empty().then_some(()));
    models.install("e", "new", guest("times-2"));
    host.wait_until_live("e", "new");
    load.wait_for_calls(40);
    load.finish().assert_answered_by(&["champion"]);
    host.stop();
}

#[test]
fn a_folder_that_is_swapped_by_a_link_changes_as_a_whole() {
    let models = Models::new();
    let path = models.path();
    let version = |name: &str, guest_name: &str, model: &str| {
        let folder = path.join(name);
        fs::create_dir(&folder).expect("a version");
        let wasm = folder.join(format!("{model}.wasm"));
        fs::write(wasm, guest(guest_name)).expect("a model");
        fs::write(folder.join("endpoint.toml"), policy_of(model)).expect("a policy");
    };
    version("..first", "identity", "one");
    version("..second", "times-2", "two");
    symlink("..first", path.join("..data")).expect("a link");
    symlink("..data", path.join("e")).expect("a link");
    let host = start(&models);
    host.wait_until_live("e", "one");
    let load = Load::start(&host, "e");
    symlink("..second", path.join("..new")).expect("a link");
    fs::rename(path.join("..new"), path.join("..data")).expect("a link in the place of another");
    host.wait_until_live("e", "two");
    wait_for_role(&host, "two", "champion");
    load.wait_for_calls(40);
    let report = load.finish();
    report.assert_no_failure();
    assert!(report.calls.iter().all(|call| {
        let factor = if call.model().as_deref() == Some("one") { 1.0 } else { 2.0 };
        call.y() == Some(call.x * factor)
    }));
    assert_eq!(report.calls.last().and_then(|call| call.model()).as_deref(), Some("two"));
    host.stop();
}

#[test]
fn a_model_that_the_policy_names_cannot_be_deleted_by_mistake() {
    let (models, host, load) = start_with_champion("identity");
    models.remove("e", "champion");
    host.wait_for_problem(&["champion.wasm", "the revision that was there stays"]);
    load.wait_for_calls(40);
    models.install("e", "champion", guest("identity"));
    host.wait_for("all is well", |host| host.problems().is_empty().then_some(()));
    load.finish().assert_answered_by(&["champion"]);
    host.stop();
}

#[test]
fn endpoints_come_and_go_while_another_answers() {
    let (models, host, load) = start_with_champion("identity");
    models.install("acme/fraud", "constant", guest("constant-0.25"));
    models.policy("acme/fraud", "deadline = '20s'\nroles = { champion = 'constant' }\n");
    host.wait_until_live("acme/fraud", "constant");
    let mut client = host.client();
    let path = "/v2/models/acme%2Ffraud/infer";
    let response = client.post(path, harness::infer_body("7", 1.0)).expect("a response");
    assert_eq!((response.status, response.y()), (200, Some(0.25)), "{}", response.text());
    fs::remove_dir_all(models.path().join("acme")).expect("a tenant to remove");
    host.wait_for("the endpoint is gone", |host| {
        host.endpoint("acme/fraud").is_none().then_some(())
    });
    let response = client.post(path, harness::infer_body("8", 1.0)).expect("a response");
    assert_eq!(response.status, 404, "{}", response.text());
    assert!(response.error().is_some_and(|error| error.contains("known: e")));
    load.wait_for_calls(40);
    load.finish().assert_answered_by(&["champion"]);
    host.stop();
}

#[test]
fn five_shadows_score_everything_and_answer_nothing() {
    const SHADOWS: [(&str, &str); 5] = [
        ("times", "times-3"),
        ("constant", "constant-0.25"),
        ("noted", "noted"),
        ("slow", "slow-5"),
        ("memory", "memory-16"),
    ];
    let models = Models::with_champion("e", "identity");
    // A shadow may be late by much on a busy machine, and is waited for.
    models.policy("e", &format!("limits = {{ score_grace = '1h' }}\n{}", policy_of("champion")));
    for (model, name) in SHADOWS {
        models.install("e", model, guest(name));
        models.manifest("e", model, "limits = { cpu = '1s' }");
    }
    let host = start(&models);
    host.wait_until_settled("e");
    let load = Load::start(&host, "e");
    load.wait_for_calls(400);
    let report = load.finish();
    report.assert_answered_by(&["champion"]);
    assert!(report.calls.iter().all(|call| call.y() == Some(call.x)));
    let asked = report.calls.len() as u64;
    for (model, _) in SHADOWS {
        host.wait_for(&format!("{model} has scored everything"), |host| {
            let report = host.model("e", model)?;
            let count = |name: &str| report[name].as_u64().unwrap_or(0);
            (count("predictions") + count("drops") == asked).then_some(())
        });
    }
    let dropped: u64 =
        SHADOWS.iter().filter_map(|(model, _)| host.model("e", model)?["drops"].as_u64()).sum();
    let stopped = host.stop();
    let answers = stopped.topic("e", "answers");
    assert_eq!(answers.len() as u64, asked);
    assert!(answers.iter().all(|answer| {
        answer.value["model_version"]
            .as_str()
            .is_some_and(|version| version.starts_with("champion@"))
    }));
    assert_eq!(stopped.topic("e", "scores").len() as u64, 6 * asked - dropped);
}

#[test]
fn a_thousand_swaps_lose_no_request_and_leak_no_memory() {
    let swaps = std::env::var("SWAPS").ok().and_then(|swaps| swaps.parse().ok()).unwrap_or(1_000);
    let settled_after = swaps / 5;
    let (models, host, load) = start_with_champion("identity");
    let guests = [guest("times-2"), guest("identity")];
    let mut current = revision(&host, "champion");
    let mut resident_bytes = 0;
    for swap in 0..swaps {
        models.install("e", "champion", &guests[swap % 2]);
        current = host.wait_for(&format!("swap {swap} is done"), |host| {
            let found = revision(host, "champion");
            (found != current).then_some(found)
        });
        if swap == settled_after {
            resident_bytes = host.resident_bytes();
        }
    }
    let grown_bytes = host.resident_bytes().saturating_sub(resident_bytes);
    let report = load.finish();
    report.assert_answered_by(&["champion"]);
    let wrong = report.calls.iter().find(|call| {
        let y = call.y();
        y != Some(call.x) && y != Some(2.0 * call.x)
    });
    assert_eq!(wrong, None);
    let events = host.topic("e", "events");
    let lives = events.iter().filter(|event| event.value["event"] == "live").count();
    assert_eq!(lives, swaps + 1);
    println!(
        "{swaps} swaps beside {} calls: {} MiB after {settled_after}, {} KiB more at the end",
        report.calls.len(),
        resident_bytes >> 20,
        grown_bytes >> 10
    );
    assert!(grown_bytes < 24 << 20, "memory grew by {} MiB", grown_bytes >> 20);
    host.stop();
}
