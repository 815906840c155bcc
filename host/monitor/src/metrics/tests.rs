//! What a scrape shows.

use std::time::Duration;

use message::{
    EndpointName, Fault, FaultClass, ModelName, Outcome, Prediction, Reason, Refusal, Revision,
    Role, Score, Time,
};

use super::{BrokerReading, BrokersReading, Build, Lane, Metrics, ModelTotals};

fn metrics() -> Metrics {
    Metrics::new(Build { version: "0.1.0", wasmtime: "48.0.8" })
}

fn score(outcome: Outcome) -> Score {
    Score {
        request: "1".into(),
        model: "gbdt".into(),
        revision: Revision::from_digest([0xab; 32]),
        outcome,
        time: Time::EPOCH,
        latency: Duration::from_micros(300),
        cpu: Duration::from_micros(20),
    }
}

fn prediction() -> Outcome {
    Outcome::Prediction(Prediction { outputs: Vec::new(), notes: Vec::new() })
}

fn fault(class: FaultClass) -> Outcome {
    Outcome::Fault(Fault { class, message: "a word of a guest".to_owned() })
}

fn names() -> (EndpointName, ModelName) {
    ("flights".into(), "gbdt".into())
}

#[track_caller]
fn check(metrics: &Metrics, lines: &[&str]) {
    let text = metrics.encode();
    for line in lines {
        assert!(text.lines().any(|found| found == *line), "no line `{line}` in\n{text}");
    }
}

#[test]
fn scores_are_counted_by_what_came_of_them() {
    let metrics = metrics();
    let (endpoint, model) = names();
    let model = metrics.endpoint(&endpoint).model(&model);
    let refusal = Outcome::Refusal(Refusal::Abstain("no".to_owned()));
    let outcomes = [prediction(), prediction(), refusal, fault(FaultClass::Cpu)];
    model.scored(&outcomes.map(score));
    check(
        &metrics,
        &[
            r#"understudy_scores_total{endpoint="flights",model="gbdt",outcome="prediction"} 2"#,
            r#"understudy_scores_total{endpoint="flights",model="gbdt",outcome="refusal"} 1"#,
            r#"understudy_scores_total{endpoint="flights",model="gbdt",outcome="fault"} 1"#,
            r#"understudy_faults_total{endpoint="flights",model="gbdt",class="cpu"} 1"#,
            r#"understudy_model_latency_seconds_bucket{le="0.00025",endpoint="flights",model="gbdt"} 0"#,
            r#"understudy_model_latency_seconds_bucket{le="0.0005",endpoint="flights",model="gbdt"} 4"#,
            r#"understudy_model_latency_seconds_bucket{le="+Inf",endpoint="flights",model="gbdt"} 4"#,
            r#"understudy_model_cpu_seconds_count{endpoint="flights",model="gbdt"} 4"#,
        ],
    );
    let cpu = Duration::from_micros(80);
    let totals = ModelTotals { predictions: 2, refusals: 1, faults: 1, cpu, ..Default::default() };
    assert_eq!(model.totals(), totals);
    assert!(!metrics.encode().contains("guest"));
}

#[test]
fn courses_and_what_went_wrong_with_routes_are_counted() {
    let metrics = metrics();
    let endpoint = metrics.endpoint(&names().0);
    endpoint.took_course(&"route[0]/new".into(), 2);
    endpoint.took_course(&"route[0]/new".into(), 1);
    endpoint.took_course(&"hawaii".into(), 1);
    endpoint.route_failed(4);
    endpoint.answered_by_ensemble(Reason::Preferred, 5);
    check(
        &metrics,
        &[
            r#"understudy_course_answers_total{endpoint="flights",course="route[0]/new"} 3"#,
            r#"understudy_course_answers_total{endpoint="flights",course="hawaii"} 1"#,
            r#"understudy_route_errors_total{endpoint="flights"} 4"#,
            r#"understudy_answers_total{endpoint="flights",chosen="ensemble",model="",reason="preferred"} 5"#,
        ],
    );
}

