//! The same service for tensors as raw bytes: behind a JSON document, and in messages of gRPC.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Full};
use prost::Message;
use serde::Deserialize;

use crate::flight::Flight;

/// Says how likely a flight is to be late, told by its tensors as they come; `None` where they are
/// about no flight.
fn delayed<'a>(input: impl Fn(&str) -> Option<&'a [u8]>) -> Option<f64> {
    let text = |name: &str| {
        let (length, text) = input(name)?.split_first_chunk::<4>()?;
        str::from_utf8(text.get(..u32::from_le_bytes(*length) as usize)?).ok()
    };
    let float = |name: &str| Some(f32::from_le_bytes(input(name)?.try_into().ok()?));
    let small = |name: &str, limit: i32| {
        let number = i32::from_le_bytes(input(name)?.try_into().ok()?);
        u8::try_from(number).ok().filter(|_| number < limit)
    };
    let known_or = |usual: f32, found: f32| if found.is_nan() { usual } else { found };
    let flight = Flight {
        carrier: text("carrier")?,
        origin: text("origin")?,
        dest: text("dest")?,
        distance: float("distance")?,
        hour: small("hour", 24)?,
        weekday: small("weekday", 7)?,
        wind_speed: known_or(11.51, float("wind_speed")?),
        precip: known_or(0.0, float("precip")?),
        visib: known_or(10.0, float("visib")?),
    };
    Some(flight.delayed())
}

/// The document of a request, as far as this service cares.
#[derive(Debug, Deserialize)]
struct Document<'a> {
    id: Option<&'a str>,
    #[serde(borrow)]
    inputs: Vec<Input<'a>>,
}

#[derive(Debug, Deserialize)]
struct Input<'a> {
    name: &'a str,
    parameters: Parameters,
}

#[derive(Debug, Deserialize)]
struct Parameters {
    binary_data_size: usize,
}

/// Answers a body of a document and tensors behind it.
pub(crate) fn infer_binary(body: &[u8], document_bytes: usize) -> Response {
    match answer_binary(body, document_bytes) {
        Some((document, answer)) => {
            let length = document.len().to_string();
            let headers = [
                (header::CONTENT_TYPE.as_str(), "application/octet-stream"),
                ("inference-header-content-length", &length),
            ];
            let bytes = [document.as_bytes(), &answer.to_le_bytes()].concat();
            (headers, bytes).into_response()
        }
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn answer_binary(body: &[u8], document_bytes: usize) -> Option<(String, f64)> {
    let (document, mut rest) = body.split_at_checked(document_bytes)?;
    let Document { id, inputs } = serde_json::from_slice(document).ok()?;
    let mut tensors = Vec::with_capacity(inputs.len());
    for input in &inputs {
        let (tensor, behind) = rest.split_at_checked(input.parameters.binary_data_size)?;
        tensors.push((input.name, tensor));
        rest = behind;
    }
    let find = |name: &str| tensors.iter().find(|it| it.0 == name).map(|it| it.1);
    let answer = delayed(find)?;
    let id = id.unwrap_or_default();
    let document = format!(
        r#"{{"model_name":"flights","model_version":"logit","id":"{id}","outputs":[{{"name":"delayed","shape":[1],"datatype":"FP64","parameters":{{"binary_data_size":8}}}}]}}"#
    );
    Some((document, answer))
}

#[derive(Clone, PartialEq, Message)]
struct ModelInferRequest {
    #[prost(string, tag = "1")]
    model_name: String,
    #[prost(string, tag = "3")]
    id: String,
    #[prost(message, repeated, tag = "5")]
    inputs: Vec<Tensor>,
    #[prost(bytes = "bytes", repeated, tag = "7")]
    raw_input_contents: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct ModelInferResponse {
    #[prost(string, tag = "1")]
    model_name: String,
    #[prost(string, tag = "2")]
    model_version: String,
    #[prost(string, tag = "3")]
    id: String,
    #[prost(message, repeated, tag = "5")]
    outputs: Vec<Tensor>,
    #[prost(bytes = "vec", repeated, tag = "6")]
    raw_output_contents: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    datatype: String,
    #[prost(int64, repeated, tag = "3")]
    shape: Vec<i64>,
}

/// Answers a message of gRPC.
pub(crate) async fn infer_grpc(body: Bytes) -> Response {
    let (status, bytes) = match answer_grpc(body) {
        Some(bytes) => ("0", bytes),
        None => ("3", Bytes::new()),
    };
    let trailers = HeaderMap::from_iter([(
        header::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static(status),
    )]);
    let body = Full::new(bytes).with_trailers(async { Some(Ok(trailers)) });
    ([(header::CONTENT_TYPE, "application/grpc")], Body::new(body)).into_response()
}

fn answer_grpc(body: Bytes) -> Option<Bytes> {
    if body.len() < 5 {
        return None;
    }
    let request = ModelInferRequest::decode(body.slice(5..)).ok()?;
    let find = |name: &str| {
        let position = request.inputs.iter().position(|input| input.name == name)?;
        request.raw_input_contents.get(position).map(|bytes| &bytes[..])
    };
    let answer = delayed(find)?;
    let output = Tensor { name: "delayed".to_owned(), datatype: "FP64".to_owned(), shape: vec![1] };
    let response = ModelInferResponse {
        model_name: request.model_name,
        model_version: "logit".to_owned(),
        id: request.id,
        outputs: vec![output],
        raw_output_contents: vec![answer.to_le_bytes().to_vec()],
    };
    let mut framed = vec![0; 5];
    response.encode(&mut framed).ok()?;
    let length = u32::try_from(framed.len() - 5).ok()?;
    framed[1..5].copy_from_slice(&length.to_be_bytes());
    Some(Bytes::from(framed))
}
