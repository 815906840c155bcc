//! A host whose endpoints are named after what they do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use front::{
    Admin, Answered, Appended, BatchStatistics, Call, Caller, Change, Declined, Host, IndexEntry,
    IndexState, InferError, Look, MemoryUsage, Metadata, ModelStatistics, NotFound, Operation,
    Readiness, RepositoryChange, ServerMetadata, Tally, TensorMetadata,
};
use hyper::StatusCode;
use message::oip::InferResponse;
use message::{Datatype, Fault, FaultClass, Refusal, Time};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

/// What the endpoint `nothing` answers.
pub(crate) const NOTHING: &str =
    r#"{"error":"nothing came","parameters":{"reason":"nothing-came"}}"#;

pub(crate) struct FakeHost {
    /// The calls that reached the endpoints, in order.
    pub(crate) calls: Mutex<Vec<Call>>,
    /// The records that were appended.
    pub(crate) records: Mutex<Vec<Bytes>>,
    /// What was loaded and unloaded.
    pub(crate) changes: Mutex<Vec<(Option<String>, RepositoryChange)>>,
    /// The statuses of the replies.
    pub(crate) statuses: Mutex<Vec<StatusCode>>,
    /// Lets calls of the endpoint `gated` go on, one for each permit.
    pub(crate) gate: Semaphore,
    /// How many calls wait at the gate.
    pub(crate) waiting: watch::Sender<usize>,
}

impl Default for FakeHost {
    fn default() -> Self {
        Self {
            calls: Mutex::default(),
            records: Mutex::default(),
            changes: Mutex::default(),
            statuses: Mutex::default(),
            gate: Semaphore::new(0),
            waiting: watch::Sender::new(0),
        }
    }
}

impl FakeHost {
    /// Waits until this many calls wait at the gate.
    pub(crate) async fn until_waiting(&self, count: usize) {
        let mut waiting = self.waiting.subscribe();
        waiting.wait_for(|&waiting| waiting == count).await.expect("the host lives");
    }

    async fn pass_gate(&self) {
        let _waits = Waits::begin(&self.waiting);
        self.gate.acquire().await.expect("the gate is never closed").forget();
    }

    fn known() -> Vec<String> {
        ["acme/fraud", "echo"].map(str::to_owned).to_vec()
    }
}

/// The inputs of a call as outputs.
fn echo(endpoint: &str, call: &Call) -> Arc<InferResponse> {
    Arc::new(InferResponse {
        model_name: endpoint.to_owned(),
        id: call.document.id.clone(),
        outputs: call.document.inputs.clone(),
        ..InferResponse::default()
    })
}

/// A call at the gate, until it passes or its caller hangs up.
struct Waits<'host>(&'host watch::Sender<usize>);

