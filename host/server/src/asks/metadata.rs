//! What an endpoint and its models read and give.

use front::Metadata;
use sandbox::{Known, TensorType};

use crate::live::Live;
use crate::routed::Routed;

/// Of a model that nobody has looked at yet, nothing is known.
pub(super) fn routed_metadata(name: &str, live: &Live, routed: &Routed) -> Metadata {
    match routed.known().map(Known::description) {
        Some(description) => metadata_of(name, live, &description.inputs, &description.outputs),
        None => metadata_of(name, live, &[], &[]),
    }
}

pub(super) fn metadata_of(
    name: &str,
    live: &Live,
    inputs: &[TensorType],
    outputs: &[TensorType],
) -> Metadata {
    let forms = |tensors: &[TensorType]| {
        tensors
            .iter()
            .map(|tensor| front::TensorMetadata {
                name: tensor.name.clone(),
                datatype: tensor.datatype,
                shape: tensor.shape.clone(),
            })
            .collect()
    };
    Metadata {
        name: name.to_owned(),
        versions: live.members.iter().map(|member| member.identity.model.to_string()).collect(),
        platform: "understudy_wasm".into(),
        inputs: forms(inputs),
        outputs: forms(outputs),
        properties: Vec::new(),
    }
}
