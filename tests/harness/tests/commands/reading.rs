//! `read` and `log verify`: what is in the data directory, with a host on it or without.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::{Host, Models, Options, Stopped, binary};
use serde_json::Value;

use crate::{Said, run, text};

const CALLS: u64 = 20;

#[test]
fn a_topic_is_read_from_its_start_an_offset_a_time_or_its_end() {
    let stopped = answered();
    let data = stopped.data();
    let all = read(&data, &["--json"]).lines();
    assert_eq!(offsets(&all), (0..CALLS).collect::<Vec<_>>());
    for (record, read) in stopped.topic("e", "answers").iter().zip(&all) {
        assert_eq!(read["value"], record.value);
        assert_eq!(read["headers"]["id"], record.id());
        assert_eq!(read["headers"]["reason"], "preferred");
    }
    let part = |arguments: &[&str]| offsets(&read(&data, arguments).lines());
    assert_eq!(part(&["--json", "--from", "17"]), [17, 18, 19]);
    assert_eq!(part(&["--json", "--last", "2"]), [18, 19]);
    assert_eq!(part(&["--json", "--from", "5", "--limit", "2"]), [5, 6]);
    assert_eq!(part(&["--json", "--since", "1h"]).len(), CALLS as usize);
    let time_us = all[10]["time_us"].to_string();
    let since = part(&["--json", "--since", &time_us]);
    assert_eq!(since.last(), Some(&(CALLS - 1)));
    assert!(since.contains(&10), "{since:?}");
    assert_eq!(part(&["--json", "--since", "9999999999999999"]), Vec::<u64>::new());
}

#[test]
fn people_get_a_line_for_each_record() {
    let stopped = answered();
    let said = read(&stopped.data(), &["--last", "3"]);
    assert_eq!(said.out.lines().count(), 3);
    let id = stopped.topic("e", "answers")[19].id().to_owned();
    let last = said.out.lines().last().unwrap();
    assert!(last.contains(&id) && last.trim_start().starts_with("19 "), "{last}");
}

#[test]
fn an_unknown_topic_or_time_is_told_what_there_is() {
    let stopped = answered();
    let data = stopped.data();
    let said = run(["read", "f", "answers", "--data", text(&data)]);
    let line = said.failure();
    assert!(line.contains("there is no topic f/answers"), "{line}");
    assert!(line.contains("e/answers, e/dead-letters, e/events, e/requests, e/scores"), "{line}");
    let said = read(&data, &["--since", "yesterday"]);
    assert!(said.failure().contains("--since yesterday"), "{}", said.error);
}

