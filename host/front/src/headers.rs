//! The headers of a call that mean something to us.

use hyper::HeaderMap;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};

use crate::problem::Problem;

const INFERENCE_HEADER_CONTENT_LENGTH: HeaderName =
    HeaderName::from_static("inference-header-content-length");
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const TRACEPARENT: &str = "traceparent";

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

/// Checks that no tensors follow the document as bytes. A document that is the whole body may say so.
pub(crate) fn check_no_binary(headers: &HeaderMap, body_bytes: usize) -> Result<(), Problem> {
    match headers.get(INFERENCE_HEADER_CONTENT_LENGTH) {
        Some(found)
            if found.to_str().ok().and_then(|text| text.parse().ok()) != Some(body_bytes) =>
        {
            Err(Problem::BinaryTensors)
        }
        _ => Ok(()),
    }
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
    fn a_binary_part_is_noticed_by_the_length_of_the_document() {
        let name = "inference-header-content-length";
        assert!(check_no_binary(&HeaderMap::new(), 5).is_ok());
        assert!(check_no_binary(&headers(name, "5"), 5).is_ok());
        assert!(check_no_binary(&headers(name, "4"), 5).is_err());
        assert!(check_no_binary(&headers(name, "x"), 5).is_err());
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
