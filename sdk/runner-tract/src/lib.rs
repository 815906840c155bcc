//! The component that runs neural nets from ONNX files.
//!
//! It holds a [`Net`], which `understudy pack` puts into its memory, and hands it to tract. Rows are run one by one,
//! with a batch of one written into the graph: tract picks its kernels by the length of the batch, and a prediction must not
//! depend on its neighbours.

#[path = "../../trained/src/net.rs"]
mod net;
mod slot;

use std::sync::{Arc, OnceLock};

use net::{Net, NetTensor, NetType};
use tract_onnx::prelude::*;
use understudy_model::{
    BatchModel, Contents, Datatype, Description, Prediction, Refusal, Request,
    Tensor as WireTensor, TensorType,
};

/// The net that was packed.
struct Runner;

impl BatchModel for Runner {
    fn describe() -> Description {
        let mut description = Description::new();
        let net = packed().expect("a net was packed into the runner");
        description.inputs = net.inputs.iter().map(tensor_type).collect();
        description.outputs = net.outputs.iter().map(tensor_type).collect();
        description
    }

    fn predict_batch(requests: &[Request]) -> Vec<Result<Prediction, Refusal>> {
        requests.iter().map(predict).collect()
    }
}

understudy_model::export!(Runner);

fn predict(request: &Request) -> Result<Prediction, Refusal> {
    let net = packed().map_err(Refusal::failed)?;
    let plan = plan().map_err(Refusal::failed)?;
    let inputs = net.inputs.iter().map(|input| {
        let tensor = request.input(&input.name)?;
        to_tract(tensor, input)
            .map_err(|why| Refusal::invalid_input(format!("input `{}`: {why}", input.name)))
    });
    let inputs = inputs.collect::<Result<TVec<TValue>, Refusal>>()?;
    let results = plan.run(inputs).map_err(|error| Refusal::failed(format!("{error:#}")))?;
    let outputs = net.outputs.iter().zip(results.iter()).map(|(output, result)| {
        from_tract(result, output)
            .map_err(|why| Refusal::failed(format!("output `{}`: {why}", output.name)))
    });
    Ok(Prediction { outputs: outputs.collect::<Result<_, _>>()?, notes: Vec::new() })
}

fn packed() -> Result<&'static Net, String> {
    static NET: OnceLock<Result<Net, String>> = OnceLock::new();
    NET.get_or_init(|| Net::from_bytes(slot::bytes()).map_err(|why| why.to_string()))
        .as_ref()
        .map_err(Clone::clone)
}

fn plan() -> Result<&'static Arc<TypedRunnableModel>, String> {
    static PLAN: OnceLock<Result<Arc<TypedRunnableModel>, String>> = OnceLock::new();
    let prepared = PLAN.get_or_init(|| {
        packed().and_then(|net| prepare(net).map_err(|error| format!("{error:#}")))
    });
    prepared.as_ref().map_err(Clone::clone)
}

/// Reads the graph, keeps what leads to the outputs that are wanted, and optimises it for one row.
fn prepare(net: &Net) -> TractResult<Arc<TypedRunnableModel>> {
    let mut model =
        tract_onnx::onnx().with_ignore_output_shapes(true).model_for_read(&mut &net.onnx[..])?;
    for input in &net.inputs {
        let number = input.place as usize;
        let lengths = input.leading.iter().copied().chain(input.shape.iter().copied());
        let shape: TVec<TDim> = lengths
            .enumerate()
            .map(|(axis, length)| match length {
                // A length that differs from request to request is a symbol of its own.
                -1 => model.symbols.sym(&format!("n{number}_{axis}")).to_dim(),
                length => i64::from(length).to_dim(),
            })
            .collect();
        model.set_input_fact(number, InferenceFact::dt_shape(datum_type(input.kind), shape))?;
    }
    let all = model.output_outlets()?.to_vec();
    let wanted: Vec<OutletId> =
        net.outputs.iter().map(|output| all[output.place as usize]).collect();
    model.select_output_outlets(&wanted)?;
    model.into_optimized()?.into_runnable()
}

