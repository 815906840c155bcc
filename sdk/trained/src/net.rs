//! Neural nets that another engine runs: the file as it is, and what goes in and out.
//!
//! The runner of such nets compiles this file as one of its own, so that a change elsewhere in this crate is none to it.

use serde::{Deserialize, Serialize};

/// A net in the format of its engine, with what the contract needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Net {
    /// What the net reads, in the order of the graph.
    pub inputs: Vec<NetTensor>,
    /// What every prediction has, in the order of the graph.
    pub outputs: Vec<NetTensor>,
    /// The graph, as ONNX.
    pub onnx: Vec<u8>,
}

/// A tensor that goes into a net or comes out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetTensor {
    /// The name.
    pub name: String,
    /// Which of the graph's inputs or outputs it is.
    pub place: u32,
    /// The type of the elements.
    pub kind: NetType,
    /// Lengths that the graph has and a request has not: `[1]` where the graph's first dimension is the batch, or none.
    pub leading: Vec<i32>,
    /// The length of each dimension of a request, -1 where any length will do.
    pub shape: Vec<i32>,
}

/// The type of the elements of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetType {
    /// `BOOL`.
    Bool,
    /// `UINT8`.
    U8,
    /// `INT8`.
    I8,
    /// `INT32`.
    I32,
    /// `INT64`.
    I64,
    /// `FP16`.
    F16,
    /// `FP32`.
    F32,
    /// `FP64`.
    F64,
}

impl NetType {
    /// The name of the type in the Open Inference Protocol.
    #[allow(dead_code, reason = "the runner has the names of the contract")]
    pub fn protocol(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::U8 => "UINT8",
            Self::I8 => "INT8",
            Self::I32 => "INT32",
            Self::I64 => "INT64",
            Self::F16 => "FP16",
            Self::F32 => "FP32",
            Self::F64 => "FP64",
        }
    }
}

impl Net {
    /// The net as bytes.
    #[allow(dead_code, reason = "the runner only reads nets")]
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("invariant: a net has no type that cannot be written")
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// Where the bytes are no net.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, postcard::Error> {
        postcard::from_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_give_the_same_net() {
        let tensor = NetTensor {
            name: "x".into(),
            place: 0,
            kind: NetType::F32,
            leading: vec![1],
            shape: vec![-1, 3],
        };
        let net = Net { inputs: vec![tensor.clone()], outputs: vec![tensor], onnx: vec![8, 9] };
        assert_eq!(Net::from_bytes(&net.to_bytes()), Ok(net));
    }
}
