//! The requests that everything is measured with: two hundred flights.

use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use message::oip::{
    BinaryDocument, ProtobufRequest, decode_request, encode_binary_request, encode_protobuf_request,
};
use message::record::{Arrival, decode_request_record};
use message::{Parameter, Request, Time};

use crate::folder::root;

/// The documents of the example, as they stand in its file.
pub(crate) fn documents() -> Result<Vec<String>> {
    let file = root().join("examples/flights/sample.jsonl");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// The same with their tensors in binary, which the answers are wanted in as well.
pub(crate) fn binary() -> Result<Vec<BinaryDocument>> {
    let encode = |document: String| {
        let mut request = decode_request(document.as_bytes())?;
        request.parameters.insert("binary_data_output".to_owned(), Parameter::Bool(true));
        Ok(encode_binary_request(&request))
    };
    documents()?.into_iter().map(encode).collect()
}

/// The same as messages of protobuf.
pub(crate) fn messages(endpoint: &str) -> Result<Vec<Vec<u8>>> {
    let encode = |document: String| {
        let request = decode_request(document.as_bytes())?;
        let (model_name, model_version) = (endpoint.to_owned(), String::new());
        Ok(encode_protobuf_request(&ProtobufRequest { model_name, model_version, request }))
    };
    documents()?.into_iter().map(encode).collect()
}

/// As many documents as wanted, no two with the same id. `run` tells those of one call from those
/// of another.
pub(crate) fn distinct(count: usize, run: u64) -> Result<Vec<Bytes>> {
    let documents = documents()?;
    let mut made = Vec::with_capacity(count);
    for (number, document) in (0..count).zip(documents.iter().cycle()) {
        let (_, behind_id) = document.split_once(", ").context("a sample has more than an id")?;
        made.push(Bytes::from(format!("{{\"id\": \"{run}-{number}\", {behind_id}")));
    }
    Ok(made)
}

/// The requests as a model of the host gets them.
pub(crate) fn requests() -> Result<Vec<Request>> {
    let arrival = Arrival {
        fallback_id: &"none",
        received: Time::from_us(1_357_000_000_000_000),
        deadline: Duration::from_secs(1),
        key_input: None,
    };
    let decode = |document: String| {
        let envelope = decode_request_record([], document.as_bytes(), &arrival)?;
        Ok(envelope.request)
    };
    documents()?.into_iter().map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_documents_have_ids_of_their_own() {
        let documents = distinct(500, 7).unwrap();
        let mut ids: Vec<String> =
            documents.iter().map(|it| decode_request(it).unwrap().id.unwrap()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 500);
    }

    #[test]
    fn every_sample_is_a_request() {
        assert_eq!(requests().unwrap().len(), 200);
    }
}
