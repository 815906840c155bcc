//! The machine as a reader of scripts, so that a test is data.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::{CourseIndex, Ensemble, Member, Policy, Preference};
use message::{Combine, Role};

const DEADLINE: Duration = Duration::from_micros(50);
const LIMITS: Limits =
    Limits { open_mailboxes: 3, score_grace: Duration::from_micros(20), hash_key: 1 };

/// The machine, the names of its mailboxes, and what it said.
struct Stage {
    rendezvous: Rendezvous<String, String>,
    mailboxes: BTreeMap<String, (MailboxId, Arc<Roster>)>,
    said: Vec<String>,
}

/// A roster from `name[/revision][:role]…`, where a minus before the name says that it is not live,
/// and an order of `name[<until]…`, with `default` at its end if there is one. In the place of a name,
/// `2:a+b+c` is an ensemble with a quorum of 2.
fn roster(members: &str, order: &str) -> Arc<Roster> {
    let member = |word: &str| {
        let (name, role) = word.split_once(':').unwrap_or((word, ""));
        let (name, revision) = name.split_once('/').unwrap_or((name, "1"));
        let role = Role::ALL.into_iter().find(|known| known.name() == role);
        let live = !name.starts_with('-');
        let name = name.trim_start_matches('-').into();
        Member { name, revision: revision.parse().unwrap(), role, live, muted: false }
    };
    let mut preference = Preference::default();
    let mut default = false;
    for word in order.split_whitespace() {
        let (name, until) = word.split_once('<').unwrap_or((word, ""));
        let until = until.parse().ok().map(Duration::from_micros);
        preference = match name.split_once(':') {
            _ if word == "default" => {
                default = true;
                preference
            }
            Some((quorum, names)) => {
                let members = names.split('+').map(|name| (name.into(), 1.0)).collect();
                let quorum = quorum.parse().unwrap();
                preference.then(Ensemble { members, combine: Combine::Mean, quorum }, until)
            }
            None => preference.then(name, until),
        };
    }
    let members = members.split_whitespace().map(member).collect();
    Arc::new(Roster::new(members, Policy { default, ..preference.into() }).unwrap())
}

impl Stage {
    fn new() -> Self {
        let rendezvous = Rendezvous::new(LIMITS);
        Self { rendezvous, mailboxes: BTreeMap::new(), said: Vec::new() }
    }

    /// Plays a script: `time event`, separated by semicolons. The events are
    /// - `ask x`, `ask x from 5`: a request, made now or at 5
    /// - `x a+`, `x a-`, `x a~`: model `a` predicts, faults or is missing
    /// - `tick`
    /// - `roster members | order`
    fn play(&mut self, script: &str) {
        for line in script.split(';').map(str::trim).filter(|line| !line.is_empty()) {
            let (time, event) = line.split_once(' ').unwrap();
            let now = Time::from_us(time.parse().unwrap());
            match *event.split_whitespace().collect::<Vec<_>>() {
                ["tick"] => self.rendezvous.handle_timeout(now),
                ["ask", id] => self.ask(now, id, now),
                ["ask", id, "from", asked] => {
                    self.ask(now, id, Time::from_us(asked.parse().unwrap()));
                }
                ["roster", ..] => {
                    let (members, order) = event["roster".len()..].split_once('|').unwrap();
                    self.rendezvous.handle_roster(now, roster(members, order));
                }
                [id, verdict] => self.score(now, id, verdict),
                _ => panic!("{line} is no event"),
            }
            self.drain();
        }
    }

    fn ask(&mut self, now: Time, id: &str, asked: Time) {
        let roster = Arc::clone(self.rendezvous.roster());
        let opening = Opening {
            id: id.into(),
            time: asked,
            deadline: asked + DEADLINE,
            course: CourseIndex::default(),
            attachment: format!("to {id}"),
        };
        match self.rendezvous.handle_request(now, opening) {
            Ok(mailbox) => drop(self.mailboxes.insert(id.to_owned(), (mailbox, roster))),
            Err(refused) => {
                self.said.push(format!("{refused}"));
                assert_eq!(refused.into_attachment(), format!("to {id}"));
            }
        }
    }

    fn score(&mut self, now: Time, id: &str, verdict: &str) {
        let (name, sign) = verdict.split_at(verdict.len() - 1);
        let (mailbox, roster) = &self.mailboxes[id];
        let member = roster.position(name).unwrap();
        let mailbox = &MailboxId::from_u64(mailbox.as_u64());
        let verdict = match sign {
            "+" => Verdict::Predicted(format!("{name} of {id}")),
            "-" => Verdict::Faulted,
            _ => Verdict::Missing,
        };
        match self.rendezvous.handle_score(now, *mailbox, member, verdict) {
            Heard::InTime => {}
            heard => self.said.push(format!("{id} {name} {heard:?}")),
        }
    }

