//! Topics that are not there, and topics that somebody removes.

use harness::Deployment;

use super::{
    assert_doubled, assert_log_is_short, doubling, start, wait_for_trouble, wait_until_over,
};

#[test]
fn topics_that_are_not_to_be_made_are_asked_for_and_waited_for() {
    let deployment = Deployment::shared().with_topic_keys("create = false\n");
    let models = doubling();
    let host = deployment.host(&models);
    let topic = deployment.topic("e/requests");
    let problem = host.wait_for_problem(&[&topic]);
    assert!(problem.contains("kafka-topics.sh"), "{problem}");
    let client = deployment.client();
    for (topic, partitions) in [
        ("e/requests", 4),
        ("e/answers", 4),
        ("e/scores", 4),
        ("e/events", 1),
        ("e/dead-letters", 1),
        ("replies", 8),
    ] {
        client.create_topic(&deployment.topic(topic), partitions, &[]);
    }
    host.wait_until_settled("e");
    deployment.write("e", 0..20);
    assert_doubled(&host, &deployment, 0..20);
    assert_log_is_short(&host);
    host.stop();
}

#[test]
fn a_topic_that_somebody_removes_is_missed_until_it_is_back() {
    let deployment = Deployment::shared();
    let models = doubling();
    let host = start(&deployment, &models);
    deployment.write("e", 0..20);
    assert_doubled(&host, &deployment, 0..20);
    let client = deployment.client();
    let answers = deployment.topic("e/answers");
    client.delete_topic(&answers);
    deployment.write("e", 20..40);
    let line = wait_for_trouble(&host, "topic");
    assert!(line.contains("e.answers"), "{line}");
    client.create_topic(&answers, 4, &[]);
    assert_doubled(&host, &deployment, 20..40);
    wait_until_over(&host, "topic");
    let host = host.restart();
    host.wait_until_settled("e");
    deployment.write("e", 40..60);
    assert_doubled(&host, &deployment, 20..60);
    assert_log_is_short(&host);
    host.stop();
}
