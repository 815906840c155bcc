//! Clients that others have written, against the real host: the programs of `tests/interop`.

use harness::{Host, Models, Options, Record, guest, python, understudy};
use serde_json::{Value, json};

/// A host with an endpoint for each thing that the programs try.
fn host() -> (Models, Host) {
    let models = Models::with_champion("e", "times-2");
    models.install("e", "triple", guest("times-3"));
    models.install("e", "prude", guest("refuses"));
    models.install("e", "broken", guest("trap-in-describe"));
    let policy = "deadline = '20s'\n[roles]\nchampion = 'champion'\n";
    models.install("spare", "champion", guest("times-2"));
    models.install("spare", "second", guest("times-3"));
    models.policy("spare", policy);
    models.install("slow", "champion", guest("loop-in-predict"));
    models.manifest("slow", "champion", "[limits]\ncpu = '3s'\nwall = '1min'\n");
    models.policy("slow", policy);
    for (endpoint, name) in
        [("all", "every-datatype"), ("halves", "datatypes-14"), ("typed", "datatypes-13")]
    {
        models.install(endpoint, "champion", guest(name));
        models.policy(endpoint, policy);
    }
    let host = Host::start(&models.path(), Options::default());
    for endpoint in ["e", "spare", "slow", "all", "halves", "typed"] {
        host.wait_until_settled(endpoint);
    }
    (models, host)
}

/// Runs a program to its good end, and returns the host that it talked to.
fn run(program: &str) -> (Models, Host) {
    let (models, host) = host();
    let proto = python::folder().join("../../host/front/proto/inference.proto");
    let done = python::program(program)
        .args([host.rest().to_string(), host.grpc().to_string()])
        .arg(proto)
        .output()
        .expect("a Python that starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, errors) = (text(&done.stdout), text(&done.stderr));
    assert!(done.status.success(), "{program}:\n{out}{errors}\nthe host said:\n{}", host.log());
    (models, host)
}

/// The first request that an endpoint was asked, as its record has it and as `understudy read` shows it.
fn first_request(host: &Host, endpoint: &str) -> (Record, Value) {
    let record = host.topic(endpoint, "requests").remove(0);
    let data = host.data();
    let data = data.to_str().expect("a path of UTF-8");
    let shown =
        understudy(["read", endpoint, "requests", "--json", "--limit", "1", "--data", data]);
    let shown = serde_json::from_slice(&shown.stdout).expect("a record a line");
    (record, shown)
}

#[test]
fn the_http_client_of_triton_finds_what_it_expects() {
    let (_models, host) = run("triton_http.py");
    let (record, shown) = first_request(&host, "all");
    assert_eq!(record.headers["content-type"], "application/octet-stream");
    assert!(record.headers["inference-header-content-length"].parse::<usize>().is_ok());
    assert_eq!(shown["value"]["inputs"][0]["data"], json!([true, false, true]));
    host.stop();
}

#[test]
fn the_grpc_client_of_triton_finds_what_it_expects() {
    let (_models, host) = run("triton_grpc.py");
    let (record, shown) = first_request(&host, "typed");
    assert_eq!(record.headers["content-type"], "application/x-protobuf");
    assert_eq!(shown["value"]["inputs"][0]["data"], json!([true, false, true]));
    let events = host.topic("spare", "events");
    let unloaded = |event: &Record| {
        event.value["event"] == "pause"
            && event.value["why"].as_str().is_some_and(|why| why.contains("extension"))
    };
    assert!(events.iter().any(unloaded), "{events:?}");
    host.stop();
}

#[test]
fn the_clients_of_kserve_find_what_they_expect() {
    run("kserve_clients.py").1.stop();
}

#[test]
fn health_and_reflection_are_what_their_packages_expect() {
    run("grpc_services.py").1.stop();
}
