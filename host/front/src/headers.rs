//! The headers of a call that mean something to us.

use std::time::Duration;

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use message::oip::Encoding;

use crate::problem::Problem;

const INFERENCE_HEADER_CONTENT_LENGTH: HeaderName =
    HeaderName::from_static("inference-header-content-length");
/// What the name of a header begins with that is a header of a record.
const RECORD_HEADER: &str = "understudy-header-";
const RETURN_TO: &str = "return-to";
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const OPERATOR: &str = "x-understudy-operator";
const TRACEPARENT: &str = "traceparent";

/// The headers that the records of a call get: those whose names begin with `understudy-header-`.
pub(crate) fn of_record(headers: &HeaderMap) -> Result<Vec<(String, Bytes)>, Problem> {
    let named = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(RECORD_HEADER)?;
        Some((name.to_owned(), Bytes::copy_from_slice(value.as_bytes())))
    });
    let named: Vec<_> = named.collect();
    if named.iter().any(|(name, _)| name.is_empty()) {
        let expected = "the name of a header of a record behind it";
        return Err(Problem::Header { name: RECORD_HEADER, expected });
    }
    Ok(named)
}

/// Checks that the body is what `accepted` says, as far as the headers tell; no type is any type.
pub(crate) fn check_body(
    headers: &HeaderMap,
    accepted: &'static [&'static str],
) -> Result<(), Problem> {
    if let Some(found) = headers.get(CONTENT_TYPE) {
        let essence =
            found.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !accepted.iter().any(|accepted| essence.eq_ignore_ascii_case(accepted)) {
            return Err(Problem::ContentType { found: lossy(found), expected: accepted[0] });
        }
    }
    match headers.get(CONTENT_ENCODING) {
        Some(found) if !found.as_bytes().eq_ignore_ascii_case(b"identity") => {
            Err(Problem::ContentEncoding { found: lossy(found) })
        }
        _ => Ok(()),
    }
}

/// How the body of a question is encoded: with its first bytes as the document where the headers
/// tell how many they are, or else as a document alone.
pub(crate) fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let Some(found) = headers.get(INFERENCE_HEADER_CONTENT_LENGTH) else {
        return Ok(Encoding::Json);
    };
    let length = found.to_str().ok().and_then(|text| text.parse().ok());
    let document_bytes = length.filter(|&length| length > 0).ok_or(Problem::Header {
        name: "inference-header-content-length",
        expected: "the length of the document in the body, from 1",
    })?;
    Ok(Encoding::Binary { document_bytes })
}

/// The header of a reply with tensors behind its document.
pub(crate) fn document_length(document_bytes: usize) -> (HeaderName, HeaderValue) {
    (INFERENCE_HEADER_CONTENT_LENGTH, HeaderValue::from(document_bytes))
}

/// How long a caller of gRPC waits.
pub(crate) fn grpc_timeout(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    const NAME: &str = "grpc-timeout";
    const SECONDS_IN_A_MINUTE: u64 = 60;
    const SECONDS_IN_AN_HOUR: u64 = 3_600;
    let Some(found) = headers.get(NAME) else { return Ok(None) };
    let expected = "1 to 8 digits and one of H, M, S, m, u and n";
    let wrong = || Problem::Header { name: NAME, expected };
    let (unit, digits) = found.as_bytes().split_last().ok_or_else(wrong)?;
    if !(1..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return Err(wrong());
    }
    let number = digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    Ok(Some(match unit {
        b'H' => Duration::from_secs(number * SECONDS_IN_AN_HOUR),
        b'M' => Duration::from_secs(number * SECONDS_IN_A_MINUTE),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return Err(wrong()),
    }))
}

/// The key by which the caller marks repetitions.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(found) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let expected = "1 to 255 printable ASCII characters";
    match found.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(Problem::Header { name: IDEMPOTENCY_KEY, expected }),
    }
}

/// Who an operator says to be.
pub(crate) fn operator(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(found) = headers.get(OPERATOR) else { return Ok(None) };
    let expected = "1 to 100 printable ASCII characters";
    match found.to_str() {
        Ok(name) if (1..=100).contains(&name.len()) => Ok(Some(name.to_owned())),
        _ => Err(Problem::Header { name: OPERATOR, expected }),
    }
}

