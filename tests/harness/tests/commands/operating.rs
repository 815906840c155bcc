//! `status` and `write`: a host that runs.

use std::fs;

use harness::{Host, Models, Options, guest, infer_body};

use crate::{run, text};

#[test]
fn the_status_shows_each_model_with_its_role_state_and_reason() {
    let models = Models::with_champion("e", "times-2");
    models.install("e", "newcomer", guest("identity"));
    models.install("e", "broken", guest("trap-in-describe"));
    let host = start(&models);
    host.client().infer("e", 3.0).unwrap();
    host.wait_for("all have scored", |host| {
        (host.model("e", "newcomer")?["predictions"] == 1).then_some(())
    });
    let data = host.data();
    let table = run(["status", "--data", text(&data)]);
    assert!(table.success, "{}", table.error);
    let row = |name: &str| {
        let row = table.out.lines().find(|line| line.trim_start().starts_with(name));
        row.unwrap_or_else(|| panic!("no {name} in\n{}", table.out)).to_owned()
    };
    assert!(row("e: ").starts_with("e: 1 requests, 0 open"), "{}", table.out);
    assert!(row("champion").contains("champion") && row("champion").contains("live"));
    assert!(row("newcomer").contains("staged") && row("newcomer").contains("live"));
    assert!(row("broken").contains("refused"), "{}", row("broken"));
    assert!(row("broken").contains("cannot describe itself"), "{}", row("broken"));
    assert!(table.out.contains("1 answers from champion (preferred)"), "{}", table.out);
    let status = run(["status", "--data", text(&data), "--json"]).json();
    assert_eq!(status["endpoints"][0]["models"], host.status()["endpoints"][0]["models"]);
    let admin = host.admin().to_string();
    assert_eq!(run(["status", "--admin", &admin, "--json"]).json()["version"], status["version"]);
}

#[test]
fn a_problem_of_the_folder_is_part_of_the_status() {
    let models = Models::with_champion("e", "times-2");
    let host = start(&models);
    models.policy("e", "deadline = '1s'\n[roles]\nchampion = 'nobody'\n");
    host.wait_for_problem(&["nobody"]);
    let table = run(["status", "--data", text(&host.data())]);
    let line = table.out.lines().find(|line| line.starts_with("problem: "));
    let line = line.unwrap_or_else(|| panic!("no problem in\n{}", table.out));
    assert!(line.contains("endpoint.toml:3") && line.contains("nobody"), "{line}");
}

#[test]
fn where_no_host_runs_the_commands_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(["status", "--data", text(folder.path())]);
    assert!(said.failure().contains("no host seems to run"), "{}", said.error);
    let file = folder.path().join("requests.jsonl");
    fs::write(&file, infer_body("1", 1.0)).unwrap();
    let said = run(["write", "e", text(&file), "--data", text(folder.path())]);
    assert!(said.failure().contains("no host seems to run"), "{}", said.error);
    // A host that was killed leaves its address behind, and nobody there.
    let models = Models::with_champion("e", "times-2");
    let dead = start(&models).kill_hard();
    let said = run(["status", "--data", text(&dead.data())]);
    assert!(said.failure().contains("no host answers at 127.0.0.1:"), "{}", said.error);
}

#[test]
fn a_file_of_requests_is_appended_whole_or_its_first_bad_line_is_named() {
    let models = Models::with_champion("e", "times-2");
    let host = start(&models);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("requests.jsonl");
    let lines: Vec<_> = (0..50).map(|x| infer_body(&format!("r-{x}"), f64::from(x))).collect();
    let write = |lines: &[String]| {
        fs::write(&file, lines.join("\n")).unwrap();
        run(["write", "e", text(&file), "--data", text(&host.data())])
    };
    let mut broken = lines.clone();
    broken[30] = "{}".to_owned();
    let said = write(&broken);
    assert!(said.failure().contains("line 31: inputs: found nothing"), "{}", said.error);
    assert_eq!(host.topic("e", "requests"), []);
    let said = write(&lines);
    assert!(said.success, "{}", said.error);
    assert_eq!(host.topic("e", "requests").len(), 50);
    let rest = host.rest().to_string();
    let said = run(["write", "nobody", text(&file), "--rest", &rest]);
    assert!(said.failure().contains("there is no endpoint `nobody`; known: e"), "{}", said.error);
}

fn start(models: &Models) -> Host {
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_settled("e");
    host
}
