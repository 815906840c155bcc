//! What becomes of routed models, event by event.

use std::fs;
use std::time::Duration;

use catalog::{ScanOptions, Scanner};
use message::EndpointName;

use super::*;
use crate::live::{Identity, TrackRecord, next_incarnation};
use crate::meter::Meter;

/// The parts of an endpoint whose models are files of an empty module each, with other bytes for
/// each edition.
#[derive(Default)]
struct Parts(RoutedParts);

impl Parts {
    /// Wants an edition of the model `a`, and returns its number.
    fn want(&mut self, edition: u8) -> u64 {
        let folder = tempfile::tempdir().unwrap();
        let endpoint = folder.path().join("e");
        fs::create_dir(&endpoint).unwrap();
        let wasm = [b"\0asm\x0d\0\x01\0\0\x02\x01".as_slice(), &[edition]].concat();
        fs::write(endpoint.join("a.wasm"), wasm).unwrap();
        let mut scanner = Scanner::new(folder.path(), ScanOptions::default());
        let long_after = crate::clock::now() + Duration::from_secs(3600);
        let catalog = scanner.scan(long_after).catalog;
        let file = catalog.model("e", "a").unwrap().clone();
        let incarnation = next_incarnation();
        let meter = Meter::new("none").endpoint(&EndpointName::from("e")).model(&"a".into());
        let routed = Routed::new(Identity {
            model: "a".into(),
            revision: file.revision,
            incarnation,
            meter,
            warmed: 0,
            record: TrackRecord::default(),
        });
        let limits = ConductLimits::of(&EndpointConfig::default());
        self.0.want(Wanted { file, routed, limits });
        incarnation
    }

    /// Who is asked, and the state in a word.
    fn is(&self) -> (Option<u64>, &'static str) {
        let part = self.0.get(&"a".into()).unwrap();
        let asked = part.member().filter(|(_, asked)| *asked);
        (asked.map(|(routed, _)| routed.incarnation()), part.state().name())
    }
}

const NOW: Time = Time::from_us(1_000_000_000);

#[test]
fn a_new_file_is_asked_before_anybody_looked_at_it() {
    let mut parts = Parts::default();
    let first = parts.want(1);
    assert_eq!(parts.is(), (Some(first), "cold"));
    assert_eq!(parts.0.take_unchecked(), [ModelName::from("a")]);
    assert!(!parts.0.accept(NOW, first));
    assert!(parts.0.refuse(first, "it is broken"));
    assert_eq!(parts.is(), (None, "refused"));
    assert_eq!(parts.0.take_left(), [first]);
    let second = parts.want(2);
    assert_eq!(parts.is(), (Some(second), "cold"));
}

#[test]
fn what_nobody_looked_at_makes_way_at_once() {
    let mut parts = Parts::default();
    let (first, second) = (parts.want(1), parts.want(2));
    assert_eq!(parts.is(), (Some(second), "cold"));
    assert_eq!(parts.0.take_left(), [first]);
    assert!(parts.0.find(first).is_none());
}

#[test]
fn a_model_that_goes_leaves_with_all_its_revisions() {
    let mut parts = Parts::default();
    let first = parts.want(1);
    assert!(parts.0.remove(&"a".into()));
    assert!(!parts.0.remove(&"a".into()));
    assert_eq!(parts.0.take_left(), [first]);
    assert!(parts.0.get(&"a".into()).is_none());
}

#[test]
fn who_faults_too_often_rests_and_then_is_asked_again() {
    let mut parts = Parts::default();
    let first = parts.want(1);
    let calls = |faults: u64| {
        let mut calls = Calls { incarnation: first, ..Calls::default() };
        (0..faults).for_each(|_| calls.tally.fault());
        if faults == 0 {
            calls.tally.succeed();
        }
        calls
    };
    let model = ModelName::from("a");
    assert_eq!(parts.0.name_of(first), Some(&model));
    assert_eq!(parts.0.handle_calls(NOW, &model, &calls(0), true), None);
    assert_eq!(parts.0.handle_calls(NOW, &model, &calls(100), false), None);
    assert_eq!(parts.0.handle_calls(NOW, &model, &calls(100), true), Some(Fate::Resting));
    assert_eq!(parts.is(), (None, "quarantined"));
    let due = parts.0.poll_timeout().unwrap();
    assert!(!parts.0.handle_timeout(NOW));
    assert!(parts.0.handle_timeout(due));
    assert_eq!((parts.is(), parts.0.poll_timeout()), ((Some(first), "cold"), None));
    let recovered = parts.0.handle_calls(due, &model, &calls(0), true);
    assert_eq!(recovered, Some(Fate::Recovered));
}

#[test]
fn only_what_a_route_leads_to_and_nothing_names_is_routed() {
    let toml = "[roles]\nchampion = 'c-1'\n[policy]\norder = [{ model = 'c-1' }, { model = 'c-2' }]\n\
                [[route]]\nmodels = 'c-*'\norder = [{ model = 'd' }]\n";
    let config = EndpointConfig::parse(std::path::Path::new("endpoint.toml"), toml).unwrap();
    let routing = Routing::of(&config);
    let routed = ["c-1", "c-2", "c-3", "c-4", "d"]
        .into_iter()
        .filter(|name| routing.pattern_of(&ModelName::from(*name)).is_some());
    assert_eq!(routed.collect::<Vec<_>>(), ["c-3", "c-4"]);
}
