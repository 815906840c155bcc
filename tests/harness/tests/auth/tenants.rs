//! A tenant can neither see nor name what belongs to another.

use std::fs;

use harness::{Host, Models, Response, infer_body, wait};

use crate::{Keys, call, infer, status, wait_for_answer};

/// Endpoints that are there and hidden, each with a name of the same length that is not there.
const HIDDEN: [(&str, &str); 4] = [
    ("other/risk", "other/nope"),
    ("other%2Frisk", "other%2Fnope"),
    ("flights", "nothing"),
    ("acmeco/e", "acmeco/x"),
];

/// Everything that can be asked of an endpoint `E`: the method, the path and the body.
fn questions() -> Vec<(&'static str, String, String)> {
    let body = infer_body("1", 2.0);
    let wrong = r#"{"inputs":[{"name":"other","shape":[1],"datatype":"FP32","data":[1]}]}"#;
    let mut questions = Vec::new();
    for path in ["", "/ready", "/stats"] {
        for model in ["", "/versions/champion", "/versions/none"] {
            questions.push(("GET", format!("/v2/models/E{model}{path}"), String::new()));
        }
    }
    for path in ["/load", "/unload", "/versions/champion/load", "/versions/champion/unload"] {
        questions.push(("POST", format!("/v2/repository/models/E{path}"), "{}".to_owned()));
    }
    for path in ["/infer", "/versions/champion/infer", "/versions/none/infer", "/records"] {
        for body in [&*body, wrong, "nonsense"] {
            questions.push(("POST", format!("/v2/models/E{path}"), body.to_owned()));
        }
    }
    questions
}

/// Everything that can be asked of an endpoint `E` on the admin listener.
fn admin_questions() -> Vec<(&'static str, String, String)> {
    let mut questions = Vec::new();
    for path in ["models", "history", "policy"] {
        questions.push(("GET", format!("/admin/endpoints/E/{path}"), String::new()));
    }
    let order = "[policy]\norder = [{ model = 'champion' }]\n";
    for body in [order, "nonsense"] {
        questions.push(("PUT", "/admin/endpoints/E/policy".to_owned(), body.to_owned()));
        questions.push(("POST", "/admin/endpoints/E/policy/diff".to_owned(), body.to_owned()));
    }
    let wasm = "no component".to_owned();
    questions.push(("PUT", "/admin/endpoints/E/models/champion".to_owned(), wasm));
    for verb in ["rollback", "pause", "resume"] {
        questions.push(("POST", format!("/admin/endpoints/E/{verb}"), String::new()));
    }
    for verb in ["promote", "rollback", "retire", "pause", "resume"] {
        let path = format!("/admin/endpoints/E/models/champion/{verb}?dry_run=true");
        questions.push(("POST", path, String::new()));
    }
    questions
}

fn models() -> Models {
    let models = Models::with_champion("acme/fraud", "times-2");
    for endpoint in ["other/risk", "flights", "acmeco/e"] {
        models.install(endpoint, "champion", harness::guest("times-3"));
        models.policy(endpoint, "deadline = '20s'\n[roles]\nchampion = 'champion'\n");
    }
    models
}

/// What a caller can tell replies apart by, but for when they came.
fn essence(reply: &Response, name: &str) -> (u16, Vec<(String, String)>, String) {
    let mut headers = reply.headers.clone();
    headers.retain(|(name, _)| name != "date");
    let text = reply.text().replace(name, "E").replace(&name.replace("%2F", "/"), "E");
    (reply.status, headers, text)
}

/// Waits until every endpoint is there, as the operator sees it.
fn wait_until_settled(host: &Host, token: &str) {
    wait::until(
        "four endpoints are settled",
        || host.log(),
        || {
            let status = status(host, token);
            let endpoints = status["endpoints"].as_array()?;
            let settled = endpoints.iter().filter(|endpoint| endpoint["settled"] == true);
            (settled.count() == 4).then_some(())
        },
    );
}

