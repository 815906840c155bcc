//! Splits, ensembles and routes on a real host: who is asked, who answers, and with which propensity.

use harness::{Client, Host, Models, Options, Record, Response, guest};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn start(models: &Models) -> Host {
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_settled("e");
    host
}

/// A call under an id that its scores can be found by.
fn ask(client: &mut Client, id: &str, x: f64, parameters: &Value) -> Response {
    let input = json!({ "name": "x", "datatype": "FP64", "shape": [1], "data": [x] });
    let body = json!({ "inputs": [input], "parameters": parameters }).to_string();
    let headers = [("content-type", "application/json"), ("idempotency-key", id)];
    let response = client.send("POST", "/v2/models/e/infer", &headers, body.as_bytes());
    let response = response.expect("a response");
    assert_eq!(response.status, 200, "{}", response.text());
    response
}

fn ask_x(client: &mut Client, id: &str, x: f64) -> Response {
    ask(client, id, x, &json!({}))
}

fn parameter(response: &Response, name: &str) -> Value {
    response.json()["parameters"][name].clone()
}

fn propensity(response: &Response) -> f64 {
    parameter(response, "propensity").as_f64().expect("a propensity")
}

/// The models in an answer of an ensemble, without their revisions.
fn members(response: &Response) -> Vec<String> {
    let members = parameter(response, "members");
    let members = members.as_str().expect("the members").split(',');
    members.map(|it| it.split('@').next().unwrap_or_default().to_owned()).collect()
}

/// The ids of the requests that a model has scored.
fn scored_by(scores: &[Record], model: &str) -> Vec<String> {
    let of_model = scores.iter().filter(|score| score.headers["model"] == model);
    of_model.map(|score| score.id().to_owned()).collect()
}