    fn drain(&mut self) {
        while let Some(decision) = self.rendezvous.poll_decision() {
            let id = decision.id.as_str();
            let chosen = match decision.chosen {
                Choice::Default => "default".to_owned(),
                Choice::Nothing => "nothing".to_owned(),
                Choice::Score(member, score) => {
                    let name = decision.roster.member(member).unwrap().name.as_str();
                    assert_eq!(score, format!("{name} of {id}"));
                    name.to_owned()
                }
                Choice::Ensemble(_, scores) => {
                    let name = |member| decision.roster.member(member).unwrap().name.as_str();
                    let named = scores.iter().map(|(member, score)| {
                        assert_eq!(*score, format!("{} of {id}", name(*member)));
                        name(*member)
                    });
                    named.collect::<Vec<_>>().join("+")
                }
            };
            let time = decision.time.as_us();
            self.said.push(format!("{id} {time} {chosen} {}", decision.reason));
            let attachment = self.rendezvous.attachment(decision.mailbox);
            assert_eq!(attachment, Some(&format!("to {id}")));
        }
        while let Some(done) = self.rendezvous.poll_done() {
            assert_eq!(done.attachment, format!("to {}", done.id));
            assert_eq!(self.rendezvous.attachment(done.mailbox), None);
            self.said.push(match done.given_up {
                0 => format!("{} over", done.id),
                count => format!("{} over without {count}", done.id),
            });
        }
    }
}

/// Plays a script and compares what was said, events separated by semicolons.
#[track_caller]
fn check(script: &str, expected: &str) {
    let mut stage = Stage::new();
    stage.play(script);
    assert_eq!(stage.said.join("; "), expected);
}

const ABC: &str = "0 roster a b c | a<30 b<10 c;";

#[track_caller]
fn check_abc(script: &str, expected: &str) {
    check(&format!("{ABC} {script}"), expected);
}

#[test]
fn the_examples_of_the_rule_hold() {
    check_abc("0 ask x; 5 x a+", "x 5 a preferred");
    check_abc("0 ask x; 5 x c+; 20 x a+", "x 20 a preferred");
    check_abc("0 ask x; 5 x c+; 29 tick; 30 tick", "x 30 c preferred-was-slow");
    check_abc("0 ask x; 5 x c+; 8 x a-; 10 tick", "x 10 c preferred-was-slow");
    check_abc("0 ask x; 30 tick; 35 x a+", "x 35 a preferred");
    check_abc("0 ask x; 1 x a-; 30 tick; 40 x b+", "x 40 b preferred-failed");
    check_abc("0 ask x; 1 x a-; 2 x b~; 3 x c-", "x 3 nothing every-model-failed; x over");
    check_abc("0 ask x; 49 tick; 50 tick", "x 50 nothing nothing-came");
}

#[test]
fn the_default_is_the_answer_where_nothing_comes() {
    let default = "0 roster a b | a b default;";
    check(&format!("{default} 0 ask x; 50 tick"), "x 50 default nothing-came");
    check(&format!("{default} 0 ask x; 9 x a-; 9 x b-"), "x 9 default every-model-failed; x over");
    check(
        "0 roster -a b | a default; 7 ask x; 8 x b+",
        "x 7 default no-live-model; x b Late; x over",
    );
    check(&format!("{default} 60 ask x from 0"), "x 60 default expired");
    check("0 roster | default; 50 ask x from 0", "x 50 default expired; x over");
}

#[test]
fn a_score_that_lies_ready_at_the_deadline_wins() {
    check_abc("0 ask x; 55 x b+; 55 tick", "x 55 b preferred-was-slow");
    check_abc("0 ask x; 55 tick; 55 x b+", "x 55 nothing nothing-came; x b Late");
}

#[test]
fn a_request_counts_from_when_it_was_made() {
    check_abc("25 ask x from 0; 26 x c+; 30 tick", "x 30 c preferred-was-slow");
    check_abc("0 ask x from 100; 26 x c+; 129 tick; 130 tick", "x 130 c preferred-was-slow");
}

