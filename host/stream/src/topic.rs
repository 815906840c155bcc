//! What a topic may be called.
//!
//! The names are Kafka's, and `/` besides, so that the topics of an endpoint lie in one folder.

use crate::OpenError;

const EXPECTED: &str = "1 to 200 of the characters a-z A-Z 0-9 . _ - and /, \
                        no part between slashes empty or beginning with a dot";

/// Refuses a name that could not be a folder below the data directory, or not a topic elsewhere.
pub(crate) fn check(name: &str) -> Result<(), OpenError> {
    let good_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    let good_part = |part: &str| !part.is_empty() && !part.starts_with('.');
    if name.len() <= 200 && name.bytes().all(good_byte) && name.split('/').all(good_part) {
        return Ok(());
    }
    Err(OpenError::Topic { found: name.to_owned(), expected: EXPECTED })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_data_directory() {
        for name in ["", "/", "a/", "/a", "a//b", "..", "a/../b", ".a", "a/.b", "a b", "ä", "a\0"]
        {
            assert!(check(name).is_err(), "{name:?}");
        }
        assert!(check(&"a".repeat(201)).is_err());
    }

    #[test]
    fn ordinary_names_are_topics() {
        for name in ["flights", "acme/fraud/requests", "a.b_c-D9", "a..b"] {
            assert!(check(name).is_ok(), "{name:?}");
        }
    }
}
