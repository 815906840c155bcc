//! Rosters and their courses, as data.

use std::time::Duration;

use super::*;
use crate::{Arm, Branch, Combine, Ensemble, Preference, Ramp, Route, Split, Target};

/// A live member for each word, its role after a colon; one after a minus is not live.
fn members(words: &str) -> Vec<Member> {
    words
        .split_whitespace()
        .map(|word| {
            let (name, role) = word.split_once(':').unwrap_or((word, ""));
            let member = Member {
                name: name.trim_start_matches('-').into(),
                revision: 1,
                role: Role::ALL.into_iter().find(|known| known.name() == role),
                live: true,
                muted: false,
            };
            if name.starts_with('-') { member.not_live() } else { member }
        })
        .collect()
}

fn order(words: &str) -> Preference {
    let words = words.split_whitespace();
    words.fold(Preference::default(), |preference, name| preference.then(name, None))
}

fn roster(words: &str, names: &str) -> Result<Roster, RosterError> {
    Roster::new(members(words), order(names).into())
}

/// The names of some members of a roster.
fn names(roster: &Roster, members: impl IntoIterator<Item = MemberIndex>) -> String {
    let name = |member: MemberIndex| roster.member(member).unwrap().name.as_str();
    members.into_iter().map(name).collect::<Vec<_>>().join(" ")
}

/// Who has the places of a course, the members of an ensemble with a plus between them.
fn places(course: Course<'_>) -> String {
    let place = |place: crate::preference::Place| match place.seat {
        Seat::Member(member) => names(course.roster, [member]),
        Seat::Ensemble(ensemble) => {
            let members = &course.roster.ensemble(ensemble).members;
            names(course.roster, members.iter().map(|&(member, _)| member)).replace(' ', "+")
        }
    };
    course.places().map(place).collect::<Vec<_>>().join(" ")
}

fn check(words: &str, order: &str, expected_order: &str, can_answer: &str) {
    let roster = roster(words, order).unwrap();
    assert_eq!(places(roster.course(CourseIndex::default())), expected_order);
    let answering = (0..roster.members().len()).map(MemberIndex::from_usize);
    let mut answering: Vec<_> = answering.filter(|&it| roster.can_answer(it)).collect();
    answering.sort_by_key(|&it| roster.course(CourseIndex::default()).rank_of(it));
    assert_eq!(names(&roster, answering), can_answer);
}

#[test]
fn only_the_named_answer_and_the_fallback_comes_last() {
    check("a b c", "b a", "b a", "b a");
    check("f:fallback a b", "b a", "b a f", "b a f");
    check("f:fallback a b", "f a", "f a", "f a");
    check("a:champion b:challenger c:canary", "b", "b", "b");
    check("a:champion c:canary", "c a", "c a", "c a");
    check("-a:champion b", "a b", "a b", "b");
}

#[test]
fn an_empty_order_is_the_champion_then_the_fallback() {
    check("f:fallback b a:champion c:canary d:decoy", "", "a f", "a f");
    check("-a:champion f:fallback", "", "a f", "f");
    check("a b", "", "", "");
    check("", "", "", "");
}

#[test]
fn mistakes_name_what_was_found() {
    let error = |words, order| roster(words, order).unwrap_err();
    assert_eq!(error("a b a", "a"), RosterError::MemberTwice("a".into()));
    assert_eq!(error("a b", "b c"), RosterError::UnknownModel("c".into()));
    assert_eq!(error("a b", "b a b"), RosterError::ModelTwice("b".into()));
    assert_eq!(error("a b:decoy", "a b"), RosterError::DecoyInOrder("b".into()));
    assert_eq!(
        error("a b", "b c").to_string(),
        "found model `c` in the order, expected a model of the roster"
    );
}