#[test]
fn a_mailbox_is_over_when_every_score_is_in_or_given_up() {
    check_abc("0 ask x; 1 x a+; 2 x b+; 60 x c-", "x 1 a preferred; x b Late; x c Late; x over");
    check_abc("0 ask x; 1 x a+; 69 tick; 70 tick", "x 1 a preferred; x over without 2");
    check_abc("0 ask x; 99 tick", "x 99 nothing nothing-came; x over without 3");
    let late = "90 ask x from 0; 109 tick; 109 x a+; 110 tick; 110 x b+";
    check_abc(late, "x 90 nothing expired; x a Late; x over without 2; x b Unknown");
}

#[test]
fn the_first_verdict_of_a_member_counts() {
    check_abc("0 ask x; 1 x a-; 2 x a+; 3 x b+", "x a Duplicate; x 3 b preferred-failed");
    check_abc("0 ask x; 1 x c+; 2 x c-; 30 tick", "x c Duplicate; x 30 c preferred-was-slow");
}

#[test]
fn what_nobody_waits_for_is_unknown() {
    let script = "0 roster a -b d:decoy | a; 0 ask x; 1 x b+; 1 x d+; 1 x a+; 2 x a+";
    check(script, "x b Unknown; x d Unknown; x 1 a preferred; x over; x a Unknown");
}

#[test]
fn a_mailbox_is_found_by_its_id_and_says_whom_it_awaits() {
    let mut stage = Stage::new();
    stage.play("0 roster a b | a b; 0 ask x; 1 x a-");
    let mailbox = stage.rendezvous.find(&"x".into()).unwrap();
    assert_eq!(mailbox, stage.mailboxes["x"].0);
    assert_eq!(stage.rendezvous.find(&"y".into()), None);
    let member = |name: &str| stage.mailboxes["x"].1.position(name).unwrap();
    let (a, b) = (member("a"), member("b"));
    assert!(!stage.rendezvous.is_awaited(mailbox, a));
    assert!(stage.rendezvous.is_awaited(mailbox, b));
    stage.play("2 x b+");
    assert!(!stage.rendezvous.is_awaited(mailbox, b));
    assert_eq!(stage.rendezvous.find(&"x".into()), None);
}

#[test]
fn shadows_never_answer() {
    let roster = "0 roster a:champion s c:canary h:challenger f:fallback | ;";
    let everybody = "1 x s+; 1 x c+; 1 x h+;";
    check(&format!("{roster} 0 ask x; {everybody} 50 tick"), "x 50 nothing nothing-came");
    check(&format!("{roster} 0 ask x; {everybody} 2 x f+; 3 x a+"), "x 3 a preferred; x over");
    check(
        &format!("{roster} 0 ask x; {everybody} 2 x a-; 3 x f+"),
        "x 3 f preferred-failed; x over",
    );
}

#[test]
fn a_model_that_is_not_live_is_passed_over_as_failed() {
    check("0 roster -a b | a b; 0 ask x; 1 x b+", "x 1 b preferred-failed; x over");
    check("0 ask x", "x 0 nothing no-live-model; x over");
}

#[test]
fn an_id_has_one_mailbox_while_that_is_open() {
    let twice = "a request with this id has an open mailbox";
    check_abc("0 ask x; 0 ask x", twice);
    check_abc("0 ask x; 1 x a+; 1 ask x", &format!("x 1 a preferred; {twice}"));
    check("0 roster a | a; 0 ask x; 1 x a+; 1 ask x", "x 1 a preferred; x over");
}

#[test]
fn a_full_machine_refuses_the_new_and_answers_the_old() {
    let full = "all 3 mailboxes are open";
    check_abc("0 ask x; 0 ask y; 0 ask z; 0 ask w; 1 y a+", &format!("{full}; y 1 a preferred"));
    check(
        "0 roster a | a; 0 ask x; 0 ask y; 0 ask z; 1 y a+; 1 ask w; 2 w a+",
        "y 1 a preferred; y over; w 2 a preferred; w over",
    );
}

#[test]
fn a_member_that_left_is_not_chosen_and_not_waited_for() {
    let left = "3 roster -a b c | a b c;";
    check_abc(&format!("0 ask x; 1 x c+; {left} 10 tick"), "x 10 c preferred-was-slow");
    check_abc(&format!("0 ask x; 1 x b+; {left}"), "x 3 b preferred-failed");
    check_abc(&format!("0 ask x; {left} 4 x a+; 5 x b+"), "x 5 b preferred-failed");
    let nobody = "3 roster -a -b -c | a b c;";
    check_abc(&format!("0 ask x; {nobody}"), "x 3 nothing every-model-failed");
    check_abc(&format!("0 ask x; 1 x c+; {nobody}"), "x 3 c preferred-failed");
}

