//! `understudy top` as a person uses it: on a terminal, beside a host that answers.

use harness::{Host, Load, Models, Options, Terminal, guest, understudy};

/// A host with one endpoint, `flights`, whose champion is `champion` and whose other model is `other`.
fn flights() -> (Models, Host) {
    let models = Models::with_champion("flights", "identity");
    models.install("flights", "other", guest("times-7"));
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_live("flights", "champion");
    host.wait_until_live("flights", "other");
    (models, host)
}

fn top(host: &Host) -> Terminal {
    let admin = host.admin().to_string();
    Terminal::start(["top", "--admin", &admin, "--every", "0.1"], 120, 36)
}

#[test]
fn one_sees_who_answers_walks_about_and_quits() {
    let (_models, host) = flights();
    let load = Load::start(&host, "flights");
    let mut terminal = top(&host);
    assert!(terminal.wait_for("▌flights").contains("champion"));
    assert!(terminal.wait_for(&host.admin().to_string()).contains("● up"));
    terminal.wait_for("■ champion 100.0%");
    assert!(terminal.is_taken());
    terminal.press("\r");
    let champion = terminal.wait_for("▌champion");
    assert!(champion.contains("live") && champion.contains("100.0%"), "{champion}");
    assert!(terminal.wait_for(" other ").contains("staged"));
    terminal.press("j\r");
    terminal.wait_for("› flights › other");
    terminal.press("?");
    terminal.wait_for("╭ keys");
    terminal.press("x\x1b");
    terminal.wait_until_gone("› other");
    terminal.press("/cham");
    terminal.wait_until_gone(" other ");
    terminal.press("\rq");
    assert!(terminal.wait().success());
    assert!(!terminal.is_taken(), "the terminal is as it was");
    load.finish().assert_answered_by(&["champion"]);
}

#[test]
fn a_host_that_goes_is_said_to_be_gone() {
    let (_models, host) = flights();
    let mut terminal = top(&host);
    terminal.wait_for("▌flights");
    host.stop();
    terminal.wait_for("still trying");
    assert!(terminal.wait_for("○ gone").contains("understudy"));
    terminal.press("\x03");
    assert!(terminal.wait().success());
}

#[test]
fn a_signal_leaves_the_terminal_in_order() {
    let (_models, host) = flights();
    let mut terminal = top(&host);
    terminal.wait_for("▌flights");
    terminal.terminate();
    assert!(terminal.wait().success());
    assert!(!terminal.is_taken());
}

#[test]
fn it_ends_with_its_terminal() {
    let (_models, host) = flights();
    let terminal = top(&host);
    terminal.wait_for("▌flights");
    terminal.hang_up();
}

#[test]
fn without_a_terminal_one_is_told_of_the_other_command() {
    let output = understudy(["top", "--admin", "127.0.0.1:9"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("understudy status"), "{error}");
}

#[test]
fn a_model_is_promoted_and_another_paused_by_a_few_keys() {
    let (models, host) = flights();
    let load = Load::start(&host, "flights");
    load.wait_for_calls(20);
    let mut terminal = top(&host);
    terminal.wait_for("▌flights");
    terminal.press("\rj");
    terminal.wait_for("▌other");
    terminal.press("p");
    terminal.wait_for("This makes other the champion:");
    assert!(terminal.wait_for("writes ").contains("endpoint.toml"));
    terminal.press("seven times better");
    terminal.wait_for("Why?  seven times better▏");
    terminal.press("\r");
    terminal.wait_for("Done.");
    terminal.press("x");
    terminal.wait_until_gone("Done.");
    assert!(terminal.wait_for("▌other").contains("champion"));
    terminal.press("\r");
    terminal.wait_for("promote");
    terminal.wait_for("seven times better");
    terminal.press("\x1b");
    terminal.wait_for("▌other");
    terminal.press("j ");
    terminal.wait_for("This asks champion no more");
    terminal.press("\r");
    terminal.wait_for("Done.");
    terminal.press("x");
    terminal.wait_for("paused");
    terminal.press("q");
    assert!(terminal.wait().success());
    let policy = std::fs::read_to_string(models.file("flights", "endpoint.toml")).expect("a file");
    assert!(policy.contains("champion = 'other'") || policy.contains("champion = \"other\""));
    load.finish().assert_answered_by(&["champion", "other"]);
}

#[test]
fn what_the_host_refuses_is_told_with_its_reason() {
    let (models, host) = flights();
    models.install("flights", "broken", guest("imports-unknown"));
    host.wait_for_state("flights", "broken", "refused");
    let mut terminal = top(&host);
    terminal.wait_for("▌flights");
    terminal.press("\r/brok\r");
    terminal.wait_for("▌broken");
    terminal.press("p");
    terminal.wait_for("The host does not do this:");
    terminal.press("\x1b");
    terminal.wait_until_gone("The host does not do this:");
    terminal.press("q");
    assert!(terminal.wait().success());
}
