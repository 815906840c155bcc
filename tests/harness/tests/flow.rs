//! Endpoints that are fed and read by topics alone: what becomes of each record of a source, where
//! answers go, and that neither garbage nor a crash loses or repeats anything.

use std::collections::{BTreeMap, BTreeSet};

use harness::{Client, Host, Models, Options, Record, guest, infer_body, read_topic, understudy};

const FLOW: &str = "
    deadline = '20s'
    roles = { champion = 'champion' }
    [flow]
    source = 'orders'
    answers = 'decisions'
    return_to = ['replies-*', 'audit']";

/// A header of a call.
type Header<'a> = (&'a str, &'a str);

fn models(champion: &str, policy: &str) -> Models {
    let models = Models::new();
    models.install("e", "champion", guest(champion));
    models.policy("e", policy);
    models
}

fn start(models: &Models) -> Host {
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_settled("e");
    host
}

/// Writes lines to a plain topic, with headers for each record, as soon as the topic is there.
fn write(host: &Host, topic: &str, headers: &[Header<'_>], body: &[u8]) {
    let mut headers = headers.to_vec();
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        headers.push(("content-type", "application/x-ndjson"));
    }
    let path = format!("/v2/topics/{topic}/records");
    host.wait_for("the topic takes records", |host| {
        let response = host.client().send("POST", &path, &headers, body).expect("a response");
        assert!([200, 404].contains(&response.status), "{}", response.text());
        (response.status == 200).then_some(())
    });
}

fn lines(ids: impl Iterator<Item = u64>) -> String {
    ids.map(|id| infer_body(&format!("o-{id}"), id as f64) + "\n").collect()
}

/// Waits until a topic holds so many records.
fn wait_for_records(host: &Host, folder: &str, topic: &str, count: usize) -> Vec<Record> {
    host.wait_for(&format!("{folder}/{topic} holds {count} records"), |host| {
        let records = read_topic(&host.data(), folder, topic);
        (records.len() >= count).then_some(records)
    })
}

fn plain(host: &Host, topic: &str, count: usize) -> Vec<Record> {
    wait_for_records(host, "topics", topic, count)
}

/// What each request was answered with.
fn by_id(answers: &[Record]) -> BTreeMap<String, Option<f64>> {
    answers.iter().map(|answer| (answer.id().to_owned(), y(answer))).collect()
}

fn y(record: &Record) -> Option<f64> {
    record.value["outputs"][0]["data"][0].as_f64()
}

#[test]
fn what_a_topic_brings_is_answered_and_the_answer_goes_where_it_is_wanted() {
    let models = models("times-2", FLOW);
    let host = start(&models);
    let to_a = [("understudy-header-return-to", "topic:replies-a")];
    write(&host, "orders", &to_a, lines(0..50).as_bytes());
    write(&host, "orders", &[], lines(50..60).as_bytes());
    // Records need no id: the place in the source is one.
    write(&host, "orders", &[], infer_body("", 7.0).replace("\"id\":\"\",", "").as_bytes());
    let decisions = plain(&host, "decisions", 61);
    let ids: BTreeSet<&str> = decisions.iter().map(Record::id).collect();
    assert_eq!((decisions.len(), ids.len()), (61, 61));
    assert!(ids.contains("orders-60"), "{ids:?}");
    let returned = plain(&host, "replies-a", 50);
    assert_eq!(returned.len(), 50);
    for record in &returned {
        let x: f64 = record.id().strip_prefix("o-").and_then(|id| id.parse().ok()).expect("an id");
        assert_eq!(y(record), Some(2.0 * x));
        assert_eq!((&*record.headers["endpoint"], &*record.headers["reason"]), ("e", "preferred"));
        assert!(record.headers["request-offset"].parse::<u64>().is_ok());
    }
    let answers = host.topic("e", "answers");
    assert_eq!(answers.len(), 61);
    let requests = host.topic("e", "requests");
    let offsets: Vec<_> = requests.iter().map(|it| it.headers["source-offset"].clone()).collect();
    assert_eq!(offsets, (0..61).map(|offset| offset.to_string()).collect::<Vec<_>>());
    assert!(requests.iter().all(|request| request.headers["source-topic"] == "orders"));
    // A call gets its answer, and so does the topic that it names.
    let ask = |topic: &str| {
        let headers = [("content-type", "application/json"), ("return-to", topic)];
        let body = infer_body("called", 8.0).into_bytes();
        host.client().send("POST", "/v2/models/e/infer", &headers, &body).expect("a response")
    };
    assert_eq!(ask("topic:audit").y(), Some(16.0));
    assert_eq!(y(&plain(&host, "audit", 1)[0]), Some(16.0));
    let refused = ask("topic:elsewhere");
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("found topic"), "{}", refused.text());
    let status = host.wait_for("all is read", |host| {
        host.endpoint("e").filter(|endpoint| endpoint["flow"]["lag"] == 0)
    });
    assert_eq!(status["flow"]["source"], "orders");
    assert_eq!(
        (&status["flow"]["next_offset"], &status["flow"]["returned"]),
        (&61.into(), &113.into())
    );
    let metrics = Client::new(host.admin()).get("/metrics").expect("metrics").text();
    for line in [
        "understudy_flow_lag{endpoint=\"e\"} 0",
        "understudy_returned_answers_total{endpoint=\"e\"} 113",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    let data = host.data();
    let read =
        understudy(["read", "--topic", "replies-a", "--data", data.to_str().expect("a path")]);
    assert_eq!(String::from_utf8_lossy(&read.stdout).lines().count(), 50);
    host.stop();
}