#[test]
fn a_member_that_was_replaced_or_is_gone_finishes_what_it_was_asked() {
    for newer in ["3 roster a/2 b c | a b c;", "3 roster b c | b c;", "3 roster | ;"] {
        check_abc(&format!("0 ask x; {newer} 4 x a+"), "x 4 a preferred");
        check_abc(&format!("0 ask x; 1 x c+; {newer} 10 tick"), "");
    }
    let swap = "3 roster a/2 b c | a b c;";
    check_abc(
        &format!("0 ask x; {swap} 4 ask y; 5 y a+; 5 x a+"),
        "y 5 a preferred; x 5 a preferred",
    );
}

#[test]
fn a_member_is_found_by_the_roster_of_its_mailbox() {
    let mut stage = Stage::new();
    stage.play("0 roster a/7 b/8 d/9:decoy | a b; 0 ask x; 1 roster b/8 a/10 | b");
    let of = |revision| {
        let member = stage.rendezvous.member_of(stage.mailboxes["x"].0, revision);
        member.map(MemberIndex::as_usize)
    };
    assert_eq!([7, 8, 9, 10].map(of), [Some(0), Some(1), None, None]);
}

#[test]
fn a_member_that_was_taken_off_is_still_heard() {
    let script = "0 ask x; 1 x b-; 1 x c-; 2 roster -a b c | a b c; 3 x a+";
    check_abc(script, "x 2 nothing every-model-failed; x a Late; x over");
}

#[test]
fn rosters_are_kept_as_long_as_their_mailboxes() {
    let mut stage = Stage::new();
    let kept = |stage: &Stage| stage.rendezvous.tenures.count();
    stage.play("0 roster a | a; 0 ask x; 1 roster a | a; 1 ask y; 2 roster a | a; 2 ask z");
    assert_eq!(kept(&stage), 3);
    stage.play("3 y a+; 3 z a+");
    assert_eq!(kept(&stage), 2);
    stage.play("4 roster a | a; 4 x a+");
    assert_eq!(kept(&stage), 1);
}

#[test]
fn an_ensemble_comes_when_everybody_has_spoken() {
    let ensemble = "0 roster a b c d | 2:a+b+c<30 d;";
    check(&format!("{ensemble} 0 ask x; 1 x b+; 2 x a+; 3 x c+"), "x 3 a+b+c preferred");
    check(&format!("{ensemble} 0 ask x; 1 x b+; 2 x c-; 3 x a+"), "x 3 a+b preferred");
    check(
        &format!("{ensemble} 0 ask x; 1 x d+; 2 x c+; 3 x b-; 4 x a+"),
        "x 4 a+c preferred; x over",
    );
}

#[test]
fn an_ensemble_comes_with_its_quorum_when_its_time_is_over() {
    let ensemble = "0 roster a b c d | 2:a+b+c<30 d;";
    check(&format!("{ensemble} 0 ask x; 1 x c+; 2 x a+; 29 tick; 30 tick"), "x 30 a+c preferred");
    check(&format!("{ensemble} 0 ask x; 1 x c+; 2 x d+; 30 tick"), "x 30 d preferred-was-slow");
    check(&format!("{ensemble} 0 ask x; 1 x c+; 30 tick; 31 x b+"), "x 31 b+c preferred");
    let all = "0 roster a b c | 2:a+b+c;";
    check(&format!("{all} 0 ask x; 1 x c+; 2 x b+; 49 tick; 50 tick"), "x 50 b+c preferred");
    check(&format!("{all} 0 ask x; 1 x c+; 50 tick"), "x 50 nothing nothing-came");
}

#[test]
fn below_its_quorum_an_ensemble_has_failed() {
    let ensemble = "0 roster a b c d | 2:a+b+c<30 d;";
    check(&format!("{ensemble} 0 ask x; 1 x d+; 2 x a-; 3 x b-"), "x 3 d preferred-failed");
    check("0 roster a -b d | 2:a+b d; 0 ask x; 1 x d+", "x 1 d preferred-failed");
    check("0 roster a -b | 2:a+b; 0 ask x", "x 0 nothing no-live-model");
    check("0 roster a b c | 2:a+b; 0 ask x; 1 x a-", "x 1 nothing every-model-failed");
    check(
        &format!("{ensemble} 0 ask x; 1 x a+; 2 x d+; 3 roster a -b -c d | d;"),
        "x 3 d preferred-failed",
    );
}

