//! What becomes of one request on its way: what must not be seen elsewhere is taken out.
//!
//! A request is copied byte for byte unless something of its document has to go. Then it is read,
//! whatever its encoding is, and written again as JSON. One that cannot be read is not copied, as
//! nobody could say what is in it.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use bytes::Bytes;
use message::oip::{Encoding, InferRequest, decode_request_as, encode_request};
use message::record::{Headers as Known, header};
use message::{Contents, Tensor};
use stream::{Headers, Record, StoredRecord};

use super::Mirror;
use crate::clock;

/// Where a copy is from: topic, partition and offset.
const MIRRORED_FROM: &str = "mirrored-from";
/// What a copy does not have: whom it was for, and when that was due.
const LEFT_BEHIND: [&str; 3] = [header::RETURN_TO, header::DEADLINE_US, header::TIME_US];

/// Takes out what must not be seen elsewhere.
pub(super) struct Scrubber {
    topic: String,
    drop_inputs: Vec<String>,
    hash_inputs: Vec<String>,
    drop_parameters: Vec<String>,
    redact_headers: Vec<String>,
    new_ids: bool,
    salt: Vec<u8>,
    /// How often each name was found that is to be taken out.
    found: BTreeMap<String, u64>,
}

/// A request on its way.
pub(super) struct Mirrored {
    /// Its id, and that of the original.
    pub(super) id: String,
    pub(super) id_before: String,
    /// The key of the original.
    pub(super) key_before: Option<Bytes>,
    pub(super) record: Record,
}

impl Scrubber {
    pub(super) fn new(mirror: &Mirror, salt: Vec<u8>) -> Result<Self> {
        if let Some(id) = mirror.redact_header.iter().find(|name| *name == header::ID) {
            bail!("found --redact-header {id}, expected --new-ids: a request has an id");
        }
        let names = [
            ("input", &mirror.drop_input),
            ("input", &mirror.hash_input),
            ("parameter", &mirror.drop_parameter),
            ("header", &mirror.redact_header),
        ];
        let all = names.iter().flat_map(|(what, names)| names.iter().map(|it| label(what, it)));
        Ok(Self {
            topic: format!("{}/requests", mirror.endpoint),
            drop_inputs: mirror.drop_input.clone(),
            hash_inputs: mirror.hash_input.clone(),
            drop_parameters: mirror.drop_parameter.clone(),
            redact_headers: mirror.redact_header.clone(),
            new_ids: mirror.new_ids,
            salt,
            found: all.map(|label| (label, 0)).collect(),
        })
    }

    /// What was to be taken out and never was there.
    pub(super) fn never_found(&self) -> impl Iterator<Item = &str> {
        self.found.iter().filter(|(_, count)| **count == 0).map(|(name, _)| name.as_str())
    }

    /// The copy of a request.
    ///
    /// # Errors
    /// In words, why it cannot be read.
    pub(super) fn copy_of(
        &mut self,
        partition: u32,
        stored: &StoredRecord,
    ) -> Result<Mirrored, String> {
        let record = &stored.record;
        let headers = Known::read(record.headers.iter()).map_err(|error| error.to_string())?;
        let encoding = headers.encoding();
        let document = decode_request_as(&record.value, encoding);
        let mut document = match (document, self.rewrites()) {
            (Ok(document), _) => Some(document),
            (Err(error), true) => return Err(error.to_string()),
            (Err(_), false) => None,
        };
        let said = headers.id.map(str::to_owned);
        let said = said.or_else(|| document.as_ref().and_then(|document| document.id.clone()));
        let id_before = said.unwrap_or_else(|| format!("{partition}-{}", stored.offset));
        let id = if self.new_ids { self.digits(&id_before) } else { id_before.clone() };
        let value = match document.as_mut().filter(|_| self.rewrites()) {
            Some(document) => {
                self.scrub(document)?;
                if self.new_ids {
                    document.id = document.id.as_deref().map(|id| self.digits(id));
                }
                Bytes::from(encode_request(document))
            }
            None => record.value.clone(),
        };
        let from = format!("{}/{partition}/{}", self.topic, stored.offset);
        let headers = self.headers(record, &id).with(MIRRORED_FROM, from);
        // A key may be an input, whose name is not known here.
        let hidden = |key: &Bytes| match self.rewrites() {
            true => Bytes::from(self.digits_of(key)),
            false => key.clone(),
        };
        let key = record.key.as_ref().map(hidden);
        let record = Record { time: clock::now(), key, headers, value };
        Ok(Mirrored { id, id_before, key_before: stored.record.key.clone(), record })
    }

