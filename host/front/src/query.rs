//! The query of a URI.

use percent_encoding::percent_decode_str;

use crate::problem::Problem;

/// The pairs of a query, decoded.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what stands behind the question mark.
    pub(crate) fn parse(query: &str) -> Result<Self, Problem> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(&value.replace('+', " "))?))
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }

    /// Checks that every name is known, and stands there once.
    pub(crate) fn allow(&self, known: &'static [&'static str], any: bool) -> Result<(), Problem> {
        let known = if any { known } else { &[] };
        for (index, (name, _)) in self.0.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(Problem::QueryName { found: name.clone(), known });
            }
            if self.0[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(invalid(name, "a second one", "it once"));
            }
        }
        Ok(())
    }

    /// The value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Whether a name says true; it is false where it does not stand there.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(invalid(name, other, "true or false")),
        }
    }
}

/// The problem of a value that a name cannot have.
pub(crate) fn invalid(name: &str, found: &str, expected: &'static str) -> Problem {
    Problem::QueryValue { name: name.to_owned(), found: found.to_owned(), expected }
}

/// Undoes the encoding of a part of a URI.
pub(crate) fn decode(text: &str) -> Result<String, Problem> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| Problem::PathNotUtf8)?;
    Ok(decoded.into_owned())
}
