//! A request: one question to an endpoint.

use std::collections::BTreeMap;

use crate::{RequestId, Tensor, Time};

/// One question to an endpoint, as every model sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What makes it one and the same request, also when it comes twice.
    pub id: RequestId,
    /// When it was made.
    pub time: Time,
    /// When its answer is due.
    pub deadline: Time,
    /// What sticky splits and partitions go by.
    pub key: Option<String>,
    /// The tenant of who asked, as the host that took the request knows it.
    pub tenant: Option<String>,
    /// The id that the caller gave in the document; it is echoed and means nothing to us.
    pub caller_id: Option<String>,
    /// The tensors, in the order of the document.
    pub inputs: Vec<Tensor>,
    /// Whatever else the caller said: `timeout` and `priority` among it.
    pub parameters: Parameters,
    /// The names of the outputs that the caller wants; empty for all.
    pub outputs: Vec<String>,
}

/// Parameters of a request, an answer or a tensor, by name.
pub type Parameters = BTreeMap<String, Parameter>;

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number too large for `Int`.
    Uint(u64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(String),
}
