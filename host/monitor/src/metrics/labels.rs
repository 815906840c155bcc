//! The labels of the families.

use prometheus_client::encoding::EncodeLabelSet;

/// Which threads run a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Those whose scores can still become an answer.
    Live,
    /// Those whose scores cannot.
    Shadow,
}

impl Lane {
    /// Both lanes.
    pub const ALL: [Self; 2] = [Self::Live, Self::Shadow];

    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Shadow => "shadow",
        }
    }
}

macro_rules! labels {
    ($($name:ident { $($label:ident: $kind:ty),+ })+) => {
        $(
            #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
            pub(super) struct $name {
                $(pub(super) $label: $kind,)+
            }
        )+
    };
}

labels! {
    BuildLabels { version: String, wasmtime: String }
    StatusLabels { status: u16 }
    RefusalLabels { tenant: String, why: &'static str }
    BackendLabels { backend: &'static str }
    BrokerLabels { broker: String }
    RttLabels { broker: String, quantile: &'static str }
    TroubleLabels { class: &'static str }
    EndpointLabels { endpoint: String }
    ByLabels { endpoint: String, by: &'static str }
    ReasonLabels { endpoint: String, reason: &'static str }
    ChangeLabels { endpoint: String, change: &'static str }
    CourseLabels { endpoint: String, course: String }
    WarmthLabels { endpoint: String, state: &'static str }
    TopicLabels { endpoint: String, topic: String }
    PartitionLabels { endpoint: String, partition: String }
    AnswerLabels { endpoint: String, chosen: &'static str, model: String, reason: &'static str }
    ModelLabels { endpoint: String, model: String }
    OutcomeLabels { endpoint: String, model: String, outcome: &'static str }
    FaultLabels { endpoint: String, model: String, class: &'static str }
    LaneLabels { endpoint: String, model: String, lane: &'static str }
    InfoLabels { endpoint: String, model: String, revision: String, role: &'static str, state: &'static str }
}