fn datum_type(kind: NetType) -> DatumType {
    match kind {
        NetType::Bool => DatumType::Bool,
        NetType::U8 => DatumType::U8,
        NetType::I8 => DatumType::I8,
        NetType::I32 => DatumType::I32,
        NetType::I64 => DatumType::I64,
        NetType::F16 => DatumType::F16,
        NetType::F32 => DatumType::F32,
        NetType::F64 => DatumType::F64,
    }
}

fn tensor_type(tensor: &NetTensor) -> TensorType {
    let datatype = match tensor.kind {
        NetType::Bool => Datatype::Boolean,
        NetType::U8 => Datatype::Uint8,
        NetType::I8 => Datatype::Int8,
        NetType::I32 => Datatype::Int32,
        NetType::I64 => Datatype::Int64,
        NetType::F16 => Datatype::Fp16,
        NetType::F32 => Datatype::Fp32,
        NetType::F64 => Datatype::Fp64,
    };
    TensorType { name: tensor.name.clone(), datatype, shape: tensor.shape.clone() }
}

fn to_tract(tensor: &WireTensor, input: &NetTensor) -> Result<TValue, String> {
    let shape: Vec<usize> = input
        .leading
        .iter()
        .map(|length| *length as usize)
        .chain(tensor.shape.iter().map(|length| *length as usize))
        .collect();
    let made = match &tensor.contents {
        Contents::Bools(values) => Tensor::from_shape(&shape, values),
        Contents::U8s(values) => Tensor::from_shape(&shape, values),
        Contents::S8s(values) => Tensor::from_shape(&shape, values),
        Contents::S32s(values) => Tensor::from_shape(&shape, values),
        Contents::S64s(values) => Tensor::from_shape(&shape, values),
        Contents::F16s(values) => {
            let values: Vec<f16> = values.iter().map(|bits| f16::from_bits(*bits)).collect();
            Tensor::from_shape(&shape, &values)
        }
        Contents::F32s(values) => Tensor::from_shape(&shape, values),
        Contents::F64s(values) => Tensor::from_shape(&shape, values),
        _ => return Err("found a datatype that the description does not have".to_owned()),
    };
    made.map(IntoTValue::into_tvalue).map_err(|error| format!("{error:#}"))
}

fn from_tract(result: &Tensor, output: &NetTensor) -> Result<WireTensor, String> {
    let read = || -> TractResult<Contents> {
        Ok(match output.kind {
            NetType::Bool => Contents::Bools(result.view().as_slice::<bool>()?.to_vec()),
            NetType::U8 => Contents::U8s(result.view().as_slice::<u8>()?.to_vec()),
            NetType::I8 => Contents::S8s(result.view().as_slice::<i8>()?.to_vec()),
            NetType::I32 => Contents::S32s(result.view().as_slice::<i32>()?.to_vec()),
            NetType::I64 => Contents::S64s(result.view().as_slice::<i64>()?.to_vec()),
            NetType::F16 => Contents::F16s(
                result.view().as_slice::<f16>()?.iter().map(|value| value.to_bits()).collect(),
            ),
            NetType::F32 => Contents::F32s(result.view().as_slice::<f32>()?.to_vec()),
            NetType::F64 => Contents::F64s(result.view().as_slice::<f64>()?.to_vec()),
        })
    };
    let contents = read().map_err(|error| format!("{error:#}"))?;
    let leading = output.leading.len();
    let shape = result
        .shape()
        .get(leading..)
        .ok_or_else(|| format!("found {:?}, expected {leading} more", result.shape()))?;
    Ok(WireTensor {
        name: output.name.clone(),
        shape: shape.iter().map(|length| *length as u32).collect(),
        contents,
    })
}
