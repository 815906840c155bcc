//! `stage` and `retire`: components come and go, and what they replace is kept.

use std::fs;

use harness::guest;
use serde_json::Value;

use crate::{RICH, Theatre, variant};

fn path(theatre: &Theatre, name: &str) -> String {
    theatre.models.beside(name).display().to_string()
}

/// Writes a component beside the models, for a command to read.
fn component(theatre: &Theatre, name: &str, wasm: impl AsRef<[u8]>) -> String {
    let path = path(theatre, name);
    fs::write(&path, wasm).unwrap();
    path
}

fn revision(theatre: &Theatre, model: &str) -> String {
    theatre.host.model("e", model).unwrap()["revision"].as_str().unwrap().to_owned()
}

#[test]
fn a_staged_model_scores_and_answers_nothing() {
    let theatre = Theatre::new();
    theatre.ask();
    let file = component(&theatre, "third.wasm", variant(guest("times-2"), 3));
    let said = theatre.run(&["stage", "e", &file, "--why", "a try"]);
    assert!(said.output().starts_with("stage third at e: taken up\n"), "{}", said.out);
    let model = theatre.host.model("e", "third").unwrap();
    assert_eq!((&model["state"], &model["role"]), (&"live".into(), &"staged".into()));
    assert_eq!(theatre.ask(), "champion");
    let event = &theatre.events("stage")[0];
    assert_eq!((&event["from"], &event["to"]["model"]), (&Value::Null, &"third".into()));
    assert_eq!(event["to"]["revision"], event["files"][0]["after_digest"]);
    // The operator's record is the only one of the change.
    assert_eq!(theatre.events("staged"), Vec::<Value>::new());
    let named = theatre.run(&["stage", "e", &file, "--name", "fourth", "--json"]).json();
    assert_eq!((&named["model"], &named["state"]), (&"fourth".into(), &"live".into()));
    let again = theatre.run(&["stage", "e", &file, "--name", "fourth"]);
    assert!(again.output().contains("nothing to change"), "{}", again.out);
    theatre.host.stop();
}

#[test]
fn what_would_be_refused_never_gets_into_the_folder() {
    let theatre = Theatre::new();
    let files = theatre.files();
    let check = |wasm: &[u8], name: &str, reason: &str| {
        let file = component(&theatre, "bad.wasm", wasm);
        let said = theatre.run(&["stage", "e", &file, "--name", name, "--force"]);
        assert!(said.failure().contains(reason), "{}", said.error);
        assert_eq!(theatre.files(), files);
    };
    check(guest("trap-in-describe").as_ref(), "bad", "cannot describe itself");
    check(guest("imports-http").as_ref(), "bad", "http");
    check(b"no component", "bad", "bad: ");
    check(guest("identity").as_ref(), "a/b", "the name of a model: found \"a/b\"");
    check(guest("identity").as_ref(), "endpoint", "not \"endpoint\"");
    theatre.host.stop();
}

#[test]
fn a_replaced_component_is_kept_and_comes_back() {
    let theatre = Theatre::new();
    theatre.warm("newcomer");
    let (first, old) = (
        fs::read(theatre.models.file("e", "newcomer.wasm")).unwrap(),
        revision(&theatre, "newcomer"),
    );
    let file = component(&theatre, "newcomer.wasm", variant(guest("identity"), 2));
    theatre.run(&["stage", "e", &file]).output();
    let new = revision(&theatre, "newcomer");
    assert_ne!(new, old);
    theatre.run(&["rollback", "e", "newcomer"]).output();
    assert_eq!(revision(&theatre, "newcomer"), old);
    assert_eq!(fs::read(theatre.models.file("e", "newcomer.wasm")).unwrap(), first);
    // The one that was replaced is kept as well.
    theatre.run(&["rollback", "e", "newcomer"]).output();
    assert_eq!(revision(&theatre, "newcomer"), new);
    // And without a model, the last change is undone, components included.
    theatre.run(&["rollback", "e"]).output();
    assert_eq!(revision(&theatre, "newcomer"), old);
    let said = theatre.run(&["rollback", "e", "champion"]);
    assert!(said.failure().contains("no other artefact of champion is kept"), "{}", said.error);
    theatre.host.stop();
}

#[test]
fn only_the_latest_components_are_kept() {
    let theatre = Theatre::new();
    for number in 0..8 {
        let file = component(&theatre, "newcomer.wasm", variant(guest("identity"), number));
        theatre.run(&["stage", "e", &file]).output();
    }
    let kept = fs::read_dir(theatre.models.file("e", ".history").join("newcomer")).unwrap();
    assert_eq!(kept.count(), 5);
    theatre.host.stop();
}

#[test]
fn a_retired_model_is_gone_and_can_come_back_with_its_manifest() {
    let theatre = Theatre::new();
    theatre.models.manifest("e", "newcomer", "# ours\n[labels]\nowner = 'us'\n");
    theatre.warm("newcomer");
    theatre.run(&["promote", "e", "newcomer"]).output();
    let with_both = theatre.text("endpoint.toml");
    let said = theatre.run(&["retire", "e", "newcomer"]);
    assert!(said.failure().contains("it is the champion"), "{}", said.error);
    theatre.run(&["promote", "e", "champion"]).output();
    let said = theatre.run(&["retire", "e", "newcomer", "--why", "no better"]);
    assert!(said.output().contains("taken up"), "{}", said.out);
    assert!(theatre.host.model("e", "newcomer").is_none());
    let text = theatre.text("endpoint.toml");
    assert!(!text.contains("newcomer") && text.contains("# since spring"), "{text}");
    assert!(!theatre.models.file("e", "newcomer.wasm").exists());
    assert!(!theatre.models.file("e", "newcomer.toml").exists());
    assert_eq!(theatre.events("removed"), Vec::<Value>::new());
    assert_eq!(theatre.ask(), "champion");
    theatre.run(&["rollback", "e", "newcomer"]).output();
    assert_eq!(theatre.text("newcomer.toml"), "# ours\n[labels]\nowner = 'us'\n");
    assert_eq!(theatre.host.model("e", "newcomer").unwrap()["role"], "staged");
    // The three changes before it, one after the other.
    for _ in 0..3 {
        theatre.run(&["rollback", "e"]).output();
    }
    assert_eq!(theatre.text("endpoint.toml"), with_both);
    theatre.host.stop();
}

#[test]
fn the_last_model_that_could_answer_is_retired_only_by_force() {
    let theatre = Theatre::new();
    let alone = "deadline = '20s'\n[policy]\norder = [{ model = 'champion' }] # alone\n";
    theatre.models.policy("e", alone);
    theatre.host.wait_for("the policy is in force", |_| {
        (!theatre.events("policy-changed").is_empty()).then_some(())
    });
    let said = theatre.run(&["retire", "e", "champion"]);
    assert!(said.failure().contains("no other model could answer"), "{}", said.error);
    assert_ne!(theatre.text("endpoint.toml"), RICH);
    theatre.run(&["retire", "e", "champion", "--force"]).output();
    assert_eq!(theatre.text("endpoint.toml"), alone.replace("{ model = 'champion' }", ""));
    theatre.host.stop();
}
