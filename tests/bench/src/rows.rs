//! The rows: one file a letter.

mod call;
mod flow;
mod http;
mod kafka;
mod log;
mod memory;
mod ready;
mod reloads;
mod rendezvous;
mod routed;
mod shadows;
mod trained;

use anyhow::{Result, bail};

use crate::table::Row;

/// Rows that are measured together.
pub(crate) struct Group {
    /// The letter that their ids begin with.
    pub(crate) letter: char,
    pub(crate) what: &'static str,
    pub(crate) measure: fn() -> Result<Vec<Row>>,
}

const fn group(letter: char, what: &'static str, measure: fn() -> Result<Vec<Row>>) -> Group {
    Group { letter, what, measure }
}

const ALL: [Group; 12] = [
    group('a', "calls over HTTP against a bare axum service", http::measure),
    group('b', "topic to topic through three models against copying", flow::measure),
    group('c', "one call in the sandbox against the bare engine and native code", call::measure),
    group('d', "the champion with twenty shadows against none", shadows::measure),
    group('e', "an endpoint while another reloads against idle", reloads::measure),
    group('f', "events of the rendezvous on one core", rendezvous::measure),
    group('g', "memory of many small models", memory::measure),
    group('h', "from a closed file to a live model", ready::measure),
    group('i', "the embedded log against plain files", log::measure),
    group('j', "a thousand routed models of which fifty are hot", routed::measure),
    group('k', "hosts on a broker of Kafka against a bare loop", kafka::measure),
    group('l', "packed models in the sandbox against their libraries", trained::measure),
];

/// The groups that were asked for, in their order.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<&'static Group>> {
    const GROUPS: &[Group] = &ALL;
    if names.iter().any(|name| name == "all") {
        return Ok(GROUPS.iter().collect());
    }
    for name in names {
        if !GROUPS.iter().any(|group| name.starts_with(group.letter)) {
            bail!("there is no row {name:?}; expected `all`, or some of a to l such as `a,f`");
        }
    }
    let is_chosen = |group: &&Group| names.iter().any(|name| name.starts_with(group.letter));
    Ok(GROUPS.iter().filter(is_chosen).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str], letters: &str) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let found: String = chosen(&names).unwrap().iter().map(|group| group.letter).collect();
        assert_eq!(found, letters);
    }

    #[test]
    fn rows_are_chosen_by_letter_or_id() {
        check(&["all"], "abcdefghijkl");
        check(&["f", "a"], "af");
        check(&["g-100", "g-1000"], "g");
    }

    #[test]
    fn a_row_that_is_not_there_is_an_error() {
        assert!(chosen(&["x".to_owned()]).is_err());
    }
}
