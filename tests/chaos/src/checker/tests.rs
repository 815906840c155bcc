//! Histories in which one thing is wrong: the check finds it, and nothing else.

mod healthy;

use serde_json::json;

use super::check;
use crate::{Call, History, Kind, Sent, Told, story};
use healthy::{By, healthy, reply_to};

/// Does something to a healthy history, and expects that these promises are found broken.
fn finds(expected: &[Kind], change: impl FnOnce(&mut History)) {
    let mut history = healthy();
    change(&mut history);
    let report = check(&history);
    let mut found: Vec<_> = report.violations.iter().map(|violation| violation.kind).collect();
    found.sort_unstable();
    found.dedup();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected, "{:#?}", report.violations);
}

fn value_of(history: &History, source: usize) -> Vec<u8> {
    history.sources["chaos/requests"][source].value.clone()
}

#[test]
fn a_healthy_history_has_no_violation_and_is_counted() {
    let report = check(&healthy());
    assert_eq!(report.violations, []);
    let counts = report.counts;
    assert_eq!((counts.requests, counts.ids, counts.garbage), (7, 5, 1));
    assert_eq!((counts.answers, counts.void, counts.repeated, counts.fences), (5, 1, 0, 3));
    assert_eq!((counts.scores, counts.scores_lost), (5, 1));
    assert_eq!((counts.dead_letters, counts.replies, counts.replies_void), (1, 2, 1));
    assert_eq!(counts.calls["200"], 3);
    assert_eq!(counts.calls["503"], 1);
    assert_eq!(counts.by_reason["champion (preferred)"], 4);
    assert_eq!(counts.by_reason["the default (nothing-came)"], 1);
    assert!(counts.to_string().contains("5 ids"), "{counts}");
}

#[test]
fn what_was_acknowledged_and_is_gone_is_found() {
    // Nobody answered it either, so that nothing else tells of it.
    finds(&[Kind::Lost], |history| {
        history.sent.push(Sent {
            source: "chaos/requests".to_owned(),
            id: Some("z".to_owned()),
            value: healthy::request("z", 9.0),
            acknowledged: Some((0, 99)),
        });
    });
    finds(&[Kind::Lost], |history| history.sent[1].acknowledged = Some((0, 0)));
    // Where nobody knows whether it was written it may be missing.
    finds(&[], |history| {
        history.sent.push(Sent {
            source: "chaos/requests".to_owned(),
            id: Some("z".to_owned()),
            value: healthy::request("z", 9.0),
            acknowledged: None,
        });
    });
}

#[test]
fn a_request_that_nobody_sent_is_found() {
    finds(&[Kind::RequestInvented, Kind::AnswerInvented, Kind::ScoreInvented], |history| {
        history.sources.get_mut("chaos/requests").unwrap()[1].value.push(b' ');
        history.sent.remove(1);
    });
    finds(&[Kind::LeftBehind, Kind::RequestInvented], |history| {
        let records = history.sources.get_mut("chaos/requests").unwrap();
        let mut again = records[1].clone();
        again.offset = 4;
        records.push(again);
    });
}

#[test]
fn requests_of_one_key_or_id_in_several_partitions_are_found() {
    finds(&[Kind::Scattered], |history| {
        let records = history.sources.get_mut("chaos/requests").unwrap();
        let other = records.iter_mut().find(|record| record.partition == 1).unwrap();
        other.key = Some(b"k".to_vec());
    });
    finds(&[Kind::Scattered], |history| {
        let value = value_of(history, 0);
        let records = history.sources.get_mut("chaos/requests").unwrap();
        let again = records.iter_mut().find(|it| it.partition == 0 && it.offset == 3).unwrap();
        assert_eq!(again.value, value);
        (again.partition, again.offset, again.key) = (1, 4, None);
        history.commits.last_mut().unwrap().commit = 5;
        history
            .sent
            .iter_mut()
            .find(|sent| sent.acknowledged == Some((0, 3)))
            .unwrap()
            .acknowledged = Some((1, 4));
    });
}

