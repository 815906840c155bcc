//! The contract as code: bindings generated from `wit/`, and the step from their words to ours.
//!
//! Parameters borrow, so that a tensor reaches guest memory as one copy for each of its lists.

use message::{Contents, Datatype};

use crate::description::{Description, DescriptionError, TensorType};

#[allow(
    missing_docs,
    unsafe_code,
    unused_qualifications,
    unreachable_pub,
    clippy::all,
    clippy::use_self,
    reason = "generated; its unsafe parts implement the engine's traits for plain data"
)]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit/understudy-model-0.1.0",
        world: "model",
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

use generated::understudy::model::types as guest;
pub(crate) use generated::{Model as Bindings, ModelPre as BindingsPre};
pub(crate) use guest::{
    ContentsParam as GuestContents, ContentsResult as GuestContentsReturned,
    Prediction as GuestPrediction, Refusal as GuestRefusal, Request as GuestRequest,
    TensorParam as GuestTensor, TensorResult as GuestTensorReturned,
};

/// The version of the contract that this host speaks.
pub(crate) const VERSION: &str = "0.1.0";

/// What a guest returns for one request.
pub(crate) type Answered = Result<GuestPrediction, GuestRefusal>;

/// A description in our words.
pub(crate) fn description(found: guest::Description) -> Result<Description, DescriptionError> {
    let tensors = |types: Vec<guest::TensorType>| {
        let tensor =
            |it: guest::TensorType| TensorType::new(&it.name, datatype(it.datatype), &it.shape);
        types.into_iter().map(tensor).collect::<Result<Vec<_>, _>>()
    };
    Ok(Description {
        inputs: tensors(found.inputs)?,
        outputs: tensors(found.outputs)?,
        batch_limit: found.batch_limit,
        stateless: found.stateless,
    })
}

const fn datatype(datatype: guest::Datatype) -> Datatype {
    match datatype {
        guest::Datatype::Boolean => Datatype::Bool,
        guest::Datatype::Uint8 => Datatype::Uint8,
        guest::Datatype::Uint16 => Datatype::Uint16,
        guest::Datatype::Uint32 => Datatype::Uint32,
        guest::Datatype::Uint64 => Datatype::Uint64,
        guest::Datatype::Int8 => Datatype::Int8,
        guest::Datatype::Int16 => Datatype::Int16,
        guest::Datatype::Int32 => Datatype::Int32,
        guest::Datatype::Int64 => Datatype::Int64,
        guest::Datatype::Fp16 => Datatype::Fp16,
        guest::Datatype::Bf16 => Datatype::Bf16,
        guest::Datatype::Fp32 => Datatype::Fp32,
        guest::Datatype::Fp64 => Datatype::Fp64,
        guest::Datatype::Text => Datatype::Text,
        guest::Datatype::Blob => Datatype::Blob,
    }
}

/// The elements as the guest takes them. Strings are `None`: they need a list of references.
pub(crate) fn borrow(contents: &Contents) -> Option<GuestContents<'_>> {
    Some(match contents {
        Contents::Bools(them) => GuestContents::Bools(them),
        Contents::U8s(them) => GuestContents::U8s(them),
        Contents::U16s(them) => GuestContents::U16s(them),
        Contents::U32s(them) => GuestContents::U32s(them),
        Contents::U64s(them) => GuestContents::U64s(them),
        Contents::S8s(them) => GuestContents::S8s(them),
        Contents::S16s(them) => GuestContents::S16s(them),
        Contents::S32s(them) => GuestContents::S32s(them),
        Contents::S64s(them) => GuestContents::S64s(them),
        Contents::F16s(them) => GuestContents::F16s(them),
        Contents::Bf16s(them) => GuestContents::Bf16s(them),
        Contents::F32s(them) => GuestContents::F32s(them),
        Contents::F64s(them) => GuestContents::F64s(them),
        Contents::Texts(_) | Contents::Blobs(_) => return None,
    })
}

/// The elements in our words.
pub(crate) fn own(contents: GuestContentsReturned) -> Contents {
    match contents {
        GuestContentsReturned::Bools(them) => Contents::Bools(them),
        GuestContentsReturned::U8s(them) => Contents::U8s(them),
        GuestContentsReturned::U16s(them) => Contents::U16s(them),
        GuestContentsReturned::U32s(them) => Contents::U32s(them),
        GuestContentsReturned::U64s(them) => Contents::U64s(them),
        GuestContentsReturned::S8s(them) => Contents::S8s(them),
        GuestContentsReturned::S16s(them) => Contents::S16s(them),
        GuestContentsReturned::S32s(them) => Contents::S32s(them),
        GuestContentsReturned::S64s(them) => Contents::S64s(them),
        GuestContentsReturned::F16s(them) => Contents::F16s(them),
        GuestContentsReturned::Bf16s(them) => Contents::Bf16s(them),
        GuestContentsReturned::F32s(them) => Contents::F32s(them),
        GuestContentsReturned::F64s(them) => Contents::F64s(them),
        GuestContentsReturned::Texts(them) => Contents::Texts(them),
        GuestContentsReturned::Blobs(them) => Contents::Blobs(them),
    }
}
