//! Flows that deliver exactly once: what readers of what is committed find, whoever has died in between.

use std::collections::BTreeMap;

use harness::{Deployment, Host, Models, Options};
use kafka_testkit::Message;

use crate::{SHORT_SESSION, owned, wait_until_owned};

/// Hosts whose endpoint `e` reads one plain topic and writes to another.
struct Flow {
    deployment: Deployment,
    models: Models,
    source: String,
    target: String,
    back: String,
}

impl Flow {
    fn new(guest: &str, delivery: &str) -> Self {
        let deployment = Deployment::shared().partitions(2);
        let (source, target) = (deployment.topic("in"), deployment.topic("out"));
        let back = deployment.topic("back");
        let names = "[stream.kafka.names]\n";
        let names = format!("{names}in = '{source}'\nout = '{target}'\nback = '{back}'\n");
        let deployment = deployment.with_sections(&names).with_sections(SHORT_SESSION);
        for topic in [&source, &target] {
            deployment.client().create_topic(topic, 2, &[]);
        }
        let models = Models::with_champion("e", guest);
        let policy = "deadline = '20s'\n[roles]\nchampion = 'champion'\n[flow]\nsource = 'in'\nanswers = 'out'\n\
                      return_to = ['back']\n";
        models.policy("e", &format!("{policy}delivery = '{delivery}'\n"));
        Self { deployment, models, source, target, back }
    }

    fn host(&self) -> Host {
        let host = self.deployment.host(&self.models);
        host.wait_until_settled("e");
        host
    }

    fn write(&self, numbers: std::ops::Range<u32>) {
        let request = |number: u32| {
            let id = number.to_string();
            Message::new(harness::infer_body(&id, f64::from(number))).key(id.as_bytes())
        };
        let requests: Vec<Message> = numbers.map(request).collect();
        self.deployment.client().produce(&self.source, &requests);
    }

    /// How often each id is in a topic, as far as it is committed. What counts and what does not is not
    /// looked at: everything counts.
    fn ids(&self, topic: &str) -> BTreeMap<String, usize> {
        let mut ids = BTreeMap::new();
        for found in self.deployment.client().read_all(topic) {
            if let Some(id) = found.header_text("id") {
                *ids.entry(id).or_default() += 1;
            }
        }
        ids
    }
}

#[test]
fn a_flow_that_says_so_writes_everything_exactly_once_though_hosts_are_killed() {
    let flow = Flow::new("slow-5", "exactly-once");
    let first = flow.host();
    let second = flow.host();
    wait_until_owned(&first, "e", 2);
    wait_until_owned(&second, "e", 2);
    flow.deployment.client().produce(&flow.source, &[Message::new("garbage")]);
    flow.write(0..300);
    let answered = |host: &Host, count: usize| {
        host.wait_for("answers", |_| (flow.ids(&flow.target).len() >= count).then_some(()));
    };
    answered(&first, 40);
    second.kill_hard();
    flow.write(300..400);
    let third = flow.host();
    answered(&third, 200);
    first.kill_hard();
    answered(&third, 400);
    wait_until_owned(&third, "e", 4);
    let group = flow.deployment.group("e");
    third.wait_for("the lag is gone", |_| {
        (flow.deployment.client().lag(&group, &flow.source) <= 0).then_some(())
    });
    let once: BTreeMap<String, usize> = (0..400).map(|id: u32| (id.to_string(), 1)).collect();
    for topic in
        [flow.target.clone(), flow.deployment.topic("e/answers"), flow.deployment.topic("e/scores")]
    {
        // A host that was killed may have left a transaction open before what others wrote.
        flow.deployment.client().wait_until_settled(&topic);
        assert_eq!(flow.ids(&topic), once, "{topic}");
    }
    assert_eq!(flow.deployment.read("e/dead-letters").len(), 1);
    assert_eq!(owned(&third, "e"), 4);
    third.stop();
}

#[test]
fn callers_and_return_addresses_have_what_is_written_together() {
    let flow = Flow::new("times-2", "exactly-once");
    let [first, second] = [flow.host(), flow.host()];
    for host in [&first, &second] {
        wait_until_owned(host, "e", 2);
    }
    flow.deployment.client().create_topic(&flow.back, 1, &[]);
    let returned = |number: u32| {
        let body = harness::infer_body(&format!("r-{number}"), f64::from(number));
        Message::new(body).header("return-to", b"topic:back")
    };
    let requests: Vec<Message> = (0..50).map(returned).collect();
    flow.deployment.client().produce(&flow.source, &requests);
    let ask = |host: &Host, number: u32| {
        let key = format!("c-{number}");
        let headers = [("content-type", "application/json"), ("idempotency-key", &*key)];
        let body = harness::infer_body("mine", f64::from(number));
        let path = "/v2/models/e/infer";
        let answer =
            host.client().send("POST", path, &headers, body.as_bytes()).expect("an answer");
        assert_eq!(answer.y(), Some(2.0 * f64::from(number)), "{}", answer.text());
        answer.json()
    };
    // Many at once, so that many are written together; then again, so that they are read back.
    let answers: Vec<_> = std::thread::scope(|scope| {
        let asked = (0..24).map(|number| {
            let host = if number % 2 == 0 { &first } else { &second };
            scope.spawn(move || ask(host, number))
        });
        let asked: Vec<_> = asked.collect();
        asked.into_iter().map(|asked| asked.join().expect("an answer")).collect()
    });
    for (number, answer) in (0..).zip(&answers) {
        assert_eq!(ask(&second, number), *answer);
    }
    first.wait_for("what is returned", |_| (flow.ids(&flow.back).len() >= 50).then_some(()));
    let ids =
        |name: &'static str, count: u32| (0..count).map(move |id| (format!("{name}-{id}"), 1));
    let back: BTreeMap<String, usize> = ids("r", 50).collect();
    assert_eq!(flow.ids(&flow.back), back);
    let answers = flow.ids(&flow.deployment.topic("e/answers"));
    assert_eq!(answers.len(), 74);
    assert!(answers.values().all(|&count| count == 1), "{answers:?}");
    assert_eq!(flow.ids(&flow.target), answers);
    [first, second].into_iter().for_each(|host| drop(host.stop()));
}

#[test]
fn exactly_once_without_others_is_a_problem_that_is_said() {
    let models = Models::with_champion("e", "identity");
    models.policy(
        "e",
        "[roles]\nchampion = 'champion'\n[flow]\nsource = 'in'\ndelivery = 'exactly-once'\n",
    );
    let host = Host::start(&models.path(), Options::default());
    host.wait_for("the problem", |host| {
        let endpoint = host.endpoint("e").unwrap_or_default();
        let problem = endpoint["flow"]["problem"].as_str()?.to_owned();
        problem.contains("expected the backend \"kafka\"").then_some(())
    });
    host.stop();
}