/// The arm of a key, by the formula as it is documented.
fn arm(seed: &str, arms: &[(&'static str, f64)], unit: &str) -> &'static str {
    let score = |(name, weight): (&str, f64)| {
        let digest = Sha256::digest([seed, name, unit].join("\0"));
        let first: [u8; 8] = std::array::from_fn(|index| digest[index]);
        let u = ((u64::from_be_bytes(first) >> 11) as f64 + 0.5) / 2_f64.powi(53);
        -u.ln() / weight
    };
    let least = arms.iter().min_by(|left, right| score(**left).total_cmp(&score(**right)));
    least.expect("at least one arm").0
}

#[test]
fn a_split_is_sticky_by_key_and_computed_by_others() {
    let models = Models::new();
    models.install("e", "old", guest("times-2"));
    models.install("e", "new", guest("times-3"));
    models.policy(
        "e",
        "deadline = '20s'
        key = 'x'
        [policy]
        kind = 'split'
        arm = [{ name = 'control', weight = 90, model = 'old' }, { weight = 10, model = 'new' }]",
    );
    let host = start(&models);
    let mut client = host.client();
    let mut arms = Vec::new();
    for key in 0..150 {
        let x = f64::from(key);
        let response = ask_x(&mut client, &format!("r{key}"), x);
        let expected = arm("e", &[("control", 90.0), ("new", 10.0)], &key.to_string());
        assert_eq!(parameter(&response, "course"), expected, "key {key}");
        let (factor, share) = if expected == "new" { (3.0, 0.1) } else { (2.0, 0.9) };
        assert_eq!(response.y(), Some(factor * x));
        assert!((propensity(&response) - share).abs() < 1e-12);
        arms.push(expected);
    }
    assert!(arms.contains(&"new") && arms.contains(&"control"));
    let host = host.restart();
    host.wait_until_settled("e");
    let mut client = host.client();
    for (key, arm) in (0..).zip(&arms).step_by(5) {
        let response = ask_x(&mut client, &format!("again{key}"), f64::from(key));
        assert_eq!(parameter(&response, "course"), *arm, "key {key}");
    }
    let metrics = Client::new(host.admin()).get("/metrics").expect("metrics").text();
    let counter = "understudy_course_answers_total{endpoint=\"e\",course=\"control\"}";
    assert!(metrics.contains(counter), "{metrics}");
    // The arms shadow each other.
    let scores = host.stop().topic("e", "scores");
    assert!(scored_by(&scores, "new").len() >= 150 && scored_by(&scores, "old").len() >= 150);
}

#[test]
fn a_ramp_goes_by_the_time_of_the_request() {
    let (starts_us, over_us) = (1_577_836_800_000_000_f64, 36_524.0 * 86_400e6);
    let models = Models::new();
    models.install("e", "old", guest("times-2"));
    models.install("e", "new", guest("times-3"));
    models.install("e", "newer", guest("times-5"));
    models.policy(
        "e",
        "deadline = '20s'
        key = 'x'
        [policy]
        kind = 'split'
        [[policy.arm]]
        model = 'old'
        weight = 50
        [[policy.arm]]
        model = 'new'
        weight = 0
        ramp = { to = 100, starts = 2020-01-01T00:00:00Z, over = '36524d' }
        [[policy.arm]]
        model = 'newer'
        weight = 0
        ramp = { to = 100, starts = 2100-01-01T00:00:00Z, over = '1d' }",
    );
    let host = start(&models);
    let mut client = host.client();
    let answers: Vec<_> =
        (0..60).map(|key| (key, ask_x(&mut client, &format!("r{key}"), f64::from(key)))).collect();
    let requests = host.stop().topic("e", "requests");
    let mut taken = Vec::new();
    for (key, response) in answers {
        let id = format!("r{key}");
        let request = requests.iter().find(|it| it.id() == id).expect("the request");
        let new = 100.0 * ((request.time_us as f64 - starts_us) / over_us);
        assert!((1.0..99.0).contains(&new), "this test is from another time: {new}");
        let expected = arm("e", &[("old", 50.0), ("new", new)], &key.to_string());
        assert_eq!(parameter(&response, "course"), expected, "key {key}");
        let weight = if expected == "new" { new } else { 50.0 };
        assert!((propensity(&response) - weight / (50.0 + new)).abs() < 1e-9);
        taken.push(expected);
    }
    assert!(taken.contains(&"new") && taken.contains(&"old"));
}

#[test]
fn an_ensemble_answers_with_its_quorum_and_leaves_the_rest_to_those_below() {
    let models = Models::new();
    models.install("e", "a", guest("identity"));
    models.install("e", "b", guest("times-3"));
    models.install("e", "slow", guest("loop-in-predict"));
    models.manifest("e", "slow", "limits = { cpu = '30s', wall = '1min', batch = 1 }");
    models.install("e", "refuses", guest("refuses"));
    models.install("e", "below", guest("times-7"));
    models.policy(
        "e",
        "deadline = '20s'
        policy = { kind = 'ensemble', combine = 'mean', quorum = 2, until = '200ms', members = [
            { model = 'slow' }, { model = 'b' }, { model = 'a' },
        ] }
        [[route]]
        when = 'inputs.x > 10.0'
        policy = { kind = 'ensemble', combine = 'weighted-mean', quorum = 2, members = [
            { model = 'b', weight = 3 }, { model = 'refuses' }, { model = 'a' },
        ] }
        [[route]]
        name = 'strict'
        when = 'inputs.x < 0.0'
        policy = { kind = 'ensemble', combine = 'median', quorum = 3, members = [
            { model = 'a' }, { model = 'refuses' }, { model = 'b' },
        ], below = [{ model = 'below' }] }",
    );
    let host = start(&models);
    let mut client = host.client();
    let response = ask_x(&mut client, "slow", 1.0);
    assert_eq!(members(&response), ["b", "a"], "in the order of the file");
    assert_eq!((response.y(), propensity(&response)), (Some(2.0), 1.0));
    assert_eq!(response.json()["model_version"], "ensemble:mean");
    assert_eq!(parameter(&response, "reason"), "preferred");
    assert!(scored_by(&host.topic("e", "scores"), "slow").is_empty(), "it waited for the slow one");

    let response = ask_x(&mut client, "weighted", 16.0);
    assert_eq!((members(&response), response.y()), (vec!["b".into(), "a".into()], Some(40.0)));
    assert_eq!(parameter(&response, "course"), "route[0]");

    let response = ask_x(&mut client, "below", -2.0);
    assert_eq!((response.model(), response.y()), (Some("below".into()), Some(-14.0)));
    assert_eq!(parameter(&response, "reason"), "preferred-failed");
    assert_eq!(parameter(&response, "course"), "strict");
    host.kill_hard();
}

/// A route that cannot be evaluated for most requests, one to a split with an ensemble, and one to
/// each of many clients.
const ROUTES: &str = "deadline = '20s'
        key = 'x'
        roles = { champion = 'champion', fallback = 'fallback' }
        [[route]]
        when = \"parameters.broken == 'yes'\"
        model = 'r1'
        [[route]]
        when = 'inputs.x >= 1000.0'
        policy = { kind = 'split', seed = 'spring', shadow = false, arm = [
            { name = 'one', weight = 1, model = 'r3' },
            { name = 'both', weight = 3, policy = { kind = 'ensemble', combine = 'mean', members = [
                { model = 'r1' }, { model = 'r2' },
            ] } },
        ] }
        [[route]]
        when = \"'client' in parameters\"
        models = 'client-*'
        choose = 'parameters.client'";

#[test]
fn a_route_leads_to_a_split_whose_arm_is_an_ensemble_and_costs_the_others_nothing() {
    let models = Models::new();
    models.install("e", "champion", guest("identity"));
    models.install("e", "fallback", guest("times-100"));
    for (model, factor) in [("r1", 2), ("r2", 4), ("r3", 9), ("client-a", 11), ("client-b", 13)] {
        models.install("e", model, guest(&format!("times-{factor}")));
    }
    models.policy("e", ROUTES);
    let host = start(&models);
    let mut client = host.client();
    let plain = ask_x(&mut client, "plain", 5.0);
    assert_eq!((plain.model(), plain.y()), (Some("champion".into()), Some(5.0)));
    assert_eq!((propensity(&plain), parameter(&plain, "course")), (1.0, Value::Null));
    let mut taken = (Vec::new(), Vec::new());
    for key in 1_000..1_030 {
        let (id, x) = (format!("r{key}"), f64::from(key));
        let response = ask_x(&mut client, &id, x);
        let expected = arm("spring", &[("one", 1.0), ("both", 3.0)], &key.to_string());
        assert_eq!(parameter(&response, "course"), format!("route[1]/{expected}"));
        if expected == "both" {
            assert_eq!(members(&response), ["r1", "r2"]);
            assert_eq!(response.y(), Some(3.0 * x));
            assert_eq!(propensity(&response), 0.75);
            taken.0.push(id);
        } else {
            assert_eq!((response.model(), response.y()), (Some("r3".into()), Some(9.0 * x)));
            assert_eq!(propensity(&response), 0.25);
            taken.1.push(id);
        }
    }
    let of_client = |name: &str| json!({ "client": name });
    let b = ask(&mut client, "of b", 2.0, &of_client("b"));
    assert_eq!((b.model(), b.y()), (Some("client-b".into()), Some(26.0)));
    assert_eq!((propensity(&b), parameter(&b, "course")), (1.0, json!("route[2]")));
    let nobody = ask(&mut client, "of nobody", 2.0, &of_client("z"));
    assert_eq!(nobody.model(), Some("champion".into()));
    let broken = ask(&mut client, "broken", 2.0, &json!({ "broken": "yes" }));
    assert_eq!((broken.model(), broken.y()), (Some("r1".into()), Some(4.0)));

    let metrics = Client::new(host.admin()).get("/metrics").expect("metrics").text();
    let errors = metrics.lines().find(|line| line.starts_with("understudy_route_errors_total{"));
    let errors = errors.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    assert_eq!(errors, Some(33), "every request without the parameter");
    let log = host.log();
    assert_eq!(log.matches("a route cannot be evaluated").count(), 1, "once a minute: {log}");

    let scores = host.stop().topic("e", "scores");
    let (both, one) = taken;
    assert!(!both.is_empty() && !one.is_empty());
    assert_eq!(scored_by(&scores, "champion").len(), 34);
    assert_eq!(scored_by(&scores, "client-a"), Vec::<String>::new());
    assert_eq!(scored_by(&scores, "client-b"), ["of b"]);
    assert_eq!(scored_by(&scores, "r3"), one);
    assert_eq!(scored_by(&scores, "r2"), both);
    assert_eq!(scored_by(&scores, "r1"), [both, vec!["broken".into()]].concat());
}

#[test]
fn predictions_that_do_not_fit_are_the_default_and_say_so() {
    let models = Models::new();
    models.install("e", "a", guest("identity"));
    models.install("e", "b", guest("echo"));
    models.policy(
        "e",
        "deadline = '20s'
        [policy]
        kind = 'ensemble'
        combine = 'mean'
        quorum = 2
        members = [{ model = 'a' }, { model = 'b' }]
        default = { y = [0.5] }",
    );
    let host = start(&models);
    host.wait_for("a warning about the outputs", |host| {
        host.log().contains("a and b of an ensemble differ in their outputs").then_some(())
    });
    let mut client = host.client();
    for id in ["r1", "r2"] {
        let response = ask_x(&mut client, id, 3.0);
        assert_eq!(parameter(&response, "reason"), "not-combinable");
        assert_eq!((response.model(), response.y()), (Some("default".into()), Some(0.5)));
    }
    let log = host.log();
    assert_eq!(log.matches("predictions of an ensemble do not fit").count(), 1, "{log}");
    host.stop();
}
