//! Sessions: their end, their places, their wear.

use message::{FaultClass, Refusal};
use sandbox::{ModelLimits, RuntimeConfig};

use crate::{model, model_with, request, y};

#[test]
fn after_its_fault_a_session_is_dead_and_the_others_are_not() {
    let model = model("flaky");
    let (mut broken, mut whole) = (model.session().unwrap(), model.session().unwrap());
    let fault = broken.predict(&[&request(-1.0)]).results.unwrap_err();
    assert_eq!(fault.class, FaultClass::Panic);
    assert!(broken.is_dead());
    let fault = broken.predict(&[&request(1.0)]).results.unwrap_err();
    assert_eq!(fault.class, FaultClass::Host);
    let results = whole.predict(&[&request(1.0)]).results.unwrap();
    assert_eq!(y(results[0].as_ref().unwrap()), 1.0);
}

#[test]
fn a_request_that_does_not_fit_is_refused_by_the_host_and_the_others_are_asked() {
    let model = model("times-2");
    let mut misfit = request(1.0);
    misfit.inputs.clear();
    let results = model.session().unwrap().predict(&[&misfit, &request(2.0)]).results.unwrap();
    assert!(matches!(&results[0], Err(Refusal::InvalidInput(why)) if why.contains("is missing")));
    assert_eq!(y(results[1].as_ref().unwrap()), 4.0);
}

#[test]
fn a_call_with_nothing_to_ask_never_reaches_the_guest() {
    let model = model("trap-in-predict");
    let mut session = model.session().unwrap();
    assert_eq!(session.predict(&[]).results.unwrap().len(), 0);
    let mut misfit = request(1.0);
    misfit.inputs.clear();
    assert!(session.predict(&[&misfit]).results.unwrap()[0].is_err());
    assert!(!session.is_dead());
}

#[test]
fn a_model_has_no_more_sessions_than_it_may_and_one_where_it_keeps_state() {
    let limits = ModelLimits { sessions: 2, ..ModelLimits::default() };
    let model = model_with("times-2", &limits);
    let sessions = [model.session().unwrap(), model.session().unwrap()];
    assert_eq!(model.session().unwrap_err().class, FaultClass::Host);
    assert_eq!(model.usage().sessions, 2);
    drop(sessions);
    assert!(model.session().is_ok());
    assert_eq!(model.usage(), sandbox::Usage { memory_bytes: 0, sessions: 0, ..model.usage() });

    let counter = model_with("counter", &limits);
    let _only = counter.session().unwrap();
    assert_eq!(counter.session().unwrap_err().class, FaultClass::Host);
}

#[test]
fn the_places_of_the_host_are_for_all_models_together() {
    let config = RuntimeConfig { sessions_limit: 2, ..RuntimeConfig::default() };
    let runtime = sandbox::Runtime::new(config).unwrap();
    let load = |name| runtime.load(&guests::build(name), &ModelLimits::default());
    let (twice, thrice) = (load("times-2").unwrap(), load("times-3").unwrap());
    let _sessions = [twice.session().unwrap(), thrice.session().unwrap()];
    assert_eq!(runtime.sessions(), 2);
    let fault = twice.session().unwrap_err();
    assert_eq!(fault.message, "all 2 sessions of the host are in use");
}

#[test]
fn a_session_is_worn_after_its_calls_or_by_its_memory() {
    let limits = ModelLimits { recycle_calls: 2, ..ModelLimits::default() };
    let model = model_with("times-2", &limits);
    let mut session = model.session().unwrap();
    session.predict(&[&request(1.0)]).results.unwrap();
    assert!(!session.is_worn());
    session.predict(&[&request(1.0)]).results.unwrap();
    assert!(session.is_worn());

    let limits = ModelLimits { memory_bytes: 32 << 20, sessions: 2, ..ModelLimits::default() };
    let model = model_with("memory-24", &limits);
    let mut session = model.session().unwrap();
    session.predict(&[&request(1.0)]).results.unwrap();
    assert!(session.is_worn() && session.memory_bytes() > 16 << 20);
}

#[test]
fn a_model_with_state_is_never_worn() {
    let limits = ModelLimits { recycle_calls: 0, ..ModelLimits::default() };
    let model = model_with("counter", &limits);
    let mut session = model.session().unwrap();
    session.predict(&[&request(1.0)]).results.unwrap();
    assert!(!session.is_worn());
}

#[test]
fn a_session_that_was_used_before_shows_nothing_of_it() {
    // The pool gives the slot of the one session to the next.
    let config = RuntimeConfig { sessions_limit: 1, ..RuntimeConfig::default() };
    let runtime = sandbox::Runtime::new(config).unwrap();
    let model = runtime.load(&guests::build("counter"), &ModelLimits::default()).unwrap();
    for _ in 0..100 {
        let results = model.session().unwrap().predict(&[&request(0.0)]).results.unwrap();
        assert_eq!(y(results[0].as_ref().unwrap()), 1.0);
    }
}

#[test]
fn an_inspection_names_who_made_the_component() {
    let inspection = crate::runtime().inspect(&guests::build("times-2")).unwrap();
    assert_eq!(inspection.metadata.name.as_deref(), Some("times-2"));
    assert_eq!(inspection.contract.as_deref(), Some("0.1.0"));
    assert!(!inspection.wants_wasi && inspection.forbidden.is_empty());
}