#[test]
fn a_request_without_an_answer_is_found() {
    let without = |history: &mut History, id: &str| {
        history.answers.retain(|record| record.header("id") != Some(id));
    };
    finds(&[Kind::Unanswered, Kind::CommittedTooFar], |history| without(history, "a"));
    // A void answer is none.
    finds(&[Kind::Unanswered, Kind::CommittedTooFar], |history| {
        history
            .answers
            .retain(|it| it.header("id") != Some("b") || it.header("epoch") == Some("0"));
    });
    finds(&[Kind::Unanswered, Kind::CommittedTooFar, Kind::ToldOtherwise], |history| {
        without(history, "d");
    });
}

#[test]
fn an_answer_without_a_request_is_found() {
    finds(&[Kind::AnswerInvented], |history| {
        history.answers.push(healthy::answer(
            0,
            9,
            ("chaos/requests/0", 77, 2),
            "y",
            By::Champion,
            1.0,
        ));
    });
    finds(&[Kind::AnswerInvented], |history| {
        history.answers.push(healthy::answer(
            0,
            9,
            ("chaos/requests/0", 1, 2),
            "a",
            By::Champion,
            1.0,
        ));
    });
    // To garbage.
    finds(&[Kind::AnswerInvented], |history| {
        history.answers.push(healthy::answer(
            0,
            9,
            ("chaos/requests/0", 2, 2),
            "y",
            By::Champion,
            1.0,
        ));
    });
}

#[test]
fn two_answers_that_differ_are_found_and_two_that_agree_are_counted() {
    finds(&[Kind::Contradicted], |history| {
        history.answers.push(healthy::answer(
            0,
            9,
            ("chaos/requests/0", 3, 2),
            "a",
            By::Default,
            -1.0,
        ));
    });
    let agree = |history: &mut History| {
        history.answers.push(healthy::answer(
            0,
            9,
            ("chaos/requests/0", 3, 2),
            "a",
            By::Champion,
            1.0,
        ));
    };
    finds(&[], agree);
    finds(&[Kind::Repeated, Kind::ScoreMissing], |history| {
        agree(history);
        history.rules.exactly_once = true;
    });
}

#[test]
fn an_answer_of_the_wrong_model_or_with_the_wrong_content_is_found() {
    let answer = |by: By, x: f64| {
        move |history: &mut History| {
            let places = &mut history.answers;
            let last = places.iter_mut().find(|it| it.header("id") == Some("e")).unwrap();
            *last = healthy::answer(1, last.offset, ("chaos/requests/1", 3, 0), "e", by, x);
        }
    };
    finds(&[], answer(By::Default, 5.0));
    finds(&[Kind::WrongModel], answer(By::Staged, 5.0));
    finds(&[Kind::WrongContent, Kind::ScoreMissing], answer(By::Champion, 4.0));
    finds(&[Kind::WrongContent], answer(By::DefaultWithoutReason, 5.0));
}

#[test]
fn an_epoch_that_nobody_began_is_found() {
    finds(&[Kind::EpochUnknown], |history| {
        let last = history.answers.last_mut().unwrap();
        last.headers.iter_mut().find(|(name, _)| name == "epoch").unwrap().1 = b"1".to_vec();
    });
}

#[test]
fn scores_that_are_missing_or_invented_or_wrong_are_found() {
    let of = |id: &'static str| move |it: &crate::Record| it.header("id") != Some(id);
    finds(&[Kind::ScoreMissing], |history| history.scores.retain(of("c")));
    finds(&[Kind::ScoreInvented], |history| {
        history.scores.push(healthy::score(0, 9, "y", "champion", 2.0));
    });
    finds(&[Kind::ScoreInvented], |history| {
        history.scores.push(healthy::score(1, 9, "c", "stranger", 3.0));
    });
    finds(&[Kind::WrongContent], |history| {
        history.scores.push(healthy::score(1, 9, "c", "champion", 2.0));
    });
    finds(&[Kind::Scattered], |history| {
        history.scores.push(healthy::score(0, 9, "c", "champion", 6.0));
    });
}

#[test]
fn garbage_has_a_dead_letter_and_nothing_else_has() {
    finds(&[Kind::CommittedTooFar, Kind::LetterMissing], |history| history.dead_letters.clear());
    finds(&[Kind::LetterInvented], |history| {
        let mut letter = history.dead_letters[0].clone();
        letter.headers.iter_mut().find(|(name, _)| name == "source-offset").unwrap().1 =
            b"1".to_vec();
        letter.offset = 1;
        history.dead_letters.push(letter);
    });
    finds(&[Kind::LetterInvented], |history| history.dead_letters[0].value.clear());
    finds(&[], |history| history.dead_letters.push(history.dead_letters[0].clone()));
    finds(&[Kind::Repeated, Kind::ScoreMissing], |history| {
        history.dead_letters.push(history.dead_letters[0].clone());
        history.rules.exactly_once = true;
    });
}