#[test]
fn a_member_of_an_ensemble_may_have_a_place_of_its_own_below() {
    let twice = "0 roster a b c | 2:a+b<30 b c;";
    check(&format!("{twice} 0 ask x; 1 x b+; 2 x c+; 3 x a-"), "x 3 b preferred-failed; x over");
    check(&format!("{twice} 0 ask x; 1 x b+; 30 tick"), "x 30 b preferred-was-slow");
    check(&format!("{twice} 0 ask x; 1 x b+; 2 x a+"), "x 2 a+b preferred");
}

#[test]
fn open_mailboxes_keep_their_policy() {
    check_abc("0 ask x; 1 roster a b c | c b a; 2 x c+; 3 x a+", "x 3 a preferred");
}

#[test]
fn a_clock_put_back_makes_nobody_wait_for_it_to_catch_up() {
    check_abc("9000 ask x; 1000 tick; 1049 tick; 1050 tick", "x 1050 nothing nothing-came");
    check_abc("9000 ask x; 1000 ask y; 1001 y a+", "y 1001 a preferred");
    check_abc("9000 ask x; 1000 ask y; 1030 y c+", "y 1030 c preferred-was-slow");
}

#[test]
fn absurd_times_are_forgotten_once_nothing_is_open() {
    let absurd = format!("{max} tick; 5 tick; {max} tick", max = u64::MAX);
    check_abc(&format!("{absurd}; 5 ask x; 6 x a+"), "x 6 a preferred");
}

#[test]
fn a_clock_put_forward_is_believed() {
    check_abc("0 ask x; 1 x c+; 9000 tick", "x 9000 c preferred-was-slow; x over without 2");
}

#[test]
fn the_next_timeout_is_exact() {
    let mut stage = Stage::new();
    let mut check = |script: &str, expected: Option<u64>| {
        stage.play(script);
        assert_eq!(stage.rendezvous.poll_timeout().map(Time::as_us), expected, "after {script}");
    };
    check("0 roster a b c | a<30 b<10 c", None);
    check("0 ask x", Some(50));
    check("1 x c+", Some(30));
    check("1 ask y from 1", Some(30));
    check("2 x a-", Some(10));
    check("10 tick", Some(51));
    check("11 y a+", Some(70));
    check("12 x b~", Some(71));
    check("13 y b+", Some(71));
    check("14 y c+", None);
}

#[test]
fn spurious_calls_do_nothing() {
    let mut rendezvous: Rendezvous<(), ()> = Rendezvous::new(LIMITS);
    for _ in 0..2 {
        rendezvous.handle_timeout(Time::NEVER);
        assert!(rendezvous.poll_decision().is_none());
        assert!(rendezvous.poll_done().is_none());
        assert_eq!(rendezvous.poll_timeout(), None);
    }
}

#[test]
fn a_thousand_members_fit() {
    let names: Vec<_> = (0..1_000).map(|n| format!("m{n}")).collect();
    let words = names.join(" ");
    let mut stage = Stage::new();
    stage.play(&format!("0 roster {words} | m999 m500<10 m0; 0 ask x; 1 x m0+"));
    for name in &names[1..999] {
        stage.play(&format!("2 x {name}-"));
    }
    assert!(stage.said.is_empty());
    stage.play("3 x m999+");
    assert_eq!(stage.said, ["x 3 m999 preferred", "x over"]);
}

#[test]
fn the_memory_of_a_mailbox_is_what_the_docs_say_and_is_set_aside_at_the_start() {
    let bare = Rendezvous::<(), ()>::mailbox_bytes(128);
    assert!((220..=270).contains(&bare), "{bare}");
    assert_eq!(Rendezvous::<(), ()>::mailbox_bytes(1_000), bare + 128);
    assert!(Rendezvous::<[u8; 64], [u8; 32]>::mailbox_bytes(128) <= bare + 64 + 32 + 16);

    let mut rendezvous: Rendezvous<(), ()> =
        Rendezvous::new(Limits { open_mailboxes: 1_000, ..LIMITS });
    let capacities = |rendezvous: &Rendezvous<(), ()>| {
        (rendezvous.mailboxes.capacities(), rendezvous.timers.capacities())
    };
    let before = capacities(&rendezvous);
    rendezvous.handle_roster(Time::EPOCH, roster("a b", "a b"));
    for round in 0..3_000_u64 {
        let time = Time::from_us(round);
        let opening = Opening {
            id: round.to_string().into(),
            time,
            deadline: time + Duration::from_micros(500 + round % 700),
            course: CourseIndex::default(),
            attachment: (),
        };
        drop(rendezvous.handle_request(time, opening));
        rendezvous.handle_timeout(time);
        while rendezvous.poll_decision().is_some() {}
        while rendezvous.poll_done().is_some() {}
    }
    assert_eq!(capacities(&rendezvous), before);
}