#[test]
fn a_roster_that_cannot_be_numbered_is_refused() {
    let many = |count: usize| (0..count).map(|n| Member::live(format!("m{n}"), 0)).collect();
    let limit = MemberIndex::LIMIT;
    assert!(Roster::new(many(limit), Policy::default()).is_ok());
    assert_eq!(
        Roster::new(many(limit + 1), Policy::default()),
        Err(RosterError::TooManyMembers { count: limit + 1 })
    );
}

#[test]
fn scores_are_expected_of_the_live_but_not_of_decoys() {
    let roster = roster("a b:decoy -c d:canary", "a").unwrap();
    let course = roster.course(CourseIndex::default());
    assert_eq!(names(&roster, course.expected()), "a d");
    assert_eq!(course.expected_count(), 2);
    assert_eq!(roster.absent().count(), 2);
    assert!(!course.expects(MemberIndex::new(4)));
}

#[test]
fn who_is_muted_is_asked_and_never_chosen() {
    let members = vec![Member::live("a", 1).in_role(Role::Champion).muted(), Member::live("b", 2)];
    let roster = Roster::new(members, order("a").into()).unwrap();
    let course = roster.course(CourseIndex::default());
    assert_eq!(names(&roster, course.expected()), "a b");
    assert!(!roster.can_answer(MemberIndex::new(0)));
    assert!(!course.has_live_place());
    assert!(roster.absent().contains(0));
}

#[test]
fn a_member_is_the_same_by_name_and_revision() {
    let roster = roster("a -b", "a").unwrap();
    for hint in 0..3 {
        assert!(roster.takes_off(&Member::live("b", 1), hint));
        assert!(!roster.takes_off(&Member::live("b", 2), hint));
        assert!(!roster.takes_off(&Member::live("a", 1), hint));
        assert!(!roster.takes_off(&Member::live("c", 1), hint));
    }
    assert_eq!(roster.position("b"), Some(MemberIndex::new(1)));
    assert_eq!(roster.position("c"), None);
    assert_eq!(roster.position_of(1), Some(MemberIndex::new(0)));
    assert_eq!(roster.position_of(2), None);
}

fn ensemble(names: &str, quorum: usize) -> Ensemble {
    let members = names.split_whitespace().map(|name| (name.into(), 1.0)).collect();
    Ensemble { members, combine: Combine::Mean, quorum }
}

