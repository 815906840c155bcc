//! A change: seen before, said yes to, and made.

use ratatui::crossterm::event::KeyCode;
use serde_json::{Value, json};
use top::{Change, Command, Event, Verb};

use crate::rig::{Rig, status};

fn outcome() -> Value {
    json!({
        "roster": [
            { "model": "gbdt", "before": "champion", "after": "challenger" },
            { "model": "forest", "before": "staged", "after": "champion" },
            { "model": "logit", "before": "fallback", "after": "fallback" },
        ],
        "files": [{ "path": "flights/endpoint.toml" }],
        "warnings": ["it faulted in the last minute"],
    })
}

fn change(verb: Verb, model: &str) -> Change {
    Change { verb, endpoint: "flights".to_owned(), model: Some(model.to_owned()), force: false }
}

/// A view of the models of `flights`, with `forest` selected.
fn on_forest() -> Rig {
    let mut rig = Rig::watching();
    rig.press(KeyCode::Down);
    rig.press(KeyCode::Enter);
    rig.press(KeyCode::End);
    rig.sees(&["▌forest"]);
    rig
}

#[test]
fn a_promotion_is_looked_at_reasoned_and_made() {
    let mut rig = on_forest();
    let promote = change(Verb::Promote, "forest");
    assert_eq!(rig.keys("p"), Some(Command::Preview(promote.clone())));
    rig.sees(&["promote flights › forest", "The host is asked what would change"]);
    assert_eq!(rig.press(KeyCode::Enter), None, "not before one has seen it");
    rig.send(Event::Previewed(promote.clone(), Ok(outcome())));
    rig.sees(&["This makes forest the champion:", "gbdt    champion  →  challenger"]);
    rig.sees(&["forest  staged    →  champion", "! it faulted in the last minute"]);
    rig.sees(&["writes flights/endpoint.toml"]);
    rig.misses("fallback  →");
    rig.keys("better on qq ");
    rig.press(KeyCode::Backspace);
    rig.press(KeyCode::Backspace);
    rig.sees(&["Why?  better on q▏"]);
    let why = "better on q".to_owned();
    assert_eq!(rig.press(KeyCode::Enter), Some(Command::Make(promote.clone(), why)));
    rig.sees(&["The host is doing it"]);
    assert_eq!(rig.press(KeyCode::Esc), None);
    rig.send(Event::Changed(promote, Ok(outcome())));
    rig.sees(&["Done."]);
    assert_eq!(rig.keys("q"), None);
    rig.misses("Done.");
    rig.sees(&["▌forest"]);
}

#[test]
fn escape_leaves_everything_as_it_is() {
    let mut rig = on_forest();
    let promote = change(Verb::Promote, "forest");
    rig.keys("p");
    assert_eq!(rig.press(KeyCode::Esc), None);
    rig.send(Event::Previewed(promote, Ok(outcome())));
    rig.misses("This makes forest the champion");
}

#[test]
fn a_refusal_is_told_and_can_be_overruled_after_another_look() {
    let mut rig = on_forest();
    let promote = change(Verb::Promote, "forest");
    rig.keys("p");
    let refusal = "forest faulted 3 times in the last minute".to_owned();
    rig.send(Event::Previewed(promote.clone(), Err(refusal)));
    rig.sees(&["The host does not do this:", "forest faulted 3 times", "see it forced"]);
    let forced = Change { force: true, ..promote };
    assert_eq!(rig.keys("f"), Some(Command::Preview(forced.clone())));
    rig.send(Event::Previewed(forced.clone(), Ok(outcome())));
    rig.sees(&["against the advice of the host"]);
    assert_eq!(rig.press(KeyCode::Enter), Some(Command::Make(forced.clone(), String::new())));
    rig.send(Event::Changed(forced, Err("the folder is read-only".to_owned())));
    rig.sees(&["the folder is read-only"]);
    rig.misses("see it forced");
    rig.press(KeyCode::Enter);
    rig.misses("read-only");
}

#[test]
fn the_space_key_pauses_what_runs_and_resumes_what_is_paused() {
    let mut rig = on_forest();
    let pause = Command::Preview(change(Verb::Pause, "forest"));
    assert_eq!(rig.keys(" "), Some(pause));
    rig.press(KeyCode::Esc);
    let mut status = status(500);
    status["endpoints"][1]["models"][3]["state"] = json!("paused");
    rig.hear(Ok(status));
    let resume = change(Verb::Resume, "forest");
    assert_eq!(rig.keys(" "), Some(Command::Preview(resume.clone())));
    rig.send(Event::Previewed(resume, Ok(json!({}))));
    rig.sees(&["This asks forest again:", "nothing changes in the roster"]);
}

#[test]
fn on_the_first_page_one_is_told_where_to_go() {
    let mut rig = Rig::watching();
    assert_eq!(rig.keys("p"), None);
    rig.sees(&["open an endpoint first"]);
    rig.keys("j");
    rig.misses("open an endpoint first");
}

#[test]
fn on_the_first_page_a_whole_endpoint_is_paused_and_resumed() {
    let mut rig = Rig::watching();
    rig.keys("j");
    let pause = Change { model: None, ..change(Verb::Pause, "") };
    assert_eq!(rig.keys(" "), Some(Command::Preview(pause.clone())));
    rig.send(Event::Previewed(pause, Ok(json!({}))));
    rig.sees(&["pause flights ", "This turns callers of flights away:"]);
    rig.press(KeyCode::Esc);
    let mut status = status(500);
    status["endpoints"][1]["paused"] = json!(true);
    rig.hear(Ok(status));
    assert!(rig.line("▌flights").contains("paused"));
    let resume = Change { model: None, ..change(Verb::Resume, "") };
    assert_eq!(rig.keys(" "), Some(Command::Preview(resume)));
    rig.press(KeyCode::Esc);
    rig.press(KeyCode::Enter);
    rig.sees(&["paused: callers are turned away"]);
}

#[test]
fn a_change_on_the_page_of_a_model_asks_for_its_history_anew() {
    let mut rig = on_forest();
    rig.press(KeyCode::Enter);
    let promote = change(Verb::Promote, "forest");
    assert_eq!(rig.keys("p"), Some(Command::Preview(promote.clone())));
    rig.send(Event::Previewed(promote.clone(), Ok(outcome())));
    rig.press(KeyCode::Enter);
    let asked = rig.send(Event::Changed(promote, Ok(outcome())));
    let [endpoint, model] = ["flights", "forest"].map(str::to_owned);
    assert_eq!(asked, Some(Command::History { endpoint, model }));
}
