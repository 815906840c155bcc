//! Several hosts that share one stream.

use harness::{Deployment, Models};

use crate::{SHORT_SESSION, counted, owned, wait_for_answers, wait_until_done, wait_until_owned};

#[test]
fn partitions_go_to_who_joins_and_come_back_from_who_leaves() {
    let deployment = Deployment::shared();
    let models = Models::with_champion("e", "identity");
    let first = deployment.host(&models);
    first.wait_until_settled("e");
    wait_until_owned(&first, "e", 4);
    deployment.write("e", 0..200);
    let second = deployment.host(&models);
    second.wait_until_settled("e");
    // Written while partitions change hands.
    for hundred in 2..8 {
        deployment.write("e", hundred * 100..(hundred + 1) * 100);
    }
    wait_until_owned(&first, "e", 2);
    wait_until_owned(&second, "e", 2);
    deployment.write("e", 800..900);
    wait_for_answers(&deployment, &[&first, &second], "e", 900);
    assert!(counted(&first, "e", "revoked") >= 2);
    second.stop();
    deployment.write("e", 900..1_000);
    wait_until_owned(&first, "e", 4);
    wait_for_answers(&deployment, &[&first], "e", 1_000);
    wait_until_done(&deployment, &first, "e");
    first.stop();
}

#[test]
fn what_a_killed_host_left_is_answered_by_the_other() {
    let deployment = Deployment::shared().with_sections(SHORT_SESSION);
    let models = Models::with_champion("e", "slow-5");
    let first = deployment.host(&models);
    let second = deployment.host(&models);
    first.wait_until_settled("e");
    second.wait_until_settled("e");
    wait_until_owned(&first, "e", 2);
    wait_until_owned(&second, "e", 2);
    deployment.write("e", 0..400);
    let half = || (deployment.answers("e").len() > 50).then_some(());
    first.wait_for("some are answered", |_| half());
    second.kill_hard();
    deployment.write("e", 400..500);
    first.wait_for("all are answered", |_| (deployment.answers("e").len() == 500).then_some(()));
    wait_until_owned(&first, "e", 4);
    wait_until_done(&deployment, &first, "e");
    first.stop();
}

#[test]
fn what_a_host_answers_after_it_stood_still_is_void() {
    let deployment = Deployment::shared().partitions(2).with_sections(SHORT_SESSION);
    let models = Models::with_champion("e", "slow-5");
    let first = deployment.host(&models);
    first.wait_until_settled("e");
    wait_until_owned(&first, "e", 2);
    deployment.write("e", 0..400);
    first.wait_for("some are answered", |_| (deployment.answers("e").len() > 20).then_some(()));
    first.pause();
    let second = deployment.host(&models);
    second.wait_until_settled("e");
    second.wait_for("all are answered", |_| (deployment.answers("e").len() == 400).then_some(()));
    assert_eq!(owned(&second, "e"), 2);
    first.resume();
    first.wait_for("the loss is noticed", |host| {
        (counted(host, "e", "lost") + counted(host, "e", "revoked") >= 2).then_some(())
    });
    // Nobody has two answers that count and differ: that is checked when they are read.
    deployment.write("e", 400..500);
    second
        .wait_for("the rest is answered", |_| (deployment.answers("e").len() == 500).then_some(()));
    wait_until_done(&deployment, &second, "e");
    first.stop();
    second.stop();
}