/// Every course as `path: places | expected`.
#[track_caller]
fn check_courses(words: &str, policy: impl Into<Policy>, expected: &[&str]) {
    let roster = Roster::new(members(words), policy.into()).unwrap();
    let shown: Vec<_> = roster
        .courses()
        .map(|course| {
            let asked = names(&roster, course.expected());
            assert_eq!(course.expected().count(), course.expected_count());
            for (turn, member) in course.expected().enumerate() {
                assert_eq!(course.turn_of(member), Some(turn));
            }
            format!("{}: {} | {asked}", course.path(), places(course))
        })
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn every_arm_is_a_course_and_arms_shadow_each_other_unless_told_not_to() {
    let words = "f:fallback a b c staged";
    let split = Split::new().arm("x", 1.0, order("a")).arm("y", 1.0, order("b c"));
    let everybody = "f a b c staged";
    check_courses(
        words,
        split.clone(),
        &[&format!("x: a f | {everybody}"), &format!("y: b c f | {everybody}")],
    );
    check_courses(
        words,
        split.without_shadows(),
        &["x: a f | f staged a", "y: b c f | f staged b c"],
    );
}

#[test]
fn a_split_within_an_arm_has_courses_of_its_own() {
    let inner = Split::new().arm("p", 1.0, order("b")).arm("q", 1.0, order("c"));
    let outer = Split::new().without_shadows().arm("x", 1.0, order("a")).arm("y", 1.0, inner);
    check_courses("a b c", outer, &["x: a | a", "y/p: b | b c", "y/q: c | b c"]);
}

#[test]
fn who_only_routes_name_is_asked_on_their_courses_only() {
    let policy = Policy::from(order("a"))
        .with_route(order("r a"))
        .with_route(Route::from(order("h")).named("quick"));
    check_courses(
        "a r h:challenger staged",
        policy,
        &[": a | a h staged", "route[0]: r a | a h staged r", "quick: h | a h staged"],
    );
}

#[test]
fn a_route_to_each_of_many_has_a_course_for_each() {
    let target = Target::Each {
        models: ["client-2", "client-1", "client-3"].map(ModelName::from).to_vec(),
        until: Some(Duration::from_millis(3)),
        then: order("a b"),
    };
    let policy = Policy::from(order("a")).with_route(Route { name: None, target });
    let roster = Roster::new(members("a b client-1 client-2 -client-3"), policy.clone()).unwrap();
    check_courses(
        "a b client-1 client-2 -client-3",
        policy,
        &[
            ": a | a",
            "route[0]: client-1 a b | a b client-1",
            "route[0]: client-2 a b | a b client-2",
            "route[0]: client-3 a b | a b",
        ],
    );
    let choosing = |model| Choosing { route: Some(0), model, unit: "", time: Time::EPOCH };
    let selected = roster.select(choosing(Some("client-2"))).unwrap();
    assert_eq!((selected.course.as_usize(), selected.propensity), (2, 1.0));
    for nowhere in [Some("a"), Some("client-9"), None] {
        assert_eq!(roster.select(choosing(nowhere)), None);
    }
    assert_eq!(roster.select(Choosing { route: Some(1), ..choosing(None) }), None);
}

#[test]
fn an_ensemble_has_one_place_and_its_members_are_ranked_by_it() {
    let policy = Policy::from(Preference::default().then(ensemble("a b", 1), None).then("b", None));
    check_courses("a b c", policy.clone(), &[": a+b b | a b c"]);
    let roster = Roster::new(members("-a -b c"), policy).unwrap();
    assert!(!roster.course(CourseIndex::default()).has_live_place());
}

#[test]
fn an_ensemble_has_a_live_place_if_its_quorum_is_live() {
    for (quorum, expected) in [(1, true), (2, true), (3, false)] {
        let order = Preference::default().then(ensemble("a b -c", quorum), None);
        let members = members("a b --c").into_iter().map(|mut member| {
            if !member.live {
                member.name = "-c".into();
            }
            member
        });
        let roster = Roster::new(members.collect(), order.into()).unwrap();
        assert_eq!(roster.course(CourseIndex::default()).has_live_place(), expected);
    }
}

#[test]
fn mistakes_in_ensembles_and_splits_are_refused() {
    let of = |branch: Branch| Roster::new(members("a b"), branch.into()).unwrap_err();
    let of_ensemble = |ensemble: Ensemble| of(Preference::default().then(ensemble, None).into());
    assert_eq!(of_ensemble(ensemble("a a", 1)), RosterError::ModelTwice("a".into()));
    assert_eq!(of_ensemble(ensemble("a c", 1)), RosterError::UnknownModel("c".into()));
    for quorum in [0, 3] {
        let expected = RosterError::Quorum { quorum, members: 2 };
        assert_eq!(of_ensemble(ensemble("a b", quorum)), expected);
    }
    assert_eq!(of(Split::new().into()), RosterError::NoArms);
    let twice = Split::new().arm("x", 1.0, order("a")).arm("x", 2.0, order("b"));
    assert_eq!(of(twice.into()), RosterError::ArmTwice("x".into()));
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        let expected = RosterError::Weight { of: "x".into(), weight: weight.to_string() };
        assert_eq!(of(Split::new().arm("x", weight, order("a")).into()), expected);
        let ramp = Some(Ramp { to: weight, starts: Time::EPOCH, over: Duration::ZERO });
        let arm = Arm { name: "x".into(), weight: 1.0, ramp, branch: order("a").into() };
        assert_eq!(of(Split::new().with(arm).into()), expected);
    }
}
