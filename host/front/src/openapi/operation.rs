//! A row of the table: what a method does to a path.

use crate::guard::Act;

/// What a method does to a path.
pub(super) struct Operation {
    pub(super) id: &'static str,
    /// In lower case, as the document has it.
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) act: Act,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    /// The names of its parameters, those of the path included.
    pub(super) parameters: &'static [&'static str],
    pub(super) body: Option<Body>,
    /// What it gives, its own errors included.
    pub(super) answers: &'static [Answer],
    /// The errors of [`ERRORS`] that it has beside those which follow from the rest of the row.
    pub(super) errors: &'static [u16],
}

/// A body of a request.
pub(super) struct Body {
    pub(super) is_required: bool,
    /// Types of media and the names of schemas.
    pub(super) media: &'static [(&'static str, &'static str)],
}

/// A response.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) means: &'static str,
    pub(super) media: &'static str,
    pub(super) schema: &'static str,
    pub(super) headers: &'static [&'static str],
}

pub(super) const JSON: &str = "application/json";

/// A good answer of JSON.
pub(super) const fn ok(means: &'static str, schema: &'static str) -> Answer {
    Answer { status: 200, means, media: JSON, schema, headers: &[] }
}

/// An answer of another status.
pub(super) const fn answer(status: u16, means: &'static str, schema: &'static str) -> Answer {
    Answer { status, means, media: JSON, schema, headers: &[] }
}

const fn error(status: u16, means: &'static str, headers: &'static [&'static str]) -> Answer {
    Answer { status, means, media: JSON, schema: "Error", headers }
}

/// What errors mean.
pub(super) const ERRORS: &[Answer] = &[
    error(400, "The request cannot be understood; the error says where and why.", &[]),
    error(401, "Nobody knows the caller.", &["www-authenticate"]),
    error(403, "The caller is known and may not do this.", &[]),
    error(404, "There is no such endpoint, model or topic, as far as the caller may see.", &[]),
    error(405, "The path is for other methods.", &["allow"]),
    error(408, "The body did not come in time.", &[]),
    error(409, "Things are such that this cannot be done; nothing was changed.", &[]),
    error(413, "The body is too large.", &[]),
    error(415, "The body is of a type, or in an encoding, that is not taken here.", &[]),
    error(422, "The file that would be written is of no use; the error says where and why.", &[]),
    error(429, "The tenant has asked for enough.", &["retry-after"]),
    error(500, "The model broke, or the host did.", &[]),
    error(503, "Not now.", &["retry-after"]),
    error(504, "Nothing had come when the answer was due.", &[]),
    error(507, "There is no room to record the request.", &[]),
];

impl Operation {
    /// Every error that it may end with.
    pub(super) fn errors(&self) -> Vec<u16> {
        let mut errors = vec![405];
        if self.act != Act::Health {
            errors.extend([401, 403, 429, 500]);
        }
        if !self.parameters.is_empty() {
            errors.push(400);
        }
        if self.path.contains('{') {
            errors.push(404);
        }
        if self.body.is_some() {
            errors.extend([400, 408, 413, 415, 503]);
        }
        errors.extend(self.errors);
        errors
    }
}
