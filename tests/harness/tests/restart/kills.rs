//! Kill -9 at random moments, with calls and records flowing.

use std::collections::BTreeMap;
use std::path::Path;

use harness::{Host, Models, Random, count_from_env, eventually, seed_from_env, understudy};

use crate::ledger::Ledger;
use crate::traffic::{Told, Traffic};

/// Between two kills there are up to so many calls and batches that went well.
const BETWEEN_KILLS: u64 = 400;
/// One endpoint for each way to bring records to the disk.
const ENDPOINTS: [(&str, &str); 3] = [("when-it-likes", "none"), ("soon", "50ms"), ("at-once", "each")];

#[test]
fn nothing_accepted_goes_unanswered_and_no_id_gets_two_answers() {
    let seed = seed_from_env("SEED");
    let kills = count_from_env("KILLS", 8);
    println!("SEED={seed} KILLS={kills}");
    let mut random = Random::new(seed);
    let models = Models::new();
    for (endpoint, fsync) in ENDPOINTS {
        models.policy(endpoint, &policy(fsync));
        models.install(endpoint, "champion", "times-2");
    }
    let endpoints = ENDPOINTS.map(|(endpoint, _)| endpoint);
    let mut host = Host::start(&models);
    let traffic = Traffic::start(host.rest(), &endpoints, seed);
    for _ in 0..kills {
        // None at all is a kill while the host starts.
        traffic.wait_for(random.below(BETWEEN_KILLS));
        host.kill_hard();
        let left = endpoints.map(|endpoint| (endpoint, Ledger::read(host.data(), endpoint)));
        left.iter().for_each(|(_, ledger)| ledger.assert_each_answered_at_most_once());
        host.restart();
        traffic.move_to(host.rest());
        left.iter().for_each(|(endpoint, ledger)| wait_until_answered(&host, endpoint, ledger));
    }
    let told = traffic.finish();
    host.stop();
    let ledgers: BTreeMap<_, _> =
        endpoints.into_iter().map(|it| (it, Ledger::read(host.data(), it))).collect();
    for (endpoint, ledger) in &ledgers {
        println!("{endpoint}: {} accepted, {:?}", ledger.accepted().count(), ledger.reasons());
        ledger.assert_each_answered_once();
    }
    told.iter().for_each(|told| assert_true(told, &ledgers[told.endpoint]));
    assert_log_is_sound(host.data());
}

fn policy(fsync: &str) -> String {
    format!(
        r#"
        deadline = "5s"
        [roles]
        champion = "champion"
        [policy]
        kind = "preference"
        order = [{{ model = "champion" }}]
        default = {{ y = [-1.0] }}
        [stream]
        fsync = "{fsync}"
        segment = "256KiB"
        "#
    )
}

/// Waits until everything that a dead host had accepted is answered.
fn wait_until_answered(host: &Host, endpoint: &str, left: &Ledger) {
    eventually(&format!("{endpoint}: everything accepted is answered"), || {
        let now = Ledger::read(host.data(), endpoint);
        now.assert_each_answered_at_most_once();
        left.accepted().all(|id| now.has_answered(id))
    });
}

/// Asserts that what the hosts have said is what the topics say.
fn assert_true(told: &Told, ledger: &Ledger) {
    assert!(!told.answers.is_empty(), "{}: somebody never got an answer", told.endpoint);
    for (id, document) in &told.answers {
        assert_eq!(ledger.answer(id).document, document, "{id} was told another answer");
    }
    for id in &told.kept {
        assert!(ledger.has_accepted(id), "{id} was acknowledged, and is lost");
    }
}

fn assert_log_is_sound(data: &Path) {
    let output = understudy(["log", "verify", "--data", data.to_str().unwrap()]);
    let (out, error) = (output.stdout(), output.stderr());
    assert!(output.success(), "the log is damaged:\n{out}{error}");
}