impl<'host> Waits<'host> {
    fn begin(waiting: &'host watch::Sender<usize>) -> Self {
        waiting.send_modify(|waiting| *waiting += 1);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

impl Host for FakeHost {
    async fn infer(&self, _: &Caller, endpoint: &str, call: Call) -> Result<Answered, InferError> {
        let id = call.document.id.clone();
        let response = call.wants_tensors.then(|| echo(endpoint, &call));
        self.calls.lock().expect("no test panics here").push(call);
        let retry_after = Duration::from_secs(7);
        match endpoint {
            "echo" | "acme/fraud" => {}
            "gated" => self.pass_gate().await,
            "busy" => return Err(InferError::Busy { retry_after }),
            "full" => return Err(InferError::StreamFull),
            "poisoned" => return Err(InferError::StreamPoisoned),
            "away" => return Err(InferError::StreamAway { retry_after }),
            "silent" => return Err(InferError::NoAnswer),
            "stopping" => return Err(InferError::ShuttingDown),
            "warming" => return Err(InferError::NotReady { reason: "it warms up".to_owned() }),
            "internal" => return Err(InferError::Internal),
            "nothing" => {
                return Err(InferError::NothingCame {
                    json: Bytes::from_static(NOTHING.as_bytes()),
                });
            }
            "strict" => {
                let message = "inputs[0].name: found `x`, expected `y`".to_owned();
                return Err(InferError::Invalid { message });
            }
            _ => return Err(InferError::UnknownEndpoint { known: Self::known() }),
        }
        let document = json!({ "model_name": endpoint, "id": id, "outputs": [] });
        Ok(Answered { json: Bytes::from(document.to_string()), response })
    }

    async fn infer_model(
        &self,
        _: &Caller,
        endpoint: &str,
        model: &str,
        _: Call,
    ) -> Result<Answered, InferError> {
        match model {
            "good" => {
                let document = json!({ "model_name": endpoint, "model_version": model });
                Ok(Answered { json: Bytes::from(document.to_string()), response: None })
            }
            "coy" => Err(InferError::Refused(Refusal::Abstain("not today".to_owned()))),
            "broken" => {
                let message = "the budget of 20 ms was used up".to_owned();
                Err(InferError::Faulted(Fault { class: FaultClass::Cpu, message }))
            }
            _ => Err(InferError::UnknownModel { known: vec!["good".to_owned()] }),
        }
    }

    async fn append(
        &self,
        _: &Caller,
        endpoint: &str,
        records: Vec<Bytes>,
    ) -> Result<Appended, InferError> {
        if endpoint != "echo" {
            return Err(InferError::UnknownEndpoint { known: Self::known() });
        }
        let mut kept = self.records.lock().expect("no test panics here");
        let (first_offset, count) = (kept.len() as u64, records.len() as u64);
        kept.extend(records);
        Ok(Appended::together(first_offset, count))
    }

    fn endpoints(&self, _: &Caller) -> Vec<String> {
        Self::known()
    }

    fn metadata(
        &self,
        _: &Caller,
        endpoint: &str,
        model: Option<&str>,
    ) -> Result<Metadata, NotFound> {
        match (endpoint, model) {
            ("echo", None | Some("good")) => Ok(Metadata {
                name: model.unwrap_or(endpoint).to_owned(),
                versions: vec!["good".to_owned()],
                platform: "understudy_component".to_owned(),
                inputs: vec![TensorMetadata {
                    name: "x".to_owned(),
                    datatype: Datatype::Fp32,
                    shape: vec![Some(2), None],
                }],
                outputs: Vec::new(),
                properties: vec![("role".to_owned(), "champion".to_owned())],
            }),
            ("echo", Some(_)) => Err(NotFound::Model { known: vec!["good".to_owned()] }),
            _ => Err(NotFound::Endpoint { known: Self::known() }),
        }
    }

    fn ready(
        &self,
        _: &Caller,
        endpoint: Option<&str>,
        _: Option<&str>,
    ) -> Result<Readiness, NotFound> {
        match endpoint {
            None | Some("echo") => Ok(Readiness::Ready),
            Some("warming") => Ok(Readiness::NotReady("it warms up".to_owned())),
            Some(_) => Err(NotFound::Endpoint { known: Self::known() }),
        }
    }

    fn statistics(
        &self,
        _: &Caller,
        endpoint: Option<&str>,
        model: Option<&str>,
    ) -> Result<Vec<ModelStatistics>, NotFound> {
        if !matches!(endpoint, None | Some("echo")) {
            return Err(NotFound::Endpoint { known: Self::known() });
        }
        let tally = |count, ns| Tally { count, time: Duration::from_nanos(ns) };
        Ok(vec![ModelStatistics {
            endpoint: "echo".to_owned(),
            model: model.unwrap_or("good").to_owned(),
            last_inference: Some(Time::from_us(7_999)),
            inferences: 3,
            executions: 2,
            success: tally(2, 20),
            fail: tally(1, 10),
            queue: tally(3, 5),
            compute_infer: tally(3, 25),
            batches: vec![BatchStatistics { size: 2, compute_infer: tally(1, 9) }],
            memory: vec![MemoryUsage { kind: "CPU".to_owned(), bytes: 64 }],
        }])
    }

    fn repository(&self, _: &Caller) -> Vec<IndexEntry> {
        let entry = |model: &str, state, reason: &str| IndexEntry {
            endpoint: "echo".to_owned(),
            model: model.to_owned(),
            state,
            reason: reason.to_owned(),
        };
        vec![
            entry("good", IndexState::Ready, ""),
            entry("broken", IndexState::Unavailable, "its file was refused"),
        ]
    }

    fn change_repository(
        &self,
        _: &Caller,
        endpoint: &str,
        model: Option<&str>,
        change: RepositoryChange,
    ) -> Result<(), InferError> {
        if endpoint != "echo" {
            return Err(InferError::UnknownEndpoint { known: Self::known() });
        }
        let change = (model.map(str::to_owned), change);
        self.changes.lock().expect("no test panics here").push(change);
        Ok(())
    }

    fn live(&self) -> bool {
        true
    }

    fn server(&self) -> ServerMetadata {
        let extensions = vec!["schedule_policy".to_owned()];
        ServerMetadata { name: "understudy".to_owned(), version: "0.1.0".to_owned(), extensions }
    }

    fn responded(&self, status: StatusCode) {
        self.statuses.lock().expect("no test panics here").push(status);
    }
}

impl Admin for FakeHost {
    fn metrics(&self, _: &Caller) -> String {
        "# EOF\n".to_owned()
    }

    fn status(&self, _: &Caller, _: bool) -> Value {
        json!({ "endpoints": [] })
    }

    fn live(&self) -> bool {
        false
    }

    fn ready(&self, _: &Caller) -> Readiness {
        Readiness::NotReady("nothing is loaded".to_owned())
    }

    fn look(&self, _: &Caller, look: Look) -> Result<Value, Declined> {
        match look {
            Look::Endpoints => Ok(json!({ "endpoints": Self::known() })),
            Look::Models { .. } | Look::Policy { .. } => Ok(json!({ "look": format!("{look:?}") })),
            Look::History { endpoint, .. } if endpoint == "echo" => Ok(json!({ "events": [] })),
            Look::History { .. } => {
                Err(Declined::NotFound(NotFound::Endpoint { known: Self::known() }))
            }
        }
    }

    fn change(&self, _: &Caller, change: Change) -> Result<Value, Declined> {
        match &change.operation {
            Operation::Retire { .. } => {
                Err(Declined::Conflict { document: json!({ "error": "it answers" }) })
            }
            Operation::Promote { .. } => {
                Err(Declined::NotFound(NotFound::Model { known: vec!["good".to_owned()] }))
            }
            Operation::SetPolicy { text } if text.starts_with('#') => {
                Err(Declined::Invalid { message: "found nothing".to_owned() })
            }
            Operation::Resume { .. } => {
                Err(Declined::Failed { message: "the disk is full".to_owned() })
            }
            _ => Ok(json!({ "change": format!("{change:?}") })),
        }
    }
}