#[test]
fn answers_are_counted_by_what_was_chosen_and_why() {
    let metrics = metrics();
    let (endpoint, model) = names();
    let endpoint = metrics.endpoint(&endpoint);
    let model = endpoint.model(&model);
    endpoint.accepted(9);
    model.answered(Reason::Preferred, 5);
    model.answered(Reason::PreferredWasSlow, 0);
    endpoint.answered_by_default(Reason::NothingCame, 3);
    endpoint.answered_nothing(Reason::NoLiveModel, 1);
    endpoint.answered_after(Duration::from_millis(2));
    endpoint.set_open_mailboxes(4);
    endpoint.roster_changed("promoted");
    check(
        &metrics,
        &[
            r#"understudy_requests_total{endpoint="flights"} 9"#,
            r#"understudy_answers_total{endpoint="flights",chosen="score",model="gbdt",reason="preferred"} 5"#,
            r#"understudy_answers_total{endpoint="flights",chosen="default",model="",reason="nothing-came"} 3"#,
            r#"understudy_answers_total{endpoint="flights",chosen="nothing",model="",reason="no-live-model"} 1"#,
            r#"understudy_request_duration_seconds_sum{endpoint="flights"} 0.002"#,
            r#"understudy_open_mailboxes{endpoint="flights"} 4"#,
            r#"understudy_roster_changes_total{endpoint="flights",change="promoted"} 1"#,
        ],
    );
    assert!(!metrics.encode().contains("preferred-was-slow"), "what never happened is not there");
    assert_eq!(model.totals().answers, 5);
    assert_eq!((endpoint.requests(), endpoint.defaults(), endpoint.nothings()), (9, 3, 1));
}

#[test]
fn two_handles_count_together() {
    let metrics = metrics();
    let (endpoint, model) = names();
    for _ in 0..2 {
        let endpoint = metrics.endpoint(&endpoint);
        endpoint.accepted(1);
        endpoint.model(&model).scored(&[score(prediction())]);
    }
    assert_eq!(metrics.endpoint(&endpoint).requests(), 2);
    let line = r#"understudy_scores_total{endpoint="flights",model="gbdt",outcome="prediction"} 2"#;
    check(&metrics, &[line]);
}

#[test]
fn the_host_its_topics_and_its_build_are_there() {
    let metrics = metrics();
    let topic = metrics.endpoint(&"acme/fraud".into()).topic("requests");
    topic.set_extent(3, 10, 4_096);
    topic.set_poisoned(true);
    let flow = metrics.endpoint(&"acme/fraud".into()).flow();
    flow.set_lag(12);
    flow.buried("inputs");
    flow.returned(2);
    metrics.responded(200);
    metrics.responded(200);
    metrics.responded(7);
    metrics.set_open_calls(5, 1_000);
    check(
        &metrics,
        &[
            r#"understudy_build_info{version="0.1.0",wasmtime="48.0.8"} 1"#,
            r#"understudy_http_responses_total{status="200"} 2"#,
            r#"understudy_http_responses_total{status="500"} 1"#,
            "understudy_open_calls 5",
            "understudy_bodies_bytes 1000",
            r#"understudy_stream_bytes{endpoint="acme/fraud",topic="requests"} 4096"#,
            r#"understudy_stream_first_offset{endpoint="acme/fraud",topic="requests"} 3"#,
            r#"understudy_stream_next_offset{endpoint="acme/fraud",topic="requests"} 10"#,
            r#"understudy_stream_poisoned{endpoint="acme/fraud",topic="requests"} 1"#,
            r#"understudy_flow_lag{endpoint="acme/fraud"} 12"#,
            r#"understudy_dead_letters_total{endpoint="acme/fraud",reason="inputs"} 1"#,
            r#"understudy_returned_answers_total{endpoint="acme/fraud"} 2"#,
            "# EOF",
        ],
    );
}

#[test]
fn calls_on_a_shared_stream_are_counted_where_there_are_any() {
    let metrics = metrics();
    let endpoint = metrics.endpoint(&"flights".into());
    assert!(!metrics.encode().contains("understudy_waiting_calls{"));
    let calls = endpoint.calls();
    calls.set_waiting(3);
    calls.answered_here(1);
    calls.answered_elsewhere(2);
    calls.unanswered(4);
    calls.replies_sent(5);
    calls.replies_unsent(6);
    calls.replies_read(7);
    calls.replies_unclaimed(8);
    check(
        &metrics,
        &[
            r#"understudy_waiting_calls{endpoint="flights"} 3"#,
            r#"understudy_answered_calls_total{endpoint="flights",by="this_host"} 1"#,
            r#"understudy_answered_calls_total{endpoint="flights",by="another_host"} 2"#,
            r#"understudy_unanswered_calls_total{endpoint="flights"} 4"#,
            r#"understudy_replies_sent_total{endpoint="flights"} 5"#,
            r#"understudy_replies_unsent_total{endpoint="flights"} 6"#,
            r#"understudy_replies_read_total{endpoint="flights"} 7"#,
            r#"understudy_replies_unclaimed_total{endpoint="flights"} 8"#,
        ],
    );
    assert_eq!(endpoint.calls().totals().replies_unclaimed, 8);
}

