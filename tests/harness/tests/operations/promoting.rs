//! `promote` and `rollback`: who answers, and back.

use std::fs;

use harness::{Load, Models, guest};
use serde_json::Value;

use crate::{RICH, Theatre};

/// What [`RICH`] becomes when `newcomer` is promoted.
const PROMOTED: &str = "\
# What we serve.
deadline = '20s'   # a busy machine takes its time

[roles]
champion = \"newcomer\"   # since spring
challengers = [\"champion\"]

[policy]
order = [
  { model = \"newcomer\", until = '10s' },
  { model = 'champion', until = '10s' },   # the best we have
]
";

#[test]
fn a_promotion_changes_who_answers_and_rollback_restores_the_very_bytes() {
    let theatre = Theatre::new();
    theatre.warm("newcomer");
    assert_eq!(theatre.ask(), "champion");
    let said = theatre.run(&["promote", "e", "newcomer", "--why", "it is better"]);
    let page = said.output();
    assert!(page.starts_with("promote newcomer at e: taken up\n"), "{page}");
    assert!(page.contains("staged -> champion") && page.contains("champion -> challenger"));
    assert!(page.contains("+champion = \"newcomer\"   # since spring"), "{page}");
    assert_eq!(theatre.text("endpoint.toml"), PROMOTED);
    // Whoever calls after the command has returned is answered by the new champion.
    assert_eq!(theatre.ask(), "newcomer");
    let event = &theatre.events("promote")[0];
    let part = |event: &Value, side: &str| event[side]["model"].clone();
    assert_eq!((part(event, "from"), part(event, "to")), ("champion".into(), "newcomer".into()));
    assert_eq!((&event["who"], &event["why"]), (&"local".into(), &"it is better".into()));
    let file = &event["files"][0];
    assert_eq!((&file["before"], &file["after"]), (&RICH.into(), &PROMOTED.into()));
    assert_eq!(theatre.events("policy-changed"), Vec::<Value>::new());

    let page = theatre.run(&["rollback", "e", "--why", "it is not"]);
    assert!(page.output().contains("this undoes the promote by local"), "{}", page.out);
    assert_eq!(theatre.text("endpoint.toml"), RICH);
    assert_eq!(theatre.ask(), "champion");
    let undone = &theatre.events("rollback")[0];
    assert_eq!(undone["undoes"], theatre.events("promote")[0]["offset"]);
    let said = theatre.run(&["rollback", "e"]);
    assert!(said.failure().contains("there is nothing to undo"), "{}", said.error);
    theatre.host.stop();
}

#[test]
fn one_rollback_after_the_other_leads_back_to_the_beginning() {
    let theatre = Theatre::new();
    theatre.warm("newcomer");
    theatre.run(&["promote", "e", "newcomer"]).output();
    theatre.run(&["pause", "e", "champion"]).output();
    theatre.run(&["resume", "e", "champion"]).output();
    theatre.run(&["promote", "e", "champion"]).output();
    for _ in 0..4 {
        theatre.run(&["rollback", "e"]).output();
    }
    assert_eq!(theatre.text("endpoint.toml"), RICH);
    assert!(!theatre.models.file("e", "champion.toml").exists());
    assert!(!theatre.run(&["rollback", "e"]).success);
    theatre.host.stop();
}

#[test]
fn a_dry_run_shows_everything_and_changes_nothing() {
    let theatre = Theatre::new();
    theatre.warm("newcomer");
    let files = theatre.files();
    let events = theatre.history().len();
    let said = theatre.run(&["promote", "e", "newcomer", "--dry-run", "--json"]);
    let document = said.json();
    assert_eq!((&document["outcome"], &document["dry_run"]), (&"dry run".into(), &true.into()));
    assert_eq!(document["files"][0]["after"], PROMOTED);
    let roster = document["roster"].as_array().unwrap();
    let row = roster.iter().find(|row| row["model"] == "newcomer").unwrap();
    assert_eq!(
        (&row["before"]["role"], &row["after"]["role"]),
        (&"staged".into(), &"champion".into())
    );
    assert_eq!(row["after"]["places"][0], "order 1, until 10s");
    for change in [&["retire", "e", "newcomer"][..], &["pause", "e", "newcomer"], &["pause", "e"]] {
        let said = theatre.run(&[change, &["--dry-run"]].concat());
        assert!(said.output().contains("dry run"), "{}", said.out);
    }
    // What would be refused is shown, and is a failure for whoever looks at the status only.
    let said = theatre.run(&["retire", "e", "champion", "--dry-run"]);
    assert!(!said.success && said.out.contains("refused: "), "{}{}", said.out, said.error);
    assert!(said.out.contains("-champion = 'champion'   # since spring"), "{}", said.out);
    assert_eq!(theatre.files(), files);
    assert_eq!(theatre.history().len(), events);
    theatre.host.stop();
}

#[test]
fn a_model_that_should_not_answer_is_promoted_only_by_force() {
    let models = Models::new();
    models.install("e", "champion", guest("times-2"));
    models.install("e", "newcomer", guest("identity"));
    models.install("e", "broken", guest("trap-in-describe"));
    models.install("e", "faulty", guest("trap-in-predict"));
    models.policy("e", RICH);
    let theatre = Theatre::on(models);
    let refused = |model: &str, reason: &str| {
        let said = theatre.run(&["promote", "e", model]);
        assert!(said.failure().contains(reason), "{}", said.error);
        assert!(said.failure().contains("force does it anyway"), "{}", said.error);
        assert_eq!(theatre.text("endpoint.toml"), RICH);
    };
    refused("newcomer", "it was never warmed: no request was there");
    refused("broken", "it is not live: its file was refused");
    theatre.warm("newcomer");
    theatre.host.wait_for("the fault is known", |host| {
        (host.model("e", "faulty")?["faults"].as_u64()? > 0).then_some(())
    });
    refused("faulty", "it faulted ");
    let said = theatre.run(&["promote", "e", "faulty", "--force", "--why", "on purpose"]);
    assert!(said.output().contains("taken up"), "{}", said.out);
    assert!(theatre.text("endpoint.toml").contains("champion = \"faulty\""));
    let forced = theatre.events("promote")[0]["forced"].to_string();
    assert!(forced.contains("it faulted"), "{forced}");
    theatre.host.stop();
}

#[test]
fn names_that_are_not_there_are_answered_with_those_that_are() {
    let theatre = Theatre::new();
    let said = theatre.run(&["promote", "e", "nobody"]);
    let expected = "endpoint `e` has no model `nobody`; known: champion, newcomer";
    assert!(said.failure().ends_with(expected), "{}", said.error);
    let said = theatre.run(&["promote", "f", "newcomer"]);
    assert!(said.failure().ends_with("there is no endpoint `f`; known: e"), "{}", said.error);
    let said = theatre.run(&["promote", "e", "champion"]);
    assert!(said.output().contains("nothing to change"), "{}", said.out);
    assert!(said.output().contains("champion is the champion already"), "{}", said.out);
    assert_eq!(theatre.text("endpoint.toml"), RICH);
    theatre.host.stop();
}

#[test]
fn a_change_by_hand_is_not_undone_unless_forced() {
    let theatre = Theatre::new();
    theatre.warm("newcomer");
    theatre.run(&["promote", "e", "newcomer"]).output();
    let by_hand = PROMOTED.replace("'20s'", "'21s'");
    theatre.models.policy("e", &by_hand);
    theatre.host.wait_for("the hand is noticed", |_| {
        theatre.events("policy-changed").first().map(|event| {
            assert_eq!((&event["who"], event["model"].is_null()), (&"folder".into(), true));
            assert_ne!(event["from"]["digest"], event["to"]["digest"]);
        })
    });
    let said = theatre.run(&["rollback", "e"]);
    assert!(said.failure().contains("endpoint.toml changed since, by somebody else"));
    let said = theatre.run(&["rollback", "e", "--dry-run"]);
    assert!(said.out.contains("-deadline = '21s'"), "{}", said.out);
    assert_eq!(theatre.text("endpoint.toml"), by_hand);
    theatre.run(&["rollback", "e", "--force"]).output();
    assert_eq!(theatre.text("endpoint.toml"), RICH);
    theatre.host.stop();
}

#[test]
fn a_policy_that_is_no_order_is_changed_by_force_in_the_roles_alone() {
    let theatre = Theatre::new();
    theatre.warm("newcomer");
    let split = "deadline = '20s'\n[roles]\nchampion = 'champion'\n[policy]\nkind = 'split'\n\
                 [[policy.arm]]\nweight = 1\nmodel = 'champion'\n";
    theatre.models.policy("e", split);
    theatre.host.wait_for("the split is in force", |_| {
        (!theatre.events("policy-changed").is_empty()).then_some(())
    });
    let said = theatre.run(&["promote", "e", "newcomer"]);
    assert!(said.failure().contains("the policy is no order"), "{}", said.error);
    theatre.run(&["promote", "e", "newcomer", "--force"]).output();
    let expected = split
        .replace("champion = 'champion'", "champion = \"newcomer\"\nchallengers = [\"champion\"]");
    assert_eq!(theatre.text("endpoint.toml"), expected);
    assert!(fs::metadata(theatre.models.file("e", "champion.wasm")).is_ok());
    theatre.host.stop();
}

#[test]
fn callers_notice_nothing_but_who_answers() {
    let theatre = Theatre::new();
    theatre.warm("newcomer");
    let load = Load::start(&theatre.host, "e");
    for _ in 0..3 {
        for arguments in [
            &["promote", "e", "newcomer"][..],
            &["pause", "e", "champion"],
            &["resume", "e", "champion"],
            &["rollback", "e"],
            &["rollback", "e"],
            &["rollback", "e"],
        ] {
            load.wait_for_calls(10);
            theatre.run(arguments).output();
        }
    }
    load.wait_for_calls(10);
    let report = load.finish();
    report.assert_no_failure();
    report.assert_answered_by(&["champion", "newcomer"]);
    assert!(report.answers_of("newcomer") > 0 && report.answers_of("champion") > 0);
    assert_eq!(theatre.text("endpoint.toml"), RICH);
    theatre.host.stop();
}