#[test]
fn a_caller_who_was_told_something_else_is_found() {
    let tell = |change: fn(&mut serde_json::Value)| {
        move |history: &mut History| {
            let Told::Answer(document) = &mut history.calls[0].told else { panic!("an answer") };
            change(document);
        }
    };
    finds(&[], tell(|document| document["id"] = json!("mine")));
    finds(&[Kind::ToldOtherwise], tell(|it| it["outputs"][0]["data"][0] = json!(7.0)));
    finds(&[Kind::ToldOtherwise], tell(|it| it["parameters"]["request_id"] = json!("d")));
    finds(&[Kind::ToldOtherwise], tell(|it| it["parameters"]["request_id"] = json!("nobody")));
    finds(&[Kind::Unreadable], tell(|it| *it = json!({})));
    finds(&[Kind::ToldOtherwise], |history| {
        history.calls[1].idempotency_key = Some("another".to_owned());
    });
    finds(&[Kind::RefusedWrongly], |history| {
        let (text, body) = ("what?".to_owned(), b"never arrived".to_vec());
        let told = Told::Error { status: 400, text };
        history.calls.push(Call { host: 0, idempotency_key: None, body, told });
    });
    finds(&[Kind::ToldOtherwise], |history| {
        history.replies.push(reply_to("c", 7.0));
    });
}

#[test]
fn answers_of_one_key_in_another_order_are_found() {
    let overtake = |history: &mut History| {
        history.sources.get_mut("chaos/requests").unwrap().iter_mut().for_each(|record| {
            if record.partition == 1 {
                record.key = Some(b"one".to_vec());
            }
        });
        let of = |id: &str| history.answers.iter().position(|it| it.header("id") == Some(id));
        let (c, d) = (of("c").unwrap(), of("d").unwrap());
        let offset = history.answers[c].offset;
        history.answers[c].offset = history.answers[d].offset;
        history.answers[d].offset = offset;
        history.answers.swap(c, d);
    };
    finds(&[Kind::OutOfOrder], overtake);
    // Where it is allowed it is counted.
    let mut history = healthy();
    overtake(&mut history);
    history.rules.keeps_order = false;
    let report = check(&history);
    assert_eq!((report.violations.len(), report.counts.overtaken), (0, 1));
}

#[test]
fn commits_that_are_too_far_or_go_back_or_stay_behind_are_found() {
    finds(&[Kind::CommittedTooFar], |history| history.commits[0].answers_end = 1);
    finds(&[Kind::CommittedTooFar], |history| history.commits[1].dead_letters_end = 0);
    finds(&[Kind::CommittedBackwards], |history| {
        let mut again = history.commits[1].clone();
        again.commit -= 1;
        history.commits.push(again);
    });
    finds(&[Kind::LeftBehind], |history| history.commits.last_mut().unwrap().commit -= 1);
    finds(&[Kind::LeftBehind], |history| history.commits.clear());
}

#[test]
fn what_cannot_be_read_is_found() {
    finds(&[Kind::Unreadable], |history| {
        let mut broken = history.answers.last().unwrap().clone();
        (broken.offset, broken.value) = (99, b"{".to_vec());
        history.answers.push(broken);
    });
    finds(&[Kind::Unreadable], |history| {
        let mut broken = history.answers.last().unwrap().clone();
        broken.headers.retain(|(name, _)| name != "request-source");
        history.answers.push(broken);
    });
    finds(&[Kind::Unreadable], |history| history.scores[1].value = b"{".to_vec());
}

#[test]
fn the_story_of_a_request_has_all_that_is_known_of_it() {
    let told = story(&healthy(), "d");
    let count = |words: &str| told.matches(words).count();
    assert_eq!(count("chaos/requests: "), 2, "{told}");
    assert_eq!((count("answers: "), count("scores: "), count("replies: ")), (4, 1, 1), "{told}");
    assert_eq!(count("was called"), 2, "{told}");
    assert!(!told.contains("\"c\""), "{told}");
    assert_eq!(story(&healthy(), "a").matches("sent to").count(), 2);
}
