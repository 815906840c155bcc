//! Tokens as calls carry them: the header `authorization: Bearer TOKEN`.

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use sha2::{Digest, Sha256};

/// The longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 256;

/// What a call shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// When it shows nothing.
    Nothing,
    /// When it shows a token, whose SHA-256 this is.
    Token([u8; 32]),
    /// When it shows something else.
    Other,
}

/// The SHA-256 of a token or of a certificate.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The token of a call.
pub(super) fn token(headers: &HeaderMap) -> Shown {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = all.next() else { return Shown::Nothing };
    let token =
        value.to_str().ok().and_then(|text| text.split_once(' ')).and_then(|(scheme, it)| {
            let token = it.trim_ascii();
            let fits = scheme.eq_ignore_ascii_case("bearer") && token.len() <= TOKEN_BYTES_MAX;
            (fits && !token.is_empty()).then_some(token)
        });
    match token {
        Some(token) if all.next().is_none() => Shown::Token(digest(token.as_bytes())),
        _ => Shown::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn check(values: &[&str], expected: Shown) {
        let values = values.iter().map(|value| HeaderValue::from_str(value).unwrap());
        let headers = values.map(|value| (AUTHORIZATION, value)).fold(
            HeaderMap::new(),
            |mut headers, (name, value)| {
                headers.append(name, value);
                headers
            },
        );
        assert_eq!(token(&headers), expected);
    }

    #[test]
    fn a_token_stands_behind_its_scheme() {
        let expected = Shown::Token(digest(b"us_abc"));
        check(&["Bearer us_abc"], expected);
        check(&["bearer   us_abc "], expected);
        check(&[], Shown::Nothing);
    }

    #[test]
    fn what_is_no_token_counts_as_a_wrong_one() {
        for other in ["us_abc", "Basic us_abc", "Bearer", "Bearer ", &"Bearer x".repeat(40)] {
            check(&[other], Shown::Other);
        }
        check(&["Bearer us_abc", "Bearer us_abc"], Shown::Other);
    }
}
