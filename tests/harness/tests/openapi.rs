//! The document that describes the routes, held against a host that runs: a program that knows nothing but the document
//! makes up calls, good ones and bad ones, and checks that each response is one that the document tells of.

#![expect(clippy::unwrap_used, reason = "what prepares a test may fail it")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{Client, Host, Models, Options, Response, guest, understudy, wait};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A host with an endpoint of nobody and one of a tenant, and a token for it.
struct Theatre {
    host: Host,
    token: String,
    _models: Models,
    _tokens: TempDir,
}

impl Theatre {
    fn new() -> Self {
        let models = Models::with_champion("flights", "identity");
        models.install("flights", "other", guest("times-7"));
        models.install("acme/fraud", "champion", guest("identity"));
        models.policy("acme/fraud", "deadline = '20s'\n[roles]\nchampion = 'champion'\n");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.toml");
        let name = file.to_str().unwrap();
        let scopes = ["infer", "observe", "operate"].map(|scope| ["--scope", scope]).concat();
        let made = understudy([&["token", "new", "everything", "--add", name], &*scopes].concat());
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        let config = format!("tokens = '{name}'\n");
        let host = Host::start(&models.path(), Options { config, ..Options::default() });
        let theatre = Self { host, token, _models: models, _tokens: folder };
        for model in ["flights/versions/other", "flights", "acme%2Ffraud"] {
            wait::until(
                &format!("{model} is ready"),
                || theatre.host.log(),
                || {
                    let ready =
                        theatre.get(theatre.host.rest(), &format!("/v2/models/{model}/ready"));
                    (ready.status == 200).then_some(())
                },
            );
        }
        theatre
    }

    fn get(&self, address: SocketAddr, path: &str) -> Response {
        let authorization = format!("Bearer {}", self.token);
        let headers = [("authorization", &*authorization)];
        Client::new(address).send("GET", path, &headers, &[]).unwrap()
    }

    /// The document that a listener serves.
    fn document(&self, address: SocketAddr) -> Value {
        let response = self.get(address, "/openapi.json");
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(response.header("content-type"), Some("application/json"));
        response.json()
    }

    /// Has calls made up from a document, and asserts that all responses are as it says.
    fn check(&self, address: SocketAddr, document: &Value, settings: &str) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("openapi.json");
        std::fs::write(&file, document.to_string()).unwrap();
        let interop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop");
        let output = Command::new(python(&interop).join("bin/schemathesis"))
            .arg("--config-file")
            .arg(interop.join(settings))
            .args(["run", "--url", &format!("http://{address}"), "--no-color"])
            .args(["--header", &format!("Authorization: Bearer {}", self.token)])
            .arg(&file)
            .env("SCHEMATHESIS_HOOKS", interop.join("schemathesis_hooks.py"))
            .current_dir(&folder)
            .output()
            .expect("schemathesis");
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        let log = self.host.log();
        assert!(output.status.success(), "{said}\n{complained}\nthe host said:\n{log}");
        let calls = said
            .lines()
            .find_map(|line| line.trim().split_once(" generated,")?.0.parse::<usize>().ok());
        let calls = calls.unwrap_or_default();
        assert!(calls > 300, "{said}");
        assert!(!log.contains("panicked"), "{log}");
    }
}

/// The document with the names of this host in place of any names, so that most calls reach something. One name is of
/// nothing.
fn narrowed(mut document: Value) -> Value {
    let parameters = &mut document["components"]["parameters"];
    parameters["endpoint"]["schema"] =
        json!({ "type": "string", "enum": ["flights", "acme/fraud", "nowhere"] });
    parameters["model"]["schema"] =
        json!({ "type": "string", "enum": ["champion", "other", "nobody"] });
    document
}

