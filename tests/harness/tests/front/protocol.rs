//! The Open Inference Protocol as the real host speaks it.

use harness::{Client, Models, Options, guest, infer_body};
use serde_json::json;

use crate::{host, recorded, start};

#[test]
fn an_answer_says_who_gave_it_and_why_and_is_the_one_that_is_recorded() {
    let (_models, host) = host();
    let response = host.client().infer("e", 3.0).unwrap();
    let document = response.json();
    assert_eq!(response.status, 200);
    assert_eq!(document["model_name"], "e");
    assert_eq!(document["id"], "1");
    assert_eq!(document["parameters"]["reason"], "preferred");
    assert!(document["parameters"]["latency_us"].is_u64(), "{document}");
    let output = json!([{ "name": "y", "datatype": "FP64", "shape": [1], "data": [6.0] }]);
    assert_eq!(document["outputs"], output);
    let live = host.model("e", "champion").unwrap();
    assert_eq!(response.model().as_deref(), Some("champion"));
    assert_eq!(response.revision().as_deref(), live["revision"].as_str());
    let answers = host.topic("e", "answers");
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].value, document);
    assert_eq!(document["parameters"]["request_id"], answers[0].id());
}

#[test]
fn two_callers_with_the_same_id_are_two_requests() {
    let (_models, host) = host();
    let (one, two) = (host.client().infer("e", 3.0), host.client().infer("e", 4.0));
    let (one, two) = (one.unwrap().json(), two.unwrap().json());
    assert_eq!((&one["id"], &two["id"]), (&json!("1"), &json!("1")));
    assert_ne!(one["parameters"]["request_id"], two["parameters"]["request_id"]);
    assert_ne!(one["outputs"], two["outputs"]);
    assert_eq!(recorded(&host), (2, 2));
}

#[test]
fn one_model_can_be_asked_alone_and_nothing_of_it_is_recorded() {
    let (models, host) = host();
    models.install("e", "triple", guest("times-3"));
    models.install("e", "prude", guest("refuses"));
    models.install("e", "broken", guest("flaky"));
    for model in ["triple", "prude", "broken"] {
        host.wait_until_live("e", model);
    }
    let mut client = host.client();
    let response = client.infer_model("e", "triple", 3.0).unwrap();
    assert_eq!((response.status, response.y()), (200, Some(9.0)), "{}", response.text());
    assert_eq!(response.model().as_deref(), Some("triple"));
    let refused = client.infer_model("e", "prude", 3.0).unwrap();
    assert_eq!(refused.status, 400);
    let error = refused.error().unwrap();
    assert_eq!(error, "the model refused (failed): I would rather not");
    let trapped = client.infer_model("e", "broken", -1.0).unwrap();
    assert_eq!(trapped.status, 500);
    let error = trapped.error().unwrap();
    assert!(error.starts_with("the model broke (panic): "), "{error}");
    assert_eq!(recorded(&host), (0, 0));
    assert_eq!(host.topic("e", "scores"), []);
}

#[test]
fn metadata_readiness_and_health_are_those_of_what_runs() {
    let (models, host) = host();
    models.install("e", "mute", guest("trap-in-describe"));
    host.wait_for_state("e", "mute", "refused");
    let mut client = host.client();
    let mut get = |path: &str| {
        let response = client.get(path).unwrap();
        (response.status, response.json())
    };
    assert_eq!(get("/v2/health/live"), (200, json!({ "live": true })));
    assert_eq!(get("/v2/health/ready").0, 200);
    let (status, server) = get("/v2");
    assert_eq!((status, &server["name"]), (200, &json!("understudy")));
    assert_eq!(get("/v2/models").1, json!({ "models": [{ "name": "e" }] }));
    let (status, endpoint) = get("/v2/models/e");
    assert_eq!(status, 200);
    assert_eq!(endpoint["versions"], json!(["champion"]));
    let tensor = |name| json!([{ "name": name, "datatype": "FP64", "shape": [1] }]);
    assert_eq!((&endpoint["inputs"], &endpoint["outputs"]), (&tensor("x"), &tensor("y")));
    assert_eq!(get("/v2/models/e/versions/champion").1["inputs"], tensor("x"));
    assert_eq!(get("/v2/models/e/ready"), (200, json!({ "name": "e", "ready": true })));
    assert_eq!(get("/v2/models/e/versions/champion/ready").0, 200);
    let (status, mute) = get("/v2/models/e/versions/mute/ready");
    assert_eq!((status, &mute["ready"]), (503, &json!(false)));
}

