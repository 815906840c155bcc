//! Free ports for brokers.
//!
//! They lie below the range from which the system takes the near ends of connections. A port of that range could be
//! taken while a broker is down for a moment, even by a client of it that connects to itself; below, a port stays free
//! until somebody asks for it by its number.

use std::fs;
use std::net::TcpListener;

use crate::node;

/// Where the range begins on most systems, which is taken where nothing says otherwise.
const USUAL_RANGE_START: u16 = 32768;
/// Below it are services.
const FIRST: u16 = 10000;

/// So many ports that nobody listens on now. Somebody may before they are used.
pub(crate) fn free(count: usize) -> Vec<u16> {
    let span = usize::from(range_start().saturating_sub(FIRST).max(1000));
    let mut found = Vec::with_capacity(count);
    while found.len() < count {
        let port = FIRST + u16::try_from(node::random() as usize % span).unwrap_or(0);
        if !found.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            found.push(port);
        }
    }
    found
}

fn range_start() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let start = range.split_whitespace().next().and_then(|start| start.parse().ok());
    start.unwrap_or(USUAL_RANGE_START)
}
