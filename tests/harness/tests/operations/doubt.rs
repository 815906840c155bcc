//! Folders that are not ours to write, operators at the same time, and hosts that are killed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::thread;

use harness::{Host, Models, Options, guest};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};

use crate::{RICH, Theatre};

/// Starts a host that permissions bind, also where the tests are root's.
fn start_without_privileges(models: &Models) -> Host {
    let path = models.path();
    let start = thread::spawn(move || {
        // A thread's own, and its children's. Whoever may not give it up never had it.
        let _never_had_it = remove_capability_from_bounding_set(CapabilitySet::DAC_OVERRIDE);
        Host::start(&path, Options::default())
    });
    start.join().unwrap()
}

#[test]
fn a_read_only_folder_is_left_alone_and_the_reason_says_what_to_do() {
    let models = Models::new();
    models.install("e", "champion", guest("times-2"));
    models.install("e", "newcomer", guest("identity"));
    models.policy("e", RICH);
    let folder = models.path().join("e");
    let host = start_without_privileges(&models);
    host.wait_until_settled("e");
    let theatre = Theatre { models, host };
    theatre.warm("newcomer");
    let files = theatre.files();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    let refused = |arguments: &[&str]| {
        let said = theatre.run(arguments);
        let expected = "cannot be written";
        assert!(said.failure().contains(expected), "{}", said.error);
        assert!(said.failure().contains("make the change where its files come from"));
    };
    refused(&["promote", "e", "newcomer"]);
    refused(&["promote", "e", "newcomer", "--force"]);
    refused(&["pause", "e", "newcomer"]);
    refused(&["retire", "e", "newcomer"]);
    let file = theatre.models.beside("third.wasm");
    fs::write(&file, guest("identity")).unwrap();
    refused(&["stage", "e", file.to_str().unwrap()]);
    // The change is shown nevertheless, so that it can be made elsewhere.
    let said = theatre.run(&["promote", "e", "newcomer", "--dry-run"]);
    assert!(said.out.contains("+champion = \"newcomer\""), "{}{}", said.out, said.error);
    assert!(said.out.contains("refused: ") && !said.success, "{}", said.out);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(theatre.files(), files);
    theatre.run(&["promote", "e", "newcomer"]).output();
    theatre.host.stop();
}

#[test]
fn a_folder_of_links_is_left_to_those_who_swap_them() {
    let models = Models::new();
    let data = models.file("e", "..data-1");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("champion.wasm"), guest("times-2")).unwrap();
    fs::write(data.join("newcomer.wasm"), guest("identity")).unwrap();
    fs::write(data.join("endpoint.toml"), RICH).unwrap();
    symlink("..data-1", models.file("e", "..data")).unwrap();
    for name in ["champion.wasm", "newcomer.wasm", "endpoint.toml"] {
        symlink(format!("..data/{name}"), models.file("e", name)).unwrap();
    }
    let theatre = Theatre::on(models);
    theatre.warm("newcomer");
    let said = theatre.run(&["promote", "e", "newcomer"]);
    assert!(said.failure().contains("is a link: whoever swaps"), "{}", said.error);
    let said = theatre.run(&["pause", "e", "newcomer"]);
    assert!(said.failure().contains("..data is a link: whoever swaps"), "{}", said.error);
    assert!(!theatre.models.file("e", "newcomer.toml").exists());
    assert_eq!(fs::read_to_string(data.join("endpoint.toml")).unwrap(), RICH);
    theatre.host.stop();
}

#[test]
fn operators_at_the_same_time_follow_one_after_the_other() {
    let theatre = Theatre::new();
    theatre.warm("newcomer");
    thread::scope(|scope| {
        for operator in 0..4 {
            let theatre = &theatre;
            scope.spawn(move || {
                let model = ["champion", "newcomer"][operator % 2];
                for _ in 0..3 {
                    theatre.run(&["promote", "e", model, "--force"]).output();
                    let pause = ["pause", "resume"][operator % 2];
                    // The last live model is not paused, which depends on who was first.
                    let _either = theatre.run(&[pause, "e", "champion"]);
                }
            });
        }
    });
    // Each change began with what the one before it had left.
    let mut last = RICH.to_owned();
    let history = theatre.history();
    let changes = history.iter().filter_map(|event| event["files"].as_array()).flatten();
    for file in changes.filter(|file| file["path"] == "endpoint.toml") {
        assert_eq!(file["before"], last.as_str());
        last = file["after"].as_str().unwrap().to_owned();
    }
    assert_eq!(theatre.text("endpoint.toml"), last);
    assert!(theatre.host.problems().is_empty(), "{:?}", theatre.host.problems());
    theatre.host.stop();
}

#[test]
fn a_host_that_is_killed_leaves_the_old_file_or_the_new_one() {
    let mut theatre = Theatre::new();
    theatre.warm("newcomer");
    for _ in 0..3 {
        let before = theatre.text("endpoint.toml");
        let is_champion = |model: &str| before.contains(&format!("champion = \"{model}\""));
        let model = if is_champion("newcomer") { "champion" } else { "newcomer" };
        let admin = theatre.host.admin();
        // The moment in between is found by looking for the record, which comes first.
        let events = theatre.host.topic("e", "events").len();
        let arguments =
            ["promote".to_owned(), "e".to_owned(), model.to_owned(), "--force".to_owned()];
        let operator = thread::spawn(move || {
            let arguments = arguments.iter().map(String::as_str);
            harness::understudy(arguments.chain(["--admin", &admin.to_string()]))
        });
        theatre.host.wait_for("the change is recorded", |host| {
            (host.topic("e", "events").len() > events).then_some(())
        });
        let Theatre { models, host } = theatre;
        let stopped = host.kill_hard();
        operator.join().unwrap();
        let after = fs::read_to_string(models.file("e", "endpoint.toml")).unwrap();
        let record = stopped.topic("e", "events");
        let record = record.iter().rev().find(|it| it.value["event"] == "promote").unwrap();
        let file = &record.value["files"][0];
        assert_eq!(file["before"], before.as_str());
        assert!(after == before || file["after"] == after.as_str(), "{after}");
        theatre = Theatre { models, host: stopped.start() };
        theatre.host.wait_until_settled("e");
    }
    // What a killed host left half-written is no file of the endpoint, and the next writer removes it.
    theatre.warm("newcomer");
    theatre.run(&["pause", "e"]).output();
    let left = theatre.files();
    let left: Vec<_> = left.iter().filter(|(name, _)| name.contains(".unfinished")).collect();
    assert!(left.is_empty(), "{left:?}");
    theatre.host.stop();
}