/// The document with the one input of the guests in place of any inputs, so that a request that fits the document is one
/// that they take. Tensors in binary have clients of their own, and no answer goes to a topic.
fn fitted(mut document: Value) -> Value {
    let request = json!({
        "type": "object",
        "required": ["inputs"],
        "additionalProperties": false,
        "properties": {
            "id": { "type": "string" },
            "inputs": { "type": "array", "minItems": 1, "maxItems": 1, "items": {
                "type": "object",
                "required": ["name", "datatype", "shape", "data"],
                "additionalProperties": false,
                "properties": {
                    "name": { "type": "string", "const": "x" },
                    "datatype": { "type": "string", "const": "FP64" },
                    "shape": { "type": "array", "const": [1] },
                    "data": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 1,
                        "items": { "type": "number", "minimum": -1e300, "maximum": 1e300 },
                    },
                },
            } },
        },
    });
    let schema = &mut document["components"]["schemas"]["InferRequest"];
    let record = std::mem::replace(schema, request);
    let paths = document["paths"].as_object_mut().unwrap();
    for (path, methods) in paths.iter_mut().filter(|(path, _)| path.ends_with("/infer")) {
        let infer = &mut methods["post"];
        let is_particular = |parameter: &Value| {
            let name = parameter["$ref"].as_str().unwrap_or_default();
            name.ends_with("content-length") || name.ends_with("return-to")
        };
        infer["parameters"].as_array_mut().unwrap().retain(|parameter| !is_particular(parameter));
        let media = infer["requestBody"]["content"].as_object_mut().unwrap();
        assert!(media.remove("application/octet-stream").is_some(), "{path}");
    }
    let append = &mut paths["/v2/models/{endpoint}/records"]["post"]["requestBody"]["content"];
    // Whether a record fits a model is found out when it is read.
    append["application/x-ndjson"]["schema"] =
        json!({ "type": "array", "minItems": 1, "items": record });
    document
}

/// An environment with what the check needs.
fn python(interop: &Path) -> PathBuf {
    let output = Command::new(interop.join("venv.sh"))
        .arg("openapi-requirements.txt")
        .output()
        .expect("bash");
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complained}");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

#[test]
fn what_callers_get_is_what_the_document_says() {
    let theatre = Theatre::new();
    let address = theatre.host.rest();
    let document = fitted(narrowed(theatre.document(address)));
    theatre.check(address, &document, "schemathesis-public.toml");
    theatre.host.stop();
}

#[test]
fn what_operators_get_is_what_the_document_says() {
    let theatre = Theatre::new();
    let address = theatre.host.admin();
    let document = narrowed(theatre.document(address));
    theatre.check(address, &document, "schemathesis-admin.toml");
    theatre.host.stop();
}

#[test]
fn the_examples_of_the_document_work() {
    let theatre = Theatre::new();
    let document = theatre.document(theatre.host.rest());
    let parameter = |name: &str| document["components"]["parameters"][name]["example"].clone();
    assert_eq!(parameter("endpoint"), "acme/fraud");
    assert_eq!(parameter("model"), "champion");
    let infer = &document["paths"]["/v2/models/{endpoint}/infer"]["post"];
    let request = infer["requestBody"]["content"]["application/json"]["example"].to_string();
    let authorization = format!("Bearer {}", theatre.token);
    let headers = [("authorization", &*authorization), ("content-type", "application/json")];
    let path = "/v2/models/acme%2Ffraud/infer";
    let answer = theatre.host.client().send("POST", path, &headers, request.as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.y(), Some(0.0));
}

#[test]
fn the_command_prints_the_same_document_without_a_host() {
    let theatre = Theatre::new();
    for (address, listener) in
        [(theatre.host.rest(), "openapi"), (theatre.host.admin(), "openapi-admin")]
    {
        let output = understudy(["schema", listener]);
        assert!(output.status.success(), "{listener}");
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        let served = theatre.document(address);
        assert_eq!(without_particulars(&printed), without_particulars(&served), "{listener}");
    }
}

/// The same without what only a host can say: what there is, and whether it wants a token.
fn without_particulars(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields =
                fields.iter().filter(|(name, _)| !["example", "security"].contains(&&***name));
            fields.map(|(name, value)| (name.clone(), without_particulars(value))).collect()
        }
        Value::Array(list) => list.iter().map(without_particulars).collect(),
        other => other.clone(),
    }
}
