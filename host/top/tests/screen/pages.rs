//! What stands on the pages.

use ratatui::crossterm::event::KeyCode;
use ratatui::style::Color;
use serde_json::json;
use top::{Command, Event, Theme};

use crate::rig::{Rig, status};

#[test]
fn every_endpoint_has_a_line_with_what_it_does() {
    let rig = Rig::watching();
    rig.sees(&["127.0.0.1:8002", "● up", "1 problem", "0.1.0"]);
    let flights = rig.line(" flights  ");
    for number in ["1,356", "0.41", "2.10", "50 ms", "45", "1.0", "4/4", "gbdt", "▇▇"] {
        assert!(flights.contains(number), "no {number} in {flights}");
    }
    assert!(rig.line("acme/fraud ").contains("1/2"), "one of its models does not run");
    rig.sees(&["! flights/endpoint.toml:7: there is no model `hawaiian`"]);
}

#[test]
fn the_answers_of_the_last_minutes_are_stacked_by_model() {
    let mut rig = Rig::watching();
    rig.press(KeyCode::Down);
    rig.sees(&["answers/s by model  flights", "1,500", "6.2 min ago", "now"]);
    rig.sees(&["■ gbdt 91.1%   ■ logit 8.3%   ■ default 0.6%"]);
    let buffer = rig.buffer();
    let blue = Color::Indexed(67);
    let green = Color::Indexed(108);
    let ink = |colour| buffer.content().iter().filter(|cell| cell.fg == colour).count();
    assert!(ink(blue) > 10 * ink(green) / 2 && ink(green) > 20, "{} {}", ink(blue), ink(green));
}

#[test]
fn a_page_of_an_endpoint_has_a_line_for_each_model() {
    let mut rig = Rig::watching();
    rig.press(KeyCode::Down);
    rig.press(KeyCode::Enter);
    rig.sees(&["› flights", "requests/s 1,356", "deadline 50 ms", "open 3"]);
    let gbdt = rig.line("▌gbdt ");
    for word in ["champion", "live", "91.1%", "1,356", "0.38", "1.90", "6.1 MiB", "25.6%"] {
        assert!(gbdt.contains(word), "no {word} in {gbdt}");
    }
    let forest = rig.line(" forest ");
    assert!(forest.contains("staged") && forest.contains("21.00"), "{forest}");
    let order: Vec<_> = rig
        .lines()
        .iter()
        .filter_map(|line| {
            let name = line.trim_start_matches(['▌', ' ']).split_whitespace().next()?;
            ["gbdt", "logit", "logit-2013q1", "forest"].contains(&name).then(|| name.to_owned())
        })
        .collect();
    assert_eq!(order, ["gbdt", "logit-2013q1", "logit", "forest"], "by role");
}

#[test]
fn a_reason_stands_beside_the_model_that_has_one() {
    let mut rig = Rig::watching();
    rig.press(KeyCode::Enter);
    let net = rig.line(" net ");
    assert!(net.contains("refused") && net.ends_with("it imports wasi:sockets…"), "{net}");
    rig.press(KeyCode::Down);
    rig.sees(&[" net: it imports wasi:sockets/tcp, which nothing may"]);
}

#[test]
fn a_page_of_a_model_says_all_about_it() {
    let mut rig = Rig { size: (160, 36), ..Rig::watching() };
    rig.press(KeyCode::Down);
    rig.press(KeyCode::Enter);
    let asked = rig.press(KeyCode::Enter);
    let (endpoint, model) = ("flights".to_owned(), "gbdt".to_owned());
    let history = Command::History { endpoint: endpoint.clone(), model: model.clone() };
    assert_eq!(asked, Some(history));
    rig.sees(&["› flights › gbdt", "live  as champion  revision 4f0c9a1be27d  lane live"]);
    rig.sees(&[
        "scores 525,600",
        "at most 8.7 MiB",
        "sessions 2",
        "latency, ms  p50 0.38  p99 1.9",
    ]);
    rig.sees(&["error budget left 98.0%   late 0.4%"]);
    rig.sees(&[" warm", " read 40 trees [31m of depth 6"]);
    let history = Ok(json!([{
        "time_us": 1_798_761_599_000_000_u64, "event": "promote", "who": "eve", "why": "better",
        "from": { "revision": "aaaaaaaaaaaa" }, "to": { "revision": "bbbbbbbbbbbb" },
    }]));
    rig.send(Event::History { endpoint, model, history });
    rig.sees(&["12-31 23:59:59  promote     aaaaaaaaaaaa → bbbbbbbbbbbb  eve  better"]);
    rig.press(KeyCode::Down);
    rig.misses("promote     aaaaaaaaaaaa");
    rig.sees(&["› flights › logit-2013q1"]);
}

#[test]
fn what_is_not_known_is_a_dash() {
    let mut rig = Rig::new();
    rig.sees(&["○ asking", "asking 127.0.0.1:8002 …"]);
    rig.hear(Ok(status(0)));
    assert!(rig.line("flights ").contains("  –  "), "no rate after one look");
    rig.press(KeyCode::Enter);
    let net = rig.line(" net ");
    assert!(net.contains("–") && net.contains("refused"), "{net}");
}

#[test]
fn a_host_that_has_gone_is_said_to_and_what_was_known_stays() {
    let mut rig = Rig::watching();
    rig.hear(Err("no host answers at 127.0.0.1:8002".to_owned()));
    rig.hear(Err("no host answers at 127.0.0.1:8002".to_owned()));
    rig.sees(&["○ gone", "no answer for 2 s, still trying: no host answers at 127.0.0.1:8002"]);
    rig.sees(&["flights"]);
    rig.hear_for(2);
    rig.sees(&["● up"]);
    rig.misses("no answer");
}

#[test]
fn without_colour_nothing_is_coloured_and_all_is_told_apart() {
    let mut rig = Rig { theme: Theme::PLAIN, ..Rig::watching() };
    rig.press(KeyCode::Down);
    let buffer = rig.buffer();
    let is_plain = |colour| colour == Color::Reset;
    assert!(buffer.content().iter().all(|cell| is_plain(cell.fg) && is_plain(cell.bg)));
    rig.sees(&["█ gbdt 91.1%   ▒ logit 8.3%   ▫ default 0.6%", "▒▒", "▌flights"]);
}

#[test]
fn every_panel_has_its_chart() {
    let mut rig = Rig::watching();
    rig.press(KeyCode::Down);
    let panels = [
        ["answers/s by model", "1/5"],
        ["answers/s by reason", "■ preferred 91.1%"],
        ["requests/s  flights", "a second over the last minute"],
        ["latency of answers, ms", "■ p99 2.1 ms"],
        ["faults/s", "5/5"],
    ];
    for words in panels {
        rig.sees(&words);
        rig.press(KeyCode::Tab);
    }
    rig.press(KeyCode::BackTab);
    rig.sees(&["5/5"]);
    rig.keys("t");
    rig.sees(&["15 min  5/5"]);
}
