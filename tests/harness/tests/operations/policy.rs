//! `policy`, `models` and `history`.

use std::fs;

use harness::{Models, guest};
use serde_json::Value;

use crate::{RICH, Theatre};

fn write(theatre: &Theatre, text: &str) -> String {
    let path = theatre.models.beside("policy.toml");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn a_policy_is_shown_compared_and_set_with_all_else_kept() {
    let theatre = Theatre::new();
    theatre.warm("newcomer");
    let shown = theatre.run(&["policy", "show", "e"]);
    let (rest, policy) = RICH.split_once("\n[roles]").unwrap();
    assert_eq!(shown.output(), format!("[roles]{policy}"));
    let wanted = "[policy]\norder = [{ model = 'newcomer' }, { model = 'champion' }] # new first\n";
    let file = write(&theatre, wanted);
    let diff = theatre.run(&["policy", "diff", "e", &file]);
    assert!(diff.output().contains("+order = [{ model = 'newcomer' }"), "{}", diff.out);
    assert!(diff.output().contains("- -> order 1"), "{}", diff.out);
    assert_eq!(theatre.text("endpoint.toml"), RICH);
    theatre.run(&["policy", "set", "e", &file, "--why", "the newcomer is good"]).output();
    let text = theatre.text("endpoint.toml");
    let roles = "\n[roles]\nchampion = 'champion'   # since spring\n\n";
    assert_eq!(text, format!("{rest}{roles}{wanted}"));
    assert_eq!(theatre.ask(), "newcomer");
    // What is shown can be set again, and changes nothing.
    let shown = theatre.run(&["policy", "show", "e"]).out;
    let said = theatre.run(&["policy", "set", "e", &write(&theatre, &shown)]);
    assert!(said.output().contains("nothing to change"), "{}", said.out);
    theatre.host.stop();
}

#[test]
fn a_policy_that_a_scan_would_refuse_is_refused_with_its_line() {
    let theatre = Theatre::new();
    let check = |text: &str, reason: &str| {
        let said = theatre.run(&["policy", "set", "e", &write(&theatre, text), "--force"]);
        assert!(said.failure().contains(reason), "{}", said.error);
        assert_eq!(theatre.text("endpoint.toml"), RICH);
    };
    check("[policy]\norder = [{ model = 'newcommer' }]\n", "did you mean \"newcomer\"?");
    check("[policy]\n\norder = [{ model = 'nobody' }]\n", "endpoint.toml:9: policy.order[0].model");
    check("[policy]\nordr = []\n", "policy.ordr: found an unknown key");
    check("deadline = '1s'\n", "found the key \"deadline\", expected only \"policy\"");
    check("[policy\n", "the policy:1: found text that is not TOML");
    check("[[route]]\nwhen = 'key =='\nmodel = 'champion'\n", "route[0].when");
    theatre.host.stop();
}

#[test]
fn models_and_history_tell_what_is_so_and_how_it_came() {
    let models = Models::new();
    models.install("e", "champion", guest("times-2"));
    models.install("e", "newcomer", guest("identity"));
    models.policy("e", RICH);
    let theatre = Theatre::on(models);
    theatre.warm("newcomer");
    theatre.run(&["promote", "e", "newcomer", "--why", "it is better"]).output();
    theatre.models.install("e", "by-hand", guest("times-2"));
    theatre.host.wait_until_live("e", "by-hand");
    let table = theatre.run(&["models", "e"]).out;
    let row = |name: &str| {
        let row = table.lines().find(|line| line.starts_with(name));
        row.unwrap_or_else(|| panic!("no {name} in\n{table}")).to_owned()
    };
    assert!(row("newcomer").contains("order 1, until 10s"), "{table}");
    assert!(row("newcomer").contains("promote by local"), "{table}");
    assert!(row("by-hand").contains("staged") && row("by-hand").contains("live by host"));
    let history = theatre.run(&["history", "e"]).out;
    let promote = history.lines().find(|line| line.contains("promote")).unwrap();
    assert!(promote.ends_with("it is better") && promote.contains("champion@"), "{history}");
    let staged = history.lines().find(|line| line.contains("folder")).unwrap();
    assert!(staged.contains("staged") && staged.contains("by-hand"), "{history}");
    let one = theatre.run(&["history", "e", "--model", "by-hand", "-n", "1", "--json"]).json();
    assert_eq!((&one["event"], &one["model"]), (&"live".into(), &"by-hand".into()));
    let endpoints = harness::Client::new(theatre.host.admin()).get("/admin/endpoints").unwrap();
    let e = &endpoints.json()["endpoints"][0];
    assert_eq!((&e["name"], &e["champion"]), (&"e".into(), &"newcomer".into()));
    theatre.host.stop();
}

#[test]
fn what_the_host_did_by_itself_is_part_of_the_history() {
    let theatre = Theatre::new();
    theatre.models.install("e", "newcomer", guest("trap-in-predict"));
    theatre.host.wait_for("the new revision is live", |_| {
        let lives = theatre.events("live");
        (lives.iter().filter(|it| it["model"] == "newcomer").count() == 2).then_some(())
    });
    // Seven faults in a row are too many.
    for _ in 0..7 {
        theatre.ask();
    }
    theatre.host.wait_for_events("e", "newcomer", "rolled-back", 1);
    let rolled_back: Vec<Value> = theatre.events("rolled-back");
    assert_eq!(
        (&rolled_back[0]["who"], &rolled_back[0]["model"]),
        (&"host".into(), &"newcomer".into())
    );
    let staged = theatre.events("staged");
    assert_eq!(rolled_back[0]["from"], staged[0]["to"]);
    assert_eq!(rolled_back[0]["to"], staged[0]["from"]);
    assert_eq!(staged[0]["who"], "folder");
    assert_ne!(staged[0]["from"]["revision"], staged[0]["to"]["revision"]);
    theatre.host.stop();
}

#[test]
fn the_page_for_operators_names_only_commands_and_options_that_there_are() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operating.md");
    let page = fs::read_to_string(page).unwrap();
    let mut commands = 0;
    for block in page.split("```sh\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for line in block.lines().filter_map(|line| line.strip_prefix("understudy ")) {
            let line = line.split(['#', '>', ';']).next().unwrap();
            let words: Vec<&str> = line.split_whitespace().collect();
            let count = if matches!(words[0], "policy" | "log") { 2 } else { 1 };
            let help = harness::understudy(words[..count].iter().copied().chain(["--help"]));
            let help = String::from_utf8(help.stdout).unwrap();
            assert!(help.contains("Usage: understudy"), "{line}");
            for option in words.iter().filter(|word| word.starts_with("--")) {
                assert!(help.contains(option), "{option} of {line}");
            }
            commands += 1;
        }
    }
    assert!(commands > 10, "{commands}");
}
