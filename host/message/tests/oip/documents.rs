//! Any request and any response.

use message::oip::{InferRequest, InferResponse, RequestedOutput};
use message::{Contents, Parameter, Parameters, Tensor};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::{num, option};

fn parameter() -> impl Strategy<Value = Parameter> {
    prop_oneof![
        any::<bool>().prop_map(Parameter::Bool),
        any::<i64>().prop_map(Parameter::Int),
        // Smaller ones are read as `Int`.
        (i64::MAX as u64 + 1..).prop_map(Parameter::Uint),
        (num::f64::NORMAL | num::f64::SUBNORMAL | num::f64::ZERO).prop_map(Parameter::Float),
        any::<String>().prop_map(Parameter::Text),
    ]
}

pub(crate) fn parameters() -> impl Strategy<Value = Parameters> {
    btree_map(any::<String>(), parameter(), 0..3)
}

/// Bits of floats that are no NaN, whose payload has no way through JSON.
fn half_bits(is_nan: fn(u16) -> bool) -> impl Strategy<Value = u16> {
    any::<u16>().prop_filter("a NaN is tested by itself", move |&bits| !is_nan(bits))
}

fn contents(count: usize) -> impl Strategy<Value = Contents> {
    let f32s = num::f32::NORMAL | num::f32::SUBNORMAL | num::f32::ZERO | num::f32::INFINITE;
    let f64s = num::f64::NORMAL | num::f64::SUBNORMAL | num::f64::ZERO | num::f64::INFINITE;
    let f16_is_nan = |bits| half::f16::from_bits(bits).is_nan();
    let bf16_is_nan = |bits| half::bf16::from_bits(bits).is_nan();
    prop_oneof![
        vec(any::<bool>(), count).prop_map(Contents::Bools),
        vec(any::<u8>(), count).prop_map(Contents::U8s),
        vec(any::<u16>(), count).prop_map(Contents::U16s),
        vec(any::<u32>(), count).prop_map(Contents::U32s),
        vec(any::<u64>(), count).prop_map(Contents::U64s),
        vec(any::<i8>(), count).prop_map(Contents::S8s),
        vec(any::<i16>(), count).prop_map(Contents::S16s),
        vec(any::<i32>(), count).prop_map(Contents::S32s),
        vec(any::<i64>(), count).prop_map(Contents::S64s),
        vec(half_bits(f16_is_nan), count).prop_map(Contents::F16s),
        vec(half_bits(bf16_is_nan), count).prop_map(Contents::Bf16s),
        vec(f32s, count).prop_map(Contents::F32s),
        vec(f64s, count).prop_map(Contents::F64s),
        vec(any::<String>(), count).prop_map(Contents::Texts),
        vec(any::<Vec<u8>>(), count).prop_map(Contents::Blobs),
    ]
}

fn tensor(name: String) -> impl Strategy<Value = Tensor> {
    let shape = vec(0_u32..4, 0..4);
    let with_contents = shape.prop_flat_map(|shape| {
        let count = Tensor::element_count(&shape).expect("a small shape");
        (Just(shape), contents(count))
    });
    let tensor = (with_contents, parameters());
    tensor.prop_map(move |((shape, contents), mut parameters)| {
        parameters.remove("content_type");
        parameters.remove("binary_data_size");
        Tensor { name: name.clone(), shape, contents, parameters }
    })
}

pub(crate) fn tensors() -> impl Strategy<Value = Vec<Tensor>> {
    let names = proptest::collection::btree_set(any::<String>(), 0..4);
    names.prop_flat_map(|names| names.into_iter().map(tensor).collect::<Vec<_>>())
}

pub(crate) fn request() -> impl Strategy<Value = InferRequest> {
    let outputs = btree_map(any::<String>(), parameters(), 0..3);
    let request = (option::of(any::<String>()), parameters(), tensors(), outputs);
    request.prop_map(|(id, parameters, inputs, outputs)| {
        let output = |(name, parameters)| RequestedOutput { name, parameters };
        InferRequest { id, parameters, inputs, outputs: outputs.into_iter().map(output).collect() }
    })
}

pub(crate) fn response() -> impl Strategy<Value = InferResponse> {
    let text = || any::<String>();
    let response = (text(), option::of(text()), option::of(text()), parameters(), tensors());
    response.prop_map(|(model_name, model_version, id, parameters, outputs)| InferResponse {
        model_name,
        model_version,
        id,
        parameters,
        outputs,
    })
}
