//! What keys lead to.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use serde_json::json;
use top::{Command, Event};

use crate::rig::{Rig, status};

#[test]
fn the_selection_stays_with_its_name_when_lines_move() {
    let mut rig = Rig::watching();
    rig.sees(&["▌acme/fraud"]);
    rig.keys("s");
    let lines = rig.lines();
    let at = |name: &str| lines.iter().position(|line| line.contains(name));
    assert!(at("flights") < at("acme/fraud"), "by requests");
    rig.sees(&["▌acme/fraud"]);
    rig.keys("k");
    rig.sees(&["▌flights"]);
    rig.keys("kkjjj");
    rig.sees(&["▌acme/fraud"]);
    rig.keys("S");
    rig.press(KeyCode::Home);
    rig.sees(&["▌acme/fraud"]);
}

#[test]
fn one_goes_in_with_enter_and_out_with_escape() {
    let mut rig = Rig::watching();
    rig.press(KeyCode::End);
    rig.press(KeyCode::Enter);
    rig.press(KeyCode::Right);
    rig.sees(&["› flights › gbdt"]);
    rig.press(KeyCode::Esc);
    rig.misses("› gbdt");
    rig.press(KeyCode::Left);
    rig.misses("› flights");
    rig.press(KeyCode::Esc);
    rig.sees(&["▌flights"]);
}

#[test]
fn names_are_filtered_while_they_are_typed() {
    let mut rig = Rig::watching();
    rig.keys("/FRq");
    rig.sees(&[" / FRq▏", "no endpoint is called “FRq”"]);
    rig.press(KeyCode::Backspace);
    rig.sees(&["▌acme/fraud"]);
    rig.misses("  flights ");
    rig.press(KeyCode::Enter);
    rig.sees(&["only “FR”", "quit"]);
    rig.press(KeyCode::Esc);
    rig.sees(&["flights  "]);
    rig.press(KeyCode::Down);
    rig.press(KeyCode::Enter);
    rig.keys("/logit");
    rig.press(KeyCode::Enter);
    rig.sees(&["▌logit-2013q1"]);
    rig.press(KeyCode::Down);
    rig.press(KeyCode::Down);
    rig.sees(&["▌logit "]);
    rig.misses("forest");
}

#[test]
fn what_has_gone_is_left() {
    let mut rig = Rig::watching();
    rig.press(KeyCode::Down);
    rig.press(KeyCode::Enter);
    rig.press(KeyCode::Enter);
    let mut status = status(500);
    status["endpoints"][1]["models"].as_array_mut().unwrap().remove(1);
    rig.hear(Ok(status.clone()));
    rig.sees(&["the model gbdt has gone", "▌logit-2013q1"]);
    status["endpoints"].as_array_mut().unwrap().remove(1);
    rig.hear(Ok(status));
    rig.sees(&["the endpoint flights has gone", "▌acme/fraud"]);
    rig.hear(Ok(json!({})));
    rig.sees(&["this host has no endpoint"]);
    assert_eq!(rig.press(KeyCode::Enter), None);
    assert_eq!(rig.press(KeyCode::Down), None);
}

#[test]
fn a_host_of_another_time_does_not_confuse() {
    let mut rig = Rig::watching();
    rig.hear(Ok(json!({ "endpoints": "many" })));
    rig.sees(&["no answer", "the host speaks of its state in another way"]);
    rig.hear_for(1);
    rig.sees(&["● up"]);
}

#[test]
fn the_help_opens_and_closes_with_any_key() {
    let mut rig = Rig::watching();
    rig.keys("?");
    rig.sees(&["╭ keys ", "pause the selected model, or on the first page the endpoint"]);
    assert_eq!(rig.keys("q"), None, "which quits only the help");
    rig.misses("╭ keys ");
}

#[test]
fn two_keys_quit_and_a_release_is_no_key() {
    let mut rig = Rig::watching();
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    rig.keys("/");
    assert_eq!(rig.send(Event::Key(interrupt)), Some(Command::Quit), "also while one types");
    rig.press(KeyCode::Esc);
    let released = KeyEvent { kind: KeyEventKind::Release, ..KeyCode::Char('q').into() };
    assert_eq!(rig.send(Event::Key(released)), None);
    assert_eq!(rig.send(Event::Resized), None);
    assert_eq!(rig.keys("q"), Some(Command::Quit));
}
