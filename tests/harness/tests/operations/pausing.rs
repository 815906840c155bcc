//! `pause` and `resume`: a model that is not asked, an endpoint that turns callers away.

use harness::infer_body;
use serde_json::Value;

use crate::Theatre;

#[test]
fn a_paused_model_is_not_asked_until_it_is_resumed() {
    let theatre = Theatre::new();
    theatre.warm("newcomer");
    let said = theatre.run(&["pause", "e", "newcomer", "--why", "it costs too much"]);
    assert!(said.output().starts_with("pause newcomer at e: taken up\n"), "{}", said.out);
    assert_eq!(theatre.text("newcomer.toml"), "paused = true\n");
    let model = || theatre.host.model("e", "newcomer").unwrap();
    assert_eq!(model()["state"], "paused");
    let loads = theatre.events("live").len();
    for _ in 0..3 {
        assert_eq!(theatre.ask(), "champion");
    }
    let response = theatre.host.client().infer_model("e", "newcomer", 1.0).unwrap();
    assert_eq!(
        (response.status, response.error().unwrap().as_str()),
        (503, "not ready: it is paused")
    );
    let said = theatre.run(&["promote", "e", "newcomer"]);
    assert!(said.failure().contains("it is not live: it is paused"), "{}", said.error);
    theatre.run(&["resume", "e", "newcomer"]).output();
    assert!(!theatre.models.file("e", "newcomer.toml").exists());
    assert_eq!(model()["state"], "live");
    // Three calls went by without it.
    assert_eq!(model()["predictions"], 1);
    // It was neither compiled nor warmed again for that.
    assert_eq!(theatre.events("live").len(), loads);
    let why: Vec<Value> = theatre.events("pause").into_iter().map(|it| it["why"].clone()).collect();
    assert_eq!(why, ["it costs too much"]);
    theatre.host.stop();
}

#[test]
fn a_champion_is_paused_where_another_answers_in_its_place() {
    let theatre = Theatre::new();
    theatre.warm("newcomer");
    let said = theatre.run(&["pause", "e", "champion"]);
    assert!(said.failure().contains("no other model that may answer is live"), "{}", said.error);
    theatre.run(&["promote", "e", "newcomer"]).output();
    let said = theatre.run(&["pause", "e", "newcomer"]);
    assert!(said.output().contains("newcomer no longer answers"), "{}", said.out);
    assert_eq!(theatre.ask(), "champion");
    theatre.run(&["resume", "e", "newcomer"]).output();
    assert_eq!(theatre.ask(), "newcomer");
    theatre.host.stop();
}

#[test]
fn a_manifest_keeps_its_comments_through_a_pause() {
    let theatre = Theatre::new();
    let manifest = "# ours\n\n[limits]\ncpu = '1s' # generous\n";
    theatre.models.manifest("e", "newcomer", manifest);
    theatre.host.wait_for("the manifest is taken", |_| {
        (!theatre.events("manifest-changed").is_empty()).then_some(())
    });
    theatre.run(&["pause", "e", "newcomer"]).output();
    let paused = "# ours\n\npaused = true\n\n[limits]\ncpu = '1s' # generous\n";
    assert_eq!(theatre.text("newcomer.toml"), paused);
    theatre.run(&["resume", "e", "newcomer"]).output();
    assert_eq!(theatre.text("newcomer.toml"), manifest);
    theatre.host.stop();
}

#[test]
fn a_paused_endpoint_turns_calls_and_records_away_with_the_reason() {
    let theatre = Theatre::new();
    assert_eq!(theatre.ask(), "champion");
    let before = theatre.host.topic("e", "requests").len();
    let text = theatre.text("endpoint.toml");
    theatre.run(&["pause", "e", "--why", "the numbers are wrong"]).output();
    let mut client = theatre.host.client();
    let refused = |response: harness::Response| {
        assert_eq!(response.status, 503, "{}", response.text());
        assert_eq!(response.error().unwrap(), "not ready: the endpoint is paused");
        assert!(response.header("retry-after").is_some());
    };
    refused(client.infer("e", 1.0).unwrap());
    refused(client.infer_model("e", "champion", 1.0).unwrap());
    let headers = [("content-type", "application/x-ndjson")];
    let body = infer_body("1", 1.0);
    refused(client.send("POST", "/v2/models/e/records", &headers, body.as_bytes()).unwrap());
    assert_eq!(client.get("/v2/models/e/ready").unwrap().status, 503);
    assert_eq!(theatre.host.topic("e", "requests").len(), before);
    assert_eq!(theatre.run(&["models", "e", "--json"]).json()["paused"], true);
    theatre.run(&["resume", "e"]).output();
    assert_eq!(theatre.text("endpoint.toml"), text);
    assert_eq!(theatre.ask(), "champion");
    theatre.host.stop();
}
