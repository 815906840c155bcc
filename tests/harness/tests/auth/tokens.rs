//! Tokens from their making to their end.

use harness::{Models, understudy, wait};

use crate::{Keys, call, infer, status, wait_for_answer};

#[test]
fn tokens_come_and_go_while_the_host_runs() {
    let models = Models::with_champion("e", "times-2");
    let keys = Keys::new();
    let host = keys.start(&models, "");
    assert!(host.announced().contains(&"access: those with a token".to_owned()));
    assert_eq!(infer(&host, "e", None).status, 401);
    let robot = keys.make("robot", &["--scope", "infer", "--days", "30"]);
    let eyes = keys.make("eyes", &["--scope", "observe"]);
    wait_for_answer(&host, "e", &robot);
    assert_eq!(infer(&host, "e", Some(&eyes)).status, 403);
    assert_eq!(call(host.admin(), "GET", "/metrics", Some(&robot), "").status, 403);
    assert_eq!(status(&host, &eyes)["problems"], serde_json::json!([]));

    let good = std::fs::read_to_string(keys.file()).unwrap();
    assert!(!good.contains(&robot), "only a hash is kept");
    keys.write(&format!("{good}[[token"));
    let problem = wait::until(
        "the problem is told",
        || host.log(),
        || {
            let status = status(&host, &eyes);
            status["problems"][0].as_str().map(str::to_owned)
        },
    );
    assert!(problem.contains("tokens.toml"), "{problem}");
    assert_eq!(infer(&host, "e", Some(&robot)).status, 200, "the last good version stays");

    let without_robot = good.split_at(good.rfind("[[token]]").unwrap()).1;
    keys.write(without_robot);
    wait::until(
        "the token is taken back",
        || host.log(),
        || (infer(&host, "e", Some(&robot)).status == 401).then_some(()),
    );
    assert_eq!(status(&host, &eyes)["problems"], serde_json::json!([]));
    let stopped = host.stop();
    assert!(stopped.log.contains("callers were denied"), "{}", stopped.log);
    for token in [&robot, &eyes] {
        assert!(!stopped.log.contains(token.as_str()), "{}", stopped.log);
    }
}

#[test]
fn a_host_without_tokens_listens_on_loopback_only_unless_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().display().to_string();
    for option in ["--listen", "--admin-listen"] {
        let mut line = vec!["serve", "--models", &models, "--data", &models];
        for local in ["--listen", "--admin-listen"] {
            line.extend([local, if local == option { "0.0.0.0:0" } else { "127.0.0.1:0" }]);
        }
        let ended = understudy(line);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success(), "{said}");
        for words in [option, "0.0.0.0:0", "understudy token new", "--open"] {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
}

#[test]
fn a_token_is_printed_once_and_its_table_reads_back() {
    let keys = Keys::new();
    let made = understudy(["token", "new", "robot", "--scope", "infer", "--tenant", "acme"]);
    let token = String::from_utf8(made.stdout).unwrap();
    let table = String::from_utf8(made.stderr).unwrap();
    assert!(token.starts_with("us_") && token.trim().len() == 67, "{token}");
    assert!(table.contains("[[token]]\nname = \"robot\"\nhash = \"sha256:"), "{table}");
    assert!(table.contains("tenant = \"acme\"") && !table.contains(token.trim()), "{table}");
    keys.write("# those who may call\n");
    keys.make("robot", &["--scope", "infer"]);
    let file = keys.file();
    let again = understudy(["token", "new", "robot", "--scope", "infer", "--add", &file]);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && said.contains("a second time"), "{said}");
    assert!(
        std::fs::read_to_string(&file).unwrap().starts_with("# those who may call\n\n[[token]]")
    );
    for (bad, words) in [("a b", "letters, digits"), ("", "letters, digits")] {
        let refused = understudy(["token", "new", bad, "--scope", "infer"]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(words), "{said}");
        assert!(refused.stdout.is_empty());
    }
}

#[test]
fn a_tenant_has_no_more_than_its_quota() {
    let models = Models::with_champion("acme/e", "times-2");
    let keys = Keys::new();
    let robot = keys.make("robot", &["--scope", "infer", "--tenant", "acme"]);
    let eyes = keys.make("eyes", &["--scope", "observe"]);
    let text = std::fs::read_to_string(keys.file()).unwrap();
    keys.write(&format!("{text}\n[[tenant]]\nname = 'acme'\nrequests_per_second = 1\nburst = 3\n"));
    let host = keys.start(&models, "");
    let refused = wait::until(
        "the quota is used up",
        || host.log(),
        || {
            let reply = infer(&host, "acme/e", Some(&robot));
            (reply.status == 429).then_some(reply)
        },
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(refused.text().contains("its quota of 1 requests a second"), "{}", refused.text());
    let records = vec![harness::infer_body("1", 1.0); 4].join("\n");
    let path = "/v2/models/acme/e/records";
    assert!([413, 429].contains(&call(host.rest(), "POST", path, Some(&robot), &records).status));
    let metrics = call(host.admin(), "GET", "/metrics", Some(&eyes), "").text();
    assert!(
        metrics.contains("understudy_refused_total{tenant=\"acme\",why=\"rate\"}"),
        "{metrics}"
    );
}