#[test]
fn who_follows_a_topic_sees_records_as_they_come() {
    let models = Models::with_champion("e", "times-2");
    let host = start(&models);
    host.client().infer("e", 1.0).unwrap();
    let mut follower = Command::new(binary())
        .args(["read", "e", "answers", "--json", "--follow", "--from", "0", "--limit", "3"])
        .args(["--data".as_ref(), host.data().as_os_str()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    // Each is asked for only when the one before it has been seen.
    for x in [1.0, 2.0, 3.0] {
        let value = next()["value"]["outputs"][0]["data"][0].as_f64();
        assert_eq!(value, Some(2.0 * x));
        host.client().infer("e", x + 1.0).unwrap();
    }
    assert!(follower.wait().unwrap().success());
}

#[test]
fn who_stops_reading_ends_the_command_and_nothing_else() {
    let stopped = answered();
    let mut reader = Command::new(binary())
        .args(["read", "e", "answers", "--json"])
        .args(["--data".as_ref(), stopped.data().as_os_str()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(reader.stdout.take());
    let output = reader.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_sound_log_is_verified_also_under_a_running_host() {
    let models = Models::with_champion("e", "times-2");
    let host = start(&models);
    ask(&host);
    let said = run(["log", "verify", "--data", text(&host.data()), "--json"]);
    assert!(said.success, "{}{}", said.out, said.error);
    let stopped = host.stop();
    let said = run(["log", "verify", "--data", text(&stopped.data()), "--json"]);
    let report = said.json();
    let topics = report.as_array().unwrap();
    let find = |name: &str| topics.iter().find(|topic| topic["topic"] == name).unwrap();
    for name in ["e/requests", "e/answers", "e/scores"] {
        assert_eq!(find(name)["records"], CALLS, "{report:#}");
        assert_eq!(find(name)["damages"].as_array().unwrap().len(), 0, "{report:#}");
    }
    let table = run(["log", "verify", "--data", text(&stopped.data())]);
    let row = table.out.lines().find(|line| line.contains("e/answers")).unwrap().to_owned();
    assert!(row.contains("0..20") && row.trim_end().ends_with("none"), "{row}");
}

#[test]
fn a_damaged_byte_is_found_and_placed_and_never_read_as_if_nothing_were() {
    // In the only segment, and in a sealed one.
    for segment in ["64MiB", "4KiB"] {
        let models = Models::with_champion("e", "times-2");
        let stream = format!(
            "deadline = '20s'\n[roles]\nchampion = 'champion'\n[stream]\nsegment = '{segment}'\n"
        );
        models.policy("e", &stream);
        let host = start(&models);
        ask(&host);
        check_damage(&host.stop());
    }
}

fn check_damage(stopped: &Stopped) {
    let data = stopped.data();
    let file = first_segment(&data.join("stream/e/answers"));
    flip_a_byte_in_the_middle(&file);
    let said = run(["log", "verify", "--data", text(&data), "--json"]);
    assert!(!said.success);
    let report = said.json();
    let topics = report.as_array().unwrap();
    let answers = topics.iter().find(|topic| topic["topic"] == "e/answers").unwrap();
    let damages = answers["damages"].as_array().unwrap();
    assert_eq!(damages.len(), 1, "{report:#}");
    let (lost, next) =
        (damages[0]["offset"].as_u64().unwrap(), damages[0]["next"].as_u64().unwrap());
    assert!(0 < lost && lost < next && next < CALLS, "{report:#}");
    assert_eq!(answers["records"].as_u64().unwrap(), CALLS - (next - lost), "{report:#}");
    let said = run(["log", "verify", "--data", text(&data)]);
    assert!(said.out.contains(&format!("offsets {lost} to {next} are lost")), "{}", said.out);
    // Who reads is told at the damage, and got what is before it.
    let said = read(&data, &["--json"]);
    assert!(!said.success);
    assert_eq!(offsets(&said.lines()), (0..lost).collect::<Vec<_>>());
    assert_eq!(
        offsets(&read(&data, &["--json", "--from", &next.to_string()]).lines()).len() as u64,
        CALLS - next
    );
}

fn start(models: &Models) -> Host {
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_settled("e");
    host
}

/// A host that has answered some calls and was stopped.
fn answered() -> Stopped {
    let models = Models::with_champion("e", "times-2");
    let host = start(&models);
    ask(&host);
    host.stop()
}

fn ask(host: &Host) {
    let mut client = host.client();
    for x in 0..CALLS {
        assert_eq!(client.infer("e", x as f64).unwrap().status, 200);
    }
}

fn read(data: &Path, arguments: &[&str]) -> Said {
    let always = ["read", "e", "answers", "--data", text(data)];
    run(always.into_iter().chain(arguments.iter().copied()))
}

fn offsets(lines: &[Value]) -> Vec<u64> {
    lines.iter().map(|line| line["offset"].as_u64().expect("an offset")).collect()
}

fn first_segment(topic: &Path) -> PathBuf {
    let files = fs::read_dir(topic).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|it| it == "log")).min().unwrap()
}

fn flip_a_byte_in_the_middle(file: &Path) {
    let middle = fs::metadata(file).unwrap().len() / 2;
    let mut file = File::options().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(middle)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(middle)).unwrap();
    file.write_all(&[byte[0] ^ 0x10]).unwrap();
}