#[test]
fn what_is_no_request_is_kept_byte_for_byte_with_the_reason_and_holds_nothing_up() {
    let models = models("times-2", FLOW);
    let host = start(&models);
    let raw = [("content-type", "application/octet-stream")];
    let bad: [(&[u8], &[Header<'_>], &str, &str); 6] = [
        (b"not json", &[], "document", "expected"),
        (b"\xff\x00\nbytes", &raw, "document", ""),
        (br#"{"inputs":[]}"#, &[], "inputs", "found no \"x\""),
        (
            br#"{"inputs":[{"name":"x","datatype":"INT32","shape":[1],"data":[1]}]}"#,
            &[],
            "inputs",
            "found INT32 [1], expected FP64 [1]",
        ),
        (
            &infer_body("lost", 1.0).into_bytes(),
            &[("understudy-header-return-to", "topic:elsewhere")],
            "return-address",
            "found topic \"elsewhere\", expected one of [\"replies-*\", \"audit\"]",
        ),
        (
            &infer_body("late", 1.0).into_bytes(),
            &[("understudy-header-deadline-us", "soon"), ("understudy-header-mine", "kept")],
            "header",
            "deadline-us",
        ),
    ];
    for (number, (bytes, headers, _, _)) in (0..).zip(&bad) {
        write(&host, "orders", headers, bytes);
        write(&host, "orders", &[], lines(number..number + 1).as_bytes());
    }
    let letters = wait_for_records(&host, "e", "dead-letters", bad.len());
    assert_eq!(letters.len(), bad.len());
    for (index, (letter, (bytes, _, class, reason))) in letters.iter().zip(&bad).enumerate() {
        assert_eq!(letter.bytes, *bytes, "{letter:?}");
        assert_eq!(letter.headers["reason-class"], *class, "{letter:?}");
        assert!(letter.headers["reason"].contains(reason), "{letter:?}");
        assert_eq!(letter.headers["source-topic"], "orders");
        assert_eq!(letter.headers["source-offset"], (2 * index).to_string());
        assert!(letter.headers["time-us"].parse::<u64>().is_ok());
    }
    assert_eq!(letters[4].headers["return-to"], "topic:elsewhere");
    assert_eq!(
        (&*letters[5].headers["deadline-us"], &*letters[5].headers["mine"]),
        ("soon", "kept")
    );
    let answers = wait_for_records(&host, "e", "answers", bad.len());
    let expected: BTreeMap<String, Option<f64>> =
        (0..6).map(|x| (format!("o-{x}"), Some(f64::from(2 * x)))).collect();
    assert_eq!(by_id(&answers), expected);
    let metrics = Client::new(host.admin()).get("/metrics").expect("metrics").text();
    for (class, count) in [("document", 2), ("inputs", 2), ("return-address", 1), ("header", 1)] {
        let line =
            format!("understudy_dead_letters_total{{endpoint=\"e\",reason=\"{class}\"}} {count}");
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
    let data = host.data();
    let data = data.to_str().expect("a path");
    let read = understudy(["read", "e", "dead-letters", "--json", "--data", data]);
    assert_eq!(String::from_utf8_lossy(&read.stdout).lines().count(), bad.len());
    // Nobody makes a topic by writing to it.
    let response = host.client().post("/v2/topics/nobodys/records", "x").expect("a response");
    assert_eq!(response.status, 404, "{}", response.text());
    assert!(response.text().contains("decisions") || response.text().contains("orders"));
    host.stop();
}

/// Every third record is no request.
fn mixed(ids: std::ops::Range<u64>) -> String {
    let line = |id: u64| match id % 3 {
        2 => format!("garbage {id}\n"),
        _ => infer_body(&format!("o-{id}"), id as f64) + "\n",
    };
    ids.map(line).collect()
}

#[test]
fn every_record_becomes_one_answer_or_one_dead_letter_though_the_host_is_killed_again_and_again() {
    const BATCH: u64 = 900;
    let models = models("times-2", FLOW);
    let mut host = start(&models);
    for round in 0..4 {
        let to_audit = [("understudy-header-return-to", "topic:audit")];
        write(&host, "orders", &to_audit, mixed(round * BATCH..(round + 1) * BATCH).as_bytes());
        // Some of it is dealt with, then the power is cut.
        let some = (round * BATCH + 40 * round) as usize * 2 / 3;
        wait_for_records(&host, "e", "answers", some);
        host = host.kill_hard().start();
    }
    let total = 4 * BATCH;
    host.wait_for("all is read", |host| {
        let endpoint = host.endpoint("e")?;
        let flow = &endpoint["flow"];
        (flow["next_offset"] == total && flow["lag"] == 0).then_some(())
    });
    let good = (0..total).filter(|id| id % 3 != 2).count();
    wait_for_records(&host, "e", "answers", good);
    let stopped = host.stop();
    let mut answered: BTreeMap<String, u64> = BTreeMap::new();
    for answer in stopped.topic("e", "answers") {
        *answered.entry(answer.id().to_owned()).or_default() += 1;
    }
    let expected: BTreeMap<String, u64> =
        (0..total).filter(|id| id % 3 != 2).map(|id| (format!("o-{id}"), 1)).collect();
    assert_eq!(answered, expected);
    let letters = stopped.topic("e", "dead-letters");
    let buried: Vec<_> = letters.iter().map(|it| it.headers["source-offset"].clone()).collect();
    let expected: Vec<_> = (0..total).filter(|id| id % 3 == 2).map(|id| id.to_string()).collect();
    assert_eq!(buried, expected);
    // Returned at least once, and the id tells.
    let returned: BTreeSet<String> =
        stopped.topic("topics", "audit").iter().map(|it| it.id().to_owned()).collect();
    assert_eq!(returned.len(), good);
}

#[test]
fn a_source_is_read_no_faster_than_its_endpoint_answers() {
    const RECORDS: u64 = 400;
    let slow = format!("{FLOW}\n[limits]\nqueue = 8\nbatch = 1");
    let models = models("slow-5", &slow);
    models.manifest("e", "champion", "limits = { cpu = '10s', wall = '1min' }");
    let host = start(&models);
    write(&host, "orders", &[], lines(0..RECORDS).as_bytes());
    let mut most = 0;
    host.wait_for("all is answered", |host| {
        let endpoint = host.endpoint("e")?;
        let count = |topic: &str| endpoint["topics"][topic]["end"].as_u64().expect("an offset");
        let (requests, answers) = (count("requests"), count("answers"));
        most = most.max(requests.saturating_sub(answers));
        (answers == RECORDS).then_some(())
    });
    assert!((1..=24).contains(&most), "{most} requests were open at once");
    host.stop();
}

#[test]
fn an_endpoint_can_be_fed_by_the_requests_of_another() {
    let models = models("times-2", "deadline = '20s'\nroles = { champion = 'champion' }");
    models.install("after", "champion", guest("times-3"));
    models.policy(
        "after",
        "deadline = '20s'
        roles = { champion = 'champion' }
        flow = { source = 'e/requests' }",
    );
    let host = start(&models);
    host.wait_until_settled("after");
    let mut client = host.client();
    for x in 0..20 {
        assert_eq!(
            client.infer("e", f64::from(x)).expect("a response").y(),
            Some(f64::from(2 * x))
        );
    }
    let after = wait_for_records(&host, "after", "answers", 20);
    let requests = host.topic("e", "requests");
    let x = |request: &Record| request.value["inputs"][0]["data"][0].as_f64();
    let expected: BTreeMap<String, Option<f64>> =
        requests.iter().map(|it| (it.id().to_owned(), x(it).map(|x| 3.0 * x))).collect();
    assert_eq!(by_id(&after), expected);
    host.stop();
}

#[test]
fn an_endpoint_of_a_tenant_reads_no_topic_of_anybody_else() {
    let models = Models::new();
    models.install("acme/fraud", "champion", guest("times-2"));
    models.policy("acme/fraud", FLOW);
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_settled("acme/fraud");
    let status = host.endpoint("acme/fraud").expect("the endpoint");
    let problem = status["flow"]["problem"].as_str().expect("a problem");
    assert!(problem.contains("found topic \"orders\""), "{problem}");
    let own = FLOW.replace("'orders'", "'acme/orders'").replace("'decisions'", "'acme/d'");
    models.policy("acme/fraud", &own.replace("'replies-*', 'audit'", "'acme/*'"));
    write(&host, "acme/orders", &[], lines(0..3).as_bytes());
    wait_for_records(&host, "acme/fraud", "answers", 3);
    let metrics = Client::new(host.admin()).get("/metrics").expect("metrics").text();
    assert!(metrics.contains("understudy_flow_lag{endpoint=\"acme/fraud\"}"), "{metrics}");
    host.stop();
}
