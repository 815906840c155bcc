//! Nothing that is to be taken out is anywhere in the copy.

use message::Time;
use message::oip::{ProtobufRequest, encode_binary_request, encode_protobuf_request};
use message::{Parameter, Parameters};

use super::*;

const SECRET: &str = "Jane Doe";

fn scrubber(change: impl FnOnce(&mut Scrubber)) -> Scrubber {
    let mut scrubber = Scrubber {
        topic: "flights/requests".into(),
        drop_inputs: Vec::new(),
        hash_inputs: Vec::new(),
        drop_parameters: Vec::new(),
        redact_headers: Vec::new(),
        new_ids: false,
        salt: b"0123456789abcdef".to_vec(),
        found: BTreeMap::new(),
    };
    change(&mut scrubber);
    scrubber
}

fn request() -> InferRequest {
    let text = |name: &str, text: &str| Tensor::new(name, [1], Contents::Texts(vec![text.into()]));
    InferRequest {
        id: Some(SECRET.to_owned()),
        parameters: Parameters::from([("who".to_owned(), Parameter::Text(SECRET.into()))]),
        inputs: vec![
            text("passenger", SECRET),
            text("carrier", "HA"),
            Tensor::new("distance", [1], Contents::F64s(vec![1200.0])),
        ],
        outputs: Vec::new(),
    }
}

/// The same request in each encoding.
fn records() -> Vec<StoredRecord> {
    let request = request();
    let binary = encode_binary_request(&request);
    let length = binary.document_bytes.to_string();
    let protobuf = ProtobufRequest { request: request.clone(), ..ProtobufRequest::default() };
    let values = [
        (Headers::new(), encode_request(&request)),
        (
            Headers::new().with(header::CONTENT_TYPE, header::PROTOBUF),
            encode_protobuf_request(&protobuf),
        ),
        (
            Headers::new()
                .with(header::CONTENT_TYPE, header::BINARY)
                .with(header::INFERENCE_HEADER_CONTENT_LENGTH, length),
            binary.bytes,
        ),
    ];
    let stored = |(headers, value): (Headers, Vec<u8>)| {
        let headers = headers
            .with(header::ID, "r-1")
            .with(header::RETURN_TO, "call")
            .with(header::DEADLINE_US, "7")
            .with("customer", SECRET);
        let key = Some(Bytes::from(SECRET));
        let record = Record { time: Time::from_us(1), key, headers, value: Bytes::from(value) };
        StoredRecord { offset: 9, record }
    };
    values.into_iter().map(stored).collect()
}

fn holds(record: &Record, needle: &str) -> bool {
    let has = |bytes: &[u8]| bytes.windows(needle.len()).any(|part| part == needle.as_bytes());
    has(&record.value)
        || record.key.as_ref().is_some_and(|key| has(key))
        || record.headers.iter().any(|(_, value)| has(value))
}

#[test]
fn a_copy_is_the_same_bytes_without_a_way_back() {
    for stored in records() {
        let copy = scrubber(|_| ()).copy_of(3, &stored).unwrap();
        assert_eq!(copy.record.value, stored.record.value);
        assert_eq!(copy.record.key, stored.record.key);
        assert_eq!((copy.id.as_str(), copy.id_before.as_str()), ("r-1", "r-1"));
        let header = |name| copy.record.headers.get(name);
        assert_eq!(header(header::ID), Some(&b"r-1"[..]));
        assert_eq!(header(MIRRORED_FROM), Some(&b"flights/requests/3/9"[..]));
        assert_eq!((header(header::RETURN_TO), header(header::DEADLINE_US)), (None, None));
        let content_type = stored.record.headers.get(header::CONTENT_TYPE);
        assert_eq!(header(header::CONTENT_TYPE), content_type);
    }
}

#[test]
fn what_is_taken_out_is_nowhere_in_whatever_encoding() {
    for stored in records() {
        assert!(holds(&stored.record, SECRET));
        let mut scrubber = scrubber(|it| {
            it.hash_inputs = vec!["passenger".into()];
            it.drop_inputs = vec!["distance".into()];
            it.drop_parameters = vec!["who".into()];
            it.redact_headers = vec!["customer".into()];
            it.new_ids = true;
        });
        let copy = scrubber.copy_of(0, &stored).unwrap();
        assert!(!holds(&copy.record, SECRET), "{:?}", copy.record);
        let again = decode_request_as(&copy.record.value, Encoding::Json).unwrap();
        assert_eq!(copy.record.headers.get(header::CONTENT_TYPE), None);
        let names: Vec<_> = again.inputs.iter().map(|input| input.name.as_str()).collect();
        assert_eq!(names, ["passenger", "carrier"]);
        let Contents::Texts(hashed) = &again.inputs[0].contents else { panic!("{again:?}") };
        assert_eq!(hashed[0], scrubber.digits(SECRET));
        assert_eq!(copy.id, scrubber.digits("r-1"));
    }
}

#[test]
fn what_was_equal_stays_equal_and_another_salt_makes_it_another() {
    let one = scrubber(|_| ());
    let other = scrubber(|it| it.salt = b"another salt of 16".to_vec());
    assert_eq!(one.digits("a"), one.digits("a"));
    assert_ne!(one.digits("a"), one.digits("b"));
    assert_ne!(one.digits("a"), other.digits("a"));
}

#[test]
fn what_cannot_be_read_is_copied_only_where_nothing_has_to_go() {
    let record = Record::new(Time::from_us(1), &b"{"[..]);
    let stored = StoredRecord { offset: 4, record };
    let copy = scrubber(|_| ()).copy_of(1, &stored).unwrap();
    assert_eq!((copy.id.as_str(), &copy.record.value[..]), ("1-4", &b"{"[..]));
    assert!(scrubber(|it| it.new_ids = true).copy_of(1, &stored).is_err());
}

#[test]
fn a_number_is_not_hashed_but_refused() {
    let error = scrubber(|it| it.hash_inputs = vec!["distance".into()]).copy_of(0, &records()[0]);
    assert_eq!(
        error.err().as_deref(),
        Some("input \"distance\": found FP64, expected BYTES to hash: use --drop-input")
    );
}

#[test]
fn a_line_says_the_id() {
    for stored in records() {
        let copy = scrubber(|_| ()).copy_of(0, &stored).unwrap();
        let line = line_of(&copy).unwrap();
        let request = decode_request_as(line.trim_ascii_end(), Encoding::Json).unwrap();
        assert_eq!(request.id.as_deref(), Some("r-1"));
        assert_eq!(request.inputs.len(), 3);
    }
}