#[test]
fn a_model_shows_what_it_is_now_and_nothing_once_forgotten() {
    let metrics = metrics();
    let (endpoint, model) = names();
    let model = metrics.endpoint(&endpoint).model(&model);
    let revision = |byte| Revision::from_digest([byte; 32]);
    model.set_info(revision(1), None, "warm");
    model.set_info(revision(2), Some(Role::Champion), "live");
    model.set_queue_depth(Lane::Shadow, 7);
    model.dropped(2);
    model.set_demoted(true);
    model.set_conduct(0.25, 0.75);
    model.late(3);
    check(
        &metrics,
        &[
            r#"understudy_model_info{endpoint="flights",model="gbdt",revision="020202020202",role="champion",state="live"} 1"#,
            r#"understudy_queue_depth{endpoint="flights",model="gbdt",lane="shadow"} 7"#,
            r#"understudy_shadow_drops_total{endpoint="flights",model="gbdt"} 2"#,
            r#"understudy_model_demoted{endpoint="flights",model="gbdt"} 1"#,
            r#"understudy_model_error_budget_left{endpoint="flights",model="gbdt"} 0.25"#,
            r#"understudy_model_late_share{endpoint="flights",model="gbdt"} 0.75"#,
            r#"understudy_late_scores_total{endpoint="flights",model="gbdt"} 3"#,
        ],
    );
    assert!(!metrics.encode().contains("010101010101"));
    model.scored(&[score(fault(FaultClass::Wall))]);
    model.answered(Reason::Preferred, 1);
    model.forget();
    assert!(!metrics.encode().contains("gbdt"), "{}", metrics.encode());
}

#[test]
fn refusals_are_counted_by_tenant_and_a_tenant_sees_its_own() {
    let metrics = metrics();
    let (endpoint, model) = names();
    metrics.endpoint(&endpoint).model(&model).scored(&[score(prediction())]);
    let fraud = metrics.endpoint(&EndpointName::from("acme/fraud"));
    fraud.model(&model).scored(&[score(prediction())]);
    metrics.refused("acme", "rate");
    metrics.refused("", "unknown");
    let its_scores =
        r#"understudy_scores_total{endpoint="acme/fraud",model="gbdt",outcome="prediction"} 1"#;
    let its_refusals = r#"understudy_refused_total{tenant="acme",why="rate"} 1"#;
    let strangers = r#"understudy_refused_total{tenant="",why="unknown"} 1"#;
    check(&metrics, &[its_scores, its_refusals, strangers]);
    let seen = metrics.encode_for("acme");
    assert!(seen.contains(its_scores) && seen.contains(its_refusals), "{seen}");
    assert!(!seen.contains("flights") && !seen.contains("unknown"), "{seen}");
    assert!(!seen.contains("understudy_build") && seen.ends_with("# EOF\n"), "{seen}");
}

#[test]
fn brokers_are_shown_as_they_are_now() {
    let metrics = metrics();
    assert!(!metrics.encode().contains("understudy_stream_unsent_bytes{"));
    let broker = |name: &str, is_up| BrokerReading {
        name: name.to_owned(),
        is_up,
        rtt: [Duration::from_millis(2), Duration::from_millis(30)],
        throttle: Duration::ZERO,
    };
    let mut reading = BrokersReading {
        backend: "kafka",
        brokers: vec![broker("a:1", true), broker("b:1", false)],
        troubles: vec![("unreachable", true, 3), ("tls", false, 0)],
        unsent_bytes: 700,
        failed_records: 2,
        ..BrokersReading::default()
    };
    metrics.set_brokers(&reading);
    check(
        &metrics,
        &[
            r#"understudy_stream_broker_up{broker="a:1"} 1"#,
            r#"understudy_stream_broker_up{broker="b:1"} 0"#,
            r#"understudy_stream_broker_rtt_seconds{broker="a:1",quantile="0.99"} 0.03"#,
            r#"understudy_stream_trouble{class="unreachable"} 1"#,
            r#"understudy_stream_trouble{class="tls"} 0"#,
            r#"understudy_stream_errors_total{class="unreachable"} 3"#,
            r#"understudy_stream_unsent_bytes{backend="kafka"} 700"#,
            r#"understudy_stream_failed_records_total{backend="kafka"} 2"#,
        ],
    );
    reading.brokers.pop();
    reading.troubles[0] = ("unreachable", false, 4);
    metrics.set_brokers(&reading);
    assert!(!metrics.encode().contains("b:1"));
    check(&metrics, &[r#"understudy_stream_trouble{class="unreachable"} 0"#]);
    check(&metrics, &[r#"understudy_stream_errors_total{class="unreachable"} 4"#]);
}