    /// Whether something of the documents has to go.
    fn rewrites(&self) -> bool {
        let nothing = self.drop_inputs.is_empty()
            && self.hash_inputs.is_empty()
            && self.drop_parameters.is_empty();
        self.new_ids || !nothing
    }

    fn headers(&mut self, record: &Record, id: &str) -> Headers {
        let rewrites = self.rewrites();
        let encoding = [header::CONTENT_TYPE, header::INFERENCE_HEADER_CONTENT_LENGTH];
        let mut kept = Headers::new().with(header::ID, id);
        for (name, value) in record.headers.iter() {
            if self.redact_headers.iter().any(|it| it == name) {
                self.count("header", name);
            } else if name != header::ID
                && !LEFT_BEHIND.contains(&name)
                && !(rewrites && encoding.contains(&name))
            {
                kept = kept.with(name, value);
            }
        }
        kept
    }

    fn scrub(&mut self, request: &mut InferRequest) -> Result<(), String> {
        let inputs = std::mem::take(&mut request.inputs);
        for input in inputs {
            if self.drop_inputs.contains(&input.name) {
                self.count("input", &input.name);
            } else if self.hash_inputs.contains(&input.name) {
                self.count("input", &input.name);
                request.inputs.push(self.hashed(input)?);
            } else {
                request.inputs.push(input);
            }
        }
        for name in self.drop_parameters.clone() {
            if request.parameters.remove(&name).is_some() {
                self.count("parameter", &name);
            }
        }
        Ok(())
    }

    fn hashed(&self, input: Tensor) -> Result<Tensor, String> {
        let Tensor { name, shape, contents, .. } = input;
        let texts = match &contents {
            Contents::Texts(texts) => texts.iter().map(|text| self.digits(text)).collect(),
            Contents::Blobs(blobs) => {
                blobs.iter().map(|blob| self.digits_of(blob)).collect::<Vec<_>>()
            }
            other => {
                let found = other.datatype();
                return Err(format!(
                    "input {name:?}: found {found}, expected BYTES to hash: use --drop-input"
                ));
            }
        };
        // Its parameters may say what it was.
        Ok(Tensor::new(name, shape, Contents::Texts(texts)))
    }

    fn count(&mut self, what: &str, name: &str) {
        if let Some(count) = self.found.get_mut(&label(what, name)) {
            *count += 1;
        }
    }

    fn digits(&self, text: &str) -> String {
        self.digits_of(text.as_bytes())
    }

    /// The first half of the digits of the salted SHA-256.
    fn digits_of(&self, bytes: &[u8]) -> String {
        let salted = [&self.salt, bytes].concat();
        catalog::write::revision(&salted).to_string()[..32].to_owned()
    }
}

/// A copy as a line of JSON that says all that a host needs to know.
pub(super) fn line_of(copy: &Mirrored) -> Result<Vec<u8>, String> {
    let headers = Known::read(copy.record.headers.iter()).map_err(|error| error.to_string())?;
    let encoding: Encoding = headers.encoding();
    let request = decode_request_as(&copy.record.value, encoding);
    let mut request = request.map_err(|error| error.to_string())?;
    request.id = Some(copy.id.clone());
    let mut line = encode_request(&request);
    line.push(b'\n');
    Ok(line)
}

fn label(what: &str, name: &str) -> String {
    format!("the {what} {name:?}")
}

#[cfg(test)]
mod tests;
