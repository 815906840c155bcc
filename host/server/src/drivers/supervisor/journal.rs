//! What happened to whom, as records on the endpoint's `events` topic.

use catalog::{Catalog, Change, EndpointConfig, EndpointSpec, ModelManifest};
use message::{EndpointName, ModelName, Revision, Time};
use serde_json::{Value, json};
use stream::Record;

use super::Supervisor;

/// Who did what nobody else did.
const HOST: &str = "host";
/// Who changed what was changed by hand.
const FOLDER: &str = "folder";

impl Supervisor {
    /// Records that something happened to an endpoint, or to one model of it.
    pub(super) fn note(
        &self,
        now: Time,
        endpoint: &EndpointName,
        who: Option<(&ModelName, Option<Revision>)>,
        what: &'static str,
        why: &str,
    ) {
        if let Some(stage) = self.stages.get(endpoint) {
            stage.endpoint.meter.metrics.roster_changed(what);
        }
        let (model, revision) = who.map_or((None, None), |(model, revision)| {
            (Some(model.as_str()), revision.map(|revision| revision.to_string()))
        });
        let event = json!({
            "time_us": now.as_us(),
            "endpoint": endpoint.as_str(),
            "who": HOST,
            "model": model,
            "revision": revision,
            "event": what,
            "reason": why,
        });
        self.keep_event(now, endpoint, &event);
    }

    /// Records what became of a model by its own conduct. `off` is the revision that was taken off,
    /// where another plays in its place.
    pub(super) fn note_turn(
        &self,
        now: Time,
        endpoint: &EndpointName,
        model: &ModelName,
        off: Option<Revision>,
        what: &'static str,
        why: &str,
    ) {
        let Some(stage) = self.stages.get(endpoint) else { return };
        stage.endpoint.meter.metrics.roster_changed(what);
        let part = stage.parts.get(model).and_then(|part| part.member());
        let plays = part.map(|(member, ..)| member.identity.revision);
        let side = |revision: Option<Revision>| {
            revision.map(|it| json!({ "model": model.as_str(), "revision": it.to_string() }))
        };
        let event = json!({
            "time_us": now.as_us(),
            "endpoint": endpoint.as_str(),
            "who": HOST,
            "model": model.as_str(),
            "revision": plays.map(|revision| revision.to_string()),
            "event": what,
            "reason": why,
            "from": side(off),
            "to": side(off.and(plays)),
        });
        self.keep_event(now, endpoint, &event);
    }

    /// Records the changes of the folder that nobody asked us for, each with what was there before
    /// and what is there now.
    ///
    /// What an operator has us change is recorded by the operation, with the reason; and the folder
    /// as it is found at the start is no change.
    pub(super) fn note_changes(&self, now: Time, before: &Catalog, changes: &[Change]) {
        if self.opened.is_some() {
            return;
        }
        for change in changes {
            let (endpoint, model, what) = match change {
                Change::ConfigChanged { endpoint } => (endpoint, None, "policy-changed"),
                Change::ModelAdded { endpoint, model }
                | Change::ModelChanged { endpoint, model, .. } => (endpoint, Some(model), "staged"),
                Change::ManifestChanged { endpoint, model } => {
                    (endpoint, Some(model), "manifest-changed")
                }
                Change::ModelRemoved { endpoint, model } => (endpoint, Some(model), "removed"),
                Change::EndpointAdded { .. } | Change::EndpointRemoved { .. } => continue,
            };
            self.note_change(now, before, endpoint, model, what);
        }
    }

    fn note_change(
        &self,
        now: Time,
        before: &Catalog,
        endpoint: &EndpointName,
        model: Option<&ModelName>,
        what: &'static str,
    ) {
        let Some(stage) = self.stages.get(endpoint) else { return };
        let said = |catalog: &Catalog| {
            let spec = catalog.endpoints.get(endpoint);
            spec.map(|spec| Said::of(spec, model)).unwrap_or(Said::Nothing)
        };
        let (from, to) = (said(before), said(&self.catalog));
        if stage.endpoint.standing.expects(|expected| Said::of(expected, model) == to) {
            return;
        }
        stage.endpoint.meter.metrics.roster_changed(what);
        let event = json!({
            "time_us": now.as_us(),
            "endpoint": endpoint.as_str(),
            "who": FOLDER,
            "model": model.map(ModelName::as_str),
            "revision": to.revision(),
            "event": what,
            "reason": "",
            "from": from.document(),
            "to": to.document(),
        });
        self.keep_event(now, endpoint, &event);
    }

    fn keep_event(&self, now: Time, endpoint: &EndpointName, event: &Value) {
        let Some(stage) = self.stages.get(endpoint) else { return };
        let record = Record::new(now, event.to_string());
        let events = &stage.endpoint.journal.events;
        // Handed in and not waited for: rosters do not wait for brokers.
        let kept = events.submit(&[record]).map(|_| ());
        let failed = events.take_failed().into_iter().map(|(_, error)| error);
        for error in kept.err().into_iter().chain(failed) {
            tracing::error!(%endpoint, %error, "an event cannot be kept");
        }
    }
}

/// What the folder says of an endpoint's configuration, or of one of its models.
#[derive(PartialEq)]
enum Said {
    Nothing,
    Config(Box<EndpointConfig>, Option<Revision>),
    Model(ModelName, Revision, ModelManifest),
}

impl Said {
    fn of(spec: &EndpointSpec, model: Option<&ModelName>) -> Self {
        let Some(model) = model else {
            return Self::Config(Box::new(spec.config.clone()), spec.digest);
        };
        spec.models.get(model).map_or(Self::Nothing, |file| {
            Self::Model(model.clone(), file.revision, file.manifest.clone())
        })
    }

    fn revision(&self) -> Option<String> {
        match self {
            Self::Model(_, revision, _) => Some(revision.to_string()),
            Self::Config(..) | Self::Nothing => None,
        }
    }

    fn document(&self) -> Value {
        match self {
            Self::Nothing => Value::Null,
            Self::Config(_, digest) => {
                json!({ "digest": digest.map(|digest| digest.to_string()) })
            }
            Self::Model(model, revision, _) => {
                json!({ "model": model.as_str(), "revision": revision.to_string() })
            }
        }
    }
}