#[test]
fn a_host_without_models_is_alive_and_not_ready() {
    let models = Models::new();
    let host = harness::Host::start(&models.path(), Options::default());
    let mut client = host.client();
    assert_eq!(client.get("/v2/health/live").unwrap().status, 200);
    let ready = client.get("/v2/health/ready").unwrap();
    assert_eq!(ready.status, 503);
    assert_eq!(ready.error().as_deref(), Some("there is no endpoint"));
    models.install("e", "champion", guest("times-2"));
    models.policy("e", "deadline = '20s'\n[roles]\nchampion = 'champion'\n");
    host.wait_for("the endpoint is there", |host| host.endpoint("e"));
    host.wait_for("the host is ready", |host| {
        let ready = host.client().get("/v2/health/ready").ok()?;
        (ready.status == 200).then_some(())
    });
    assert_eq!(client.infer("e", 3.0).unwrap().status, 200);
}

#[test]
fn the_parameter_timeout_shortens_the_deadline_and_never_lengthens_it() {
    let models = Models::with_champion("e", "times-2");
    models.policy("e", "deadline = '5s'\n[roles]\nchampion = 'champion'\n");
    let host = start(&models, Options::default());
    for timeout_us in [2_000_000_u64, 60_000_000] {
        let parameters = format!("\"parameters\":{{\"timeout\":{timeout_us}}},\"inputs\"");
        let body = infer_body("1", 3.0).replace("\"inputs\"", &parameters);
        assert_eq!(host.client().post("/v2/models/e/infer", body).unwrap().y(), Some(6.0));
    }
    let allowed_us = |record: &harness::Record| {
        record.headers["deadline-us"].parse::<u64>().unwrap() - record.time_us
    };
    let allowed: Vec<_> = host.topic("e", "requests").iter().map(allowed_us).collect();
    assert_eq!(allowed, [2_000_000, 5_000_000]);
}

#[test]
fn who_is_too_slow_for_a_timeout_gives_way_to_the_default() {
    let models = Models::with_champion("e", "loop-in-predict");
    let policy = "[policy]\nkind = 'preference'\norder = [{ model = 'champion' }]\n";
    let roles = "deadline = '30s'\n[roles]\nchampion = 'champion'\n";
    models.policy("e", &format!("{roles}{policy}default = {{ y = [0.5] }}\n"));
    models.manifest("e", "champion", "[limits]\ncpu = '1min'\nwall = '1min'\n");
    let host = start(&models, Options::default());
    let body =
        infer_body("1", 3.0).replace("\"inputs\"", "\"parameters\":{\"timeout\":30000},\"inputs\"");
    let response = host.client().post("/v2/models/e/infer", &body).unwrap();
    assert_eq!((response.status, response.y()), (200, Some(0.5)), "{}", response.text());
    assert_eq!(response.model().as_deref(), Some("default"));
    assert_eq!(response.json()["parameters"]["reason"], "nothing-came");
    // Without a default there is nothing to say but that.
    models.policy("e", roles);
    let nothing = host.wait_for("the default is gone", |host| {
        let response = host.client().post("/v2/models/e/infer", &body).unwrap();
        (response.status != 200).then_some(response)
    });
    assert_eq!(nothing.status, 504, "{}", nothing.text());
    assert!(nothing.error().is_some(), "{}", nothing.text());
}

#[test]
fn the_metrics_have_a_series_for_whatever_happened() {
    let (_models, host) = host();
    let mut client = host.client();
    for x in 0..5 {
        assert_eq!(client.infer("e", f64::from(x)).unwrap().status, 200);
    }
    assert_eq!(client.post("/v2/models/nobody/infer", infer_body("1", 1.0)).unwrap().status, 404);
    let expected = [
        "understudy_requests_total{endpoint=\"e\"} 5",
        "understudy_answers_total{endpoint=\"e\",chosen=\"score\",model=\"champion\",reason=\"preferred\"} 5",
        "understudy_scores_total{endpoint=\"e\",model=\"champion\",outcome=\"prediction\"} 5",
        "understudy_request_duration_seconds_count{endpoint=\"e\"} 5",
        "understudy_model_latency_seconds_count{endpoint=\"e\",model=\"champion\"} 5",
        "understudy_open_mailboxes{endpoint=\"e\"} 0",
        "understudy_stream_next_offset{endpoint=\"e\",topic=\"requests\"} 5",
        "understudy_http_responses_total{status=\"200\"} 5",
        "understudy_http_responses_total{status=\"404\"} 1",
        "# EOF",
    ];
    // Callers are answered before everything is counted.
    host.wait_for(&format!("the metrics have {expected:#?}"), |host| {
        let response = Client::new(host.admin()).get("/metrics").unwrap();
        assert_eq!(response.status, 200);
        let kind = response.header("content-type").unwrap();
        assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
        let text = response.text();
        let is_there = |line: &&str| text.lines().any(|found| found == *line);
        expected.iter().all(is_there).then_some(())
    });
    assert_eq!(Client::new(host.admin()).get("/v2/models").unwrap().status, 404);
}
