//! What happened to whom, as records on the endpoint's `events` topic.

use message::{EndpointName, ModelName, Revision, Time};
use serde_json::json;
use stream::Record;

use super::Supervisor;

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
        let Some(stage) = self.stages.get(endpoint) else { return };
        stage.endpoint.meter.metrics.roster_changed(what);
        let (model, revision) = who.map_or((None, None), |(model, revision)| {
            (Some(model.as_str()), revision.map(|revision| revision.to_string()))
        });
        let event = json!({
            "time_us": now.as_us(),
            "endpoint": endpoint.as_str(),
            "model": model,
            "revision": revision,
            "event": what,
            "reason": why,
        });
        let record = Record::new(now, event.to_string());
        if let Err(error) = stage.endpoint.journal.events.append(&[record]) {
            tracing::error!(%endpoint, %error, "an event cannot be kept");
        }
    }
}
