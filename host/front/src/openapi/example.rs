//! Examples that work, made of what a host says of itself.

use message::Datatype;
use serde_json::{Value, json};

use super::Example;
use crate::caller::Caller;
use crate::host::{Host, Metadata, Readiness};
use crate::operate::Look;
use crate::routes::admin::Admin;

/// Up to how many elements a tensor of an example has.
const ELEMENTS_MAX: u32 = 64;

/// An endpoint that the caller sees, the first that can answer, with a request that it takes.
pub(crate) fn of_host<H: Host>(host: &H, caller: &Caller) -> Example {
    let endpoints = host.endpoints(caller);
    let is_ready = |name: &&String| host.ready(caller, Some(name), None) == Ok(Readiness::Ready);
    let Some(endpoint) = endpoints.iter().find(is_ready).or(endpoints.first()) else {
        return Example::default();
    };
    let metadata = host.metadata(caller, endpoint, None).ok();
    Example {
        endpoint: Some(endpoint.clone()),
        model: metadata.as_ref().and_then(|metadata| metadata.versions.first().cloned()),
        request: metadata.as_ref().and_then(request),
    }
}

/// An endpoint that the caller sees, and one of its models.
pub(crate) fn of_admin<A: Admin>(admin: &A, caller: &Caller) -> Example {
    let name_in = |look: Look, list: &str| {
        let document = admin.look(caller, look).ok()?;
        document[list][0]["name"].as_str().map(str::to_owned)
    };
    let endpoint = name_in(Look::Endpoints, "endpoints");
    let models = endpoint.clone().map(|endpoint| Look::Models { endpoint });
    Example { model: models.and_then(|look| name_in(look, "models")), endpoint, request: None }
}

/// A request with every input, of which each element is nothing.
fn request(metadata: &Metadata) -> Option<Value> {
    let inputs = metadata.inputs.iter().map(|input| {
        let shape: Vec<u32> = input.shape.iter().map(|length| length.unwrap_or(1)).collect();
        let elements = shape.iter().try_fold(1_u32, |product, length| product.checked_mul(*length));
        let elements = elements.filter(|elements| *elements <= ELEMENTS_MAX)?;
        let nothing = match input.datatype {
            Datatype::Bool => json!(false),
            Datatype::Text | Datatype::Blob => json!(""),
            Datatype::Fp16 | Datatype::Bf16 | Datatype::Fp32 | Datatype::Fp64 => json!(0.0),
            _ => json!(0),
        };
        Some(json!({
            "name": input.name,
            "datatype": input.datatype.wire_name(),
            "shape": shape,
            "data": vec![nothing; elements as usize],
        }))
    });
    let inputs = inputs.collect::<Option<Vec<_>>>().filter(|inputs| !inputs.is_empty())?;
    Some(json!({ "inputs": inputs }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::TensorMetadata;

    #[test]
    fn an_example_has_every_input_in_its_form() {
        let input = |name: &str, datatype, shape: &[Option<u32>]| TensorMetadata {
            name: name.to_owned(),
            datatype,
            shape: shape.to_vec(),
        };
        let inputs = vec![
            input("x", Datatype::Fp64, &[None, Some(2)]),
            input("carrier", Datatype::Text, &[Some(1)]),
        ];
        let request = |inputs| request(&Metadata { inputs, ..Metadata::default() });
        let expected = json!({ "inputs": [
            { "name": "x", "datatype": "FP64", "shape": [1, 2], "data": [0.0, 0.0] },
            { "name": "carrier", "datatype": "BYTES", "shape": [1], "data": [""] },
        ]});
        let encoded = expected.to_string();
        assert!(message::oip::decode_request(encoded.as_bytes()).is_ok(), "{encoded}");
        assert_eq!(request(inputs), Some(expected));
        assert_eq!(request(vec![]), None, "nobody knows what it takes");
        let huge = input("x", Datatype::Fp32, &[Some(1 << 20), Some(1 << 20)]);
        assert_eq!(request(vec![huge]), None);
    }
}