/// The topic that the answer is to go to as well: `topic:replies`.
pub(crate) fn return_to(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(found) = headers.get(RETURN_TO) else { return Ok(None) };
    let expected = "topic: and the name of a topic, such as topic:replies";
    match found.to_str().ok().and_then(|found| found.strip_prefix("topic:")) {
        Some(topic) if (1..=200).contains(&topic.len()) => Ok(Some(topic.to_owned())),
        _ => Err(Problem::Header { name: RETURN_TO, expected }),
    }
}

/// The caller's trace. One in another form is ignored, as W3C Trace Context wants it.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<String> {
    const DASHES: [usize; 3] = [2, 35, 52];
    let text = headers.get(TRACEPARENT)?.to_str().ok()?;
    let fits = |(index, byte): (usize, u8)| {
        if DASHES.contains(&index) {
            byte == b'-'
        } else {
            matches!(byte, b'0'..=b'9' | b'a'..=b'f')
        }
    };
    (text.len() == 55 && text.bytes().enumerate().all(fits)).then(|| text.to_owned())
}

fn lossy(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn the_type_of_a_body_may_have_parameters_or_be_missing() {
        const JSON: &[&str] = &["application/json"];
        assert!(check_body(&HeaderMap::new(), JSON).is_ok());
        for good in ["application/json", "Application/JSON; charset=utf-8"] {
            assert!(check_body(&headers("content-type", good), JSON).is_ok(), "{good}");
        }
        for bad in ["", "text/plain", "application/jsonx", "application/x-www-form-urlencoded"] {
            assert!(check_body(&headers("content-type", bad), JSON).is_err(), "{bad}");
        }
        assert!(check_body(&headers("content-encoding", "Identity"), JSON).is_ok());
        assert!(check_body(&headers("content-encoding", "gzip"), JSON).is_err());
    }

    #[test]
    fn the_length_of_the_document_says_that_tensors_may_follow() {
        let name = "inference-header-content-length";
        assert_eq!(encoding(&HeaderMap::new()).unwrap(), Encoding::Json);
        let binary = Encoding::Binary { document_bytes: 5 };
        assert_eq!(encoding(&headers(name, "5")).unwrap(), binary);
        for bad in ["", "x", "-1", "0"] {
            assert!(encoding(&headers(name, bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_timeout_is_a_number_and_a_unit() {
        let name = "grpc-timeout";
        assert_eq!(grpc_timeout(&HeaderMap::new()).unwrap(), None);
        for (text, us) in [("2H", 7_200_000_000), ("3S", 3_000_000), ("50m", 50_000), ("7u", 7)] {
            let expected = Some(Duration::from_micros(us));
            assert_eq!(grpc_timeout(&headers(name, text)).unwrap(), expected, "{text}");
        }
        for bad in ["", "5", "m", "-5m", "123456789m", "5x", "1.5S"] {
            assert!(grpc_timeout(&headers(name, bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_return_address_is_a_topic() {
        let name = RETURN_TO;
        assert_eq!(return_to(&HeaderMap::new()).unwrap(), None);
        assert_eq!(return_to(&headers(name, "topic:a/b")).unwrap().as_deref(), Some("a/b"));
        for text in ["", "a", "topic:", "queue:a"] {
            assert!(return_to(&headers(name, text)).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_idempotency_key_is_printable_and_short() {
        let name = "idempotency-key";
        assert_eq!(idempotency_key(&HeaderMap::new()).unwrap(), None);
        assert_eq!(idempotency_key(&headers(name, "a b")).unwrap().as_deref(), Some("a b"));
        assert!(idempotency_key(&headers(name, "")).is_err());
        assert!(idempotency_key(&headers(name, "ü")).is_err());
        assert!(idempotency_key(&headers(name, &"k".repeat(256))).is_err());
    }

    #[test]
    fn a_trace_in_another_form_is_ignored() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(traceparent(&headers("traceparent", good)).as_deref(), Some(good));
        for bad in [&good[1..], &good.to_uppercase(), &good.replace('-', "_")] {
            assert_eq!(traceparent(&headers("traceparent", bad)), None, "{bad}");
        }
    }
}
