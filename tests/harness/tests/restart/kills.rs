//! Kill -9 at random moments, with calls and records flowing.

use std::path::Path;

use harness::{Host, Models, Options, understudy, wait};

use crate::ledger::Ledger;
use crate::random::{Random, number_from_env, seed};
use crate::traffic::{Told, Traffic};

/// Between two kills up to so many calls and batches go well.
const BETWEEN_KILLS: u64 = 400;
/// One endpoint for each way to bring records to the disk.
const ENDPOINTS: [(&str, &str); 3] = [("lazy", "none"), ("soon", "50ms"), ("at-once", "each")];

#[test]
fn nothing_accepted_goes_unanswered_and_no_id_gets_two_answers() {
    let (seed, kills) = (seed(), number_from_env("KILLS").unwrap_or(8));
    println!("SEED={seed} KILLS={kills}");
    let mut random = Random::new(seed);
    let models = models();
    let names = ENDPOINTS.map(|(name, _)| name);
    let mut host = Host::start(&models.path(), Options::default());
    let data = host.data();
    let mut ledgers = names.map(|name| Ledger::read(&data, name));
    let traffic = Traffic::start(host.rest(), &names, seed);
    for _ in 0..kills {
        // None at all is a kill while the host starts.
        traffic.wait_for(random.below(BETWEEN_KILLS));
        let dead = host.kill_hard();
        ledgers.iter_mut().for_each(Ledger::read_on);
        host = dead.start();
        traffic.move_to(host.rest());
        ledgers.iter_mut().for_each(|ledger| wait_until_answered(&host, ledger));
    }
    let told = traffic.finish();
    let _stopped = host.stop();
    for (name, ledger) in names.into_iter().zip(&mut ledgers) {
        ledger.read_on();
        println!("{name}: {} accepted, {:?}", ledger.accepted().len(), ledger.reasons());
        assert!(ledger.unanswered().is_empty(), "never answered: {:?}", ledger.unanswered());
        let told = told.iter().filter(|told| told.endpoint == name);
        told.for_each(|told| assert_true(told, ledger));
    }
    assert_log_is_sound(&data);
}

fn models() -> Models {
    let models = Models::new();
    for (name, fsync) in ENDPOINTS {
        let policy = format!(
            r#"
            deadline = "10s"
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
        );
        models.policy(name, &policy);
        models.install(name, "champion", harness::guest("times-2"));
    }
    models
}

/// Waits until everything that a dead host had accepted is answered.
fn wait_until_answered(host: &Host, ledger: &mut Ledger) {
    let left = ledger.unanswered().clone();
    wait::until(
        "what a dead host had accepted is answered",
        || format!("{:#}\n{}", host.status(), host.log()),
        || {
            ledger.read_on();
            left.iter().all(|id| ledger.has_answered(id)).then_some(())
        },
    );
}

/// Asserts that what the hosts have said is what the topics say.
fn assert_true(told: &Told, ledger: &Ledger) {
    assert!(!told.answers.is_empty(), "{}: somebody never got an answer", told.endpoint);
    for (id, document) in &told.answers {
        assert_eq!(ledger.answer(id), document, "{id} was told another answer");
    }
    for id in &told.kept {
        assert!(ledger.has_accepted(id), "{id} was acknowledged, and is lost");
    }
}

fn assert_log_is_sound(data: &Path) {
    let data = data.to_str().expect("a folder with a plain name");
    let output = understudy(["log", "verify", "--data", data]);
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "the log is damaged:\n{report}");
}