#[test]
fn what_belongs_to_another_is_what_does_not_exist() {
    let models = models();
    let keys = Keys::new();
    let all = ["--scope", "infer", "--scope", "observe", "--scope", "operate"];
    let acme = keys.make("acme", &[&all[..], &["--tenant", "acme"]].concat());
    let operator = keys.make("operator", &all);
    let host = keys.start(&models, "");
    wait_until_settled(&host, &operator);
    wait_for_answer(&host, "acme/fraud", &acme);
    let public = questions().into_iter().map(|question| (host.rest(), question));
    let admin = admin_questions().into_iter().map(|question| (host.admin(), question));
    for (address, (method, path, body)) in public.chain(admin) {
        for (there, not_there) in HIDDEN {
            let ask = |name: &str| {
                let path = path.replace('E', name);
                essence(&call(address, method, &path, Some(&acme), &body), name)
            };
            let (seen, expected) = (ask(there), ask(not_there));
            assert_eq!(seen, expected, "{method} {path} {body}: {there} and {not_there}");
            assert!((400..500).contains(&seen.0), "{method} {path}: {seen:?}");
        }
    }
    let missing = call(host.rest(), "GET", "/v2/models/acme/none", Some(&acme), "");
    assert_eq!(missing.json()["error"], "there is no endpoint `acme/none`; known: acme/fraud");
    let seen = call(host.rest(), "GET", "/v2/models/other/risk", Some(&operator), "");
    assert_eq!(seen.status, 200, "who has no tenant sees everything");
}

#[test]
fn no_page_tells_a_tenant_of_another() {
    let models = models();
    let keys = Keys::new();
    let all = ["--scope", "infer", "--scope", "observe", "--scope", "operate"];
    let acme = keys.make("acme", &[&all[..], &["--tenant", "acme"]].concat());
    let operator = keys.make("operator", &all);
    for endpoint in ["acme/fraud", "other/risk"] {
        fs::write(models.file(endpoint, "broken.toml"), "nonsense").unwrap();
    }
    let host = keys.start(&models, "");
    wait_until_settled(&host, &operator);
    wait_for_answer(&host, "acme/fraud", &acme);
    infer(&host, "other/risk", Some(&operator));
    assert_eq!(infer(&host, "other/risk", None).status, 401);
    wait::until(
        "both problems are told",
        || host.log(),
        || (status(&host, &operator)["problems"].as_array()?.len() == 2).then_some(()),
    );
    let public = ["/v2/models", "/v2/models/stats", "/v2/health/ready", "/v2"];
    let public = public.map(|path| (host.rest(), path));
    let admin = ["/status", "/metrics", "/admin/endpoints", "/v2/health/ready"];
    let admin = admin.map(|path| (host.admin(), path));
    for (address, path) in public.into_iter().chain(admin) {
        let page = call(address, "GET", path, Some(&acme), "");
        assert_eq!(page.status, 200, "{path}: {}", page.text());
        for word in ["risk", "flights", "acmeco", "operator", "other/"] {
            assert!(!page.text().contains(word), "{path} says {word}: {}", page.text());
        }
    }
    let index = call(host.rest(), "POST", "/v2/repository/index", Some(&acme), "{}");
    assert!(!index.text().contains("risk") && index.text().contains("acme/fraud"));
    let its_own = status(&host, &acme);
    assert_eq!(its_own["endpoints"][0]["name"], "acme/fraud");
    let problems: Vec<_> = its_own["problems"].as_array().unwrap().iter().collect();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].as_str().unwrap().starts_with("acme/fraud/broken.toml"), "{problems:?}");
    let metrics = call(host.admin(), "GET", "/metrics", Some(&acme), "").text();
    assert!(metrics.contains("understudy_requests_total{endpoint=\"acme/fraud\"}"), "{metrics}");
}

#[test]
fn a_request_says_whose_it_is_and_nobody_else_can() {
    let models = models();
    let keys = Keys::new();
    let acme = keys.make("acme", &["--scope", "infer", "--tenant", "acme"]);
    let operator = keys.make("operator", &["--scope", "infer", "--scope", "observe"]);
    let host = keys.start(&models, "");
    wait_until_settled(&host, &operator);
    wait_for_answer(&host, "acme/fraud", &acme);
    let records = infer_body("1", 1.0);
    let path = "/v2/models/acme/fraud/records";
    assert_eq!(call(host.rest(), "POST", path, Some(&acme), &records).status, 200);
    wait_for_answer(&host, "flights", &operator);
    let bearer = format!("Bearer {operator}");
    let forged = [("authorization", bearer.as_str()), ("tenant", "acme")];
    let body = infer_body("1", 1.0);
    let mut client = host.client();
    let reply = client.send("POST", "/v2/models/flights/infer", &forged, body.as_bytes()).unwrap();
    assert_eq!(reply.status, 200);
    let tenants = |endpoint: &str| {
        let records = host.topic(endpoint, "requests");
        assert!(!records.is_empty());
        records.into_iter().map(|mut record| record.headers.remove("tenant")).collect::<Vec<_>>()
    };
    assert!(tenants("acme/fraud").iter().all(|tenant| tenant.as_deref() == Some("acme")));
    assert!(tenants("flights").iter().all(Option::is_none));
}
