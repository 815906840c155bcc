//! Where the answer of a request goes besides the answers topic, as the header `return-to` says it.
//!
//! A header that says something else is nobody's mistake: other producers may put theirs there.

use std::fmt;

use super::header::{HOST_PREFIX, TOPIC_PREFIX};

/// What stands between a host and a topic.
const SEPARATOR: char = ';';

/// Where an answer goes besides the answers topic: `host:3/b5d1…`, `topic:orders`, or the one behind
/// the other with a `;` between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReturnAddress<'a> {
    /// The host where a caller waits.
    pub host: Option<HostAddress<'a>>,
    /// A plain topic.
    pub topic: Option<&'a str>,
}

/// Where a caller waits: a host, and the partition of the replies that it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostAddress<'a> {
    /// The partition of the replies.
    pub partition: u32,
    /// The id of the host. Each life of a host has its own.
    pub host: &'a str,
}

impl<'a> ReturnAddress<'a> {
    /// Reads what the header says; what is no address of ours is none.
    pub fn parse(header: &'a str) -> Self {
        let mut address = Self::default();
        for part in header.split(SEPARATOR) {
            if let Some(topic) = part.strip_prefix(TOPIC_PREFIX) {
                address.topic = Some(topic);
            } else if let Some(host) = HostAddress::parse(part) {
                address.host = Some(host);
            }
        }
        address
    }

    /// Reads the header of a record.
    pub fn of(header: Option<&'a [u8]>) -> Self {
        header
            .and_then(|header| std::str::from_utf8(header).ok())
            .map(Self::parse)
            .unwrap_or_default()
    }
}

impl<'a> HostAddress<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (partition, host) = text.strip_prefix(HOST_PREFIX)?.split_once('/')?;
        let partition = partition.parse().ok().filter(|_| !host.is_empty())?;
        Some(Self { partition, host })
    }
}

impl fmt::Display for ReturnAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(HostAddress { partition, host }) = self.host {
            write!(f, "{HOST_PREFIX}{partition}/{host}")?;
        }
        if let (Some(_), Some(_)) = (self.host, self.topic) {
            write!(f, "{SEPARATOR}")?;
        }
        match self.topic {
            Some(topic) => write!(f, "{TOPIC_PREFIX}{topic}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(
        host: Option<(u32, &'static str)>,
        topic: Option<&'static str>,
    ) -> ReturnAddress<'static> {
        let host = host.map(|(partition, host)| HostAddress { partition, host });
        ReturnAddress { host, topic }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let check = |text: &str, expected: ReturnAddress<'_>| {
            assert_eq!(ReturnAddress::parse(text), expected);
            assert_eq!(expected.to_string(), text);
        };
        check("host:3/b5d1", address(Some((3, "b5d1")), None));
        check("topic:acme/orders", address(None, Some("acme/orders")));
        check("host:0/b5d1;topic:orders", address(Some((0, "b5d1")), Some("orders")));
        check("", address(None, None));
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "call",
            "repeatable-call",
            "topic",
            "host:",
            "host:3",
            "host:3/",
            "host:x/b",
            "host:-1/b",
            "http://a/b",
        ] {
            assert_eq!(ReturnAddress::parse(text), ReturnAddress::default(), "{text}");
        }
        assert_eq!(ReturnAddress::of(Some(b"\xff")), ReturnAddress::default());
        assert_eq!(ReturnAddress::of(None), ReturnAddress::default());
    }
}
