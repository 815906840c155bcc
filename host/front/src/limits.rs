//! How much the front takes: every limit by name, with its unit.

use std::time::Duration;

/// The limits of one listener.
///
/// What callers can make the front hold is at most sixteen times `bodies_bytes_max`, which is a body
/// and what it decodes to (an empty text of two bytes in protobuf becomes one of 24), and for each
/// connection two buffers of `head_bytes_max`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontLimits {
    /// Connections at once. Further ones wait in the backlog of the system.
    pub connections_max: usize,
    /// Calls at once, from the end of the head until the answer is handed to the connection.
    /// Further ones are told to come back.
    pub calls_open_max: usize,
    /// Concurrent streams of one HTTP/2 connection.
    pub streams_max: u32,
    /// The request line and the headers of a call, in bytes; at least 8,192.
    pub head_bytes_max: usize,
    /// The body of one call, in bytes.
    pub body_bytes_max: usize,
    /// The bodies of all open calls together, in bytes.
    pub bodies_bytes_max: usize,
    /// How long the handshake of a connection may take, where it is encrypted.
    pub handshake_time: Duration,
    /// How long the head of a call may take to arrive. Looked at once in this time, so that a
    /// slow one lasts at most twice as long.
    pub head_read_time: Duration,
    /// How long the body of a call may take to arrive.
    pub body_read_time: Duration,
    /// How long a connection may rest between two calls, or make no progress within one answer.
    pub idle_time: Duration,
    /// How long open calls have to finish after the shutdown began.
    pub drain_time: Duration,
}

impl Default for FrontLimits {
    fn default() -> Self {
        Self {
            connections_max: 1_000,
            calls_open_max: 2_000,
            streams_max: 100,
            head_bytes_max: 32 << 10,
            body_bytes_max: 16 << 20,
            bodies_bytes_max: 64 << 20,
            handshake_time: Duration::from_secs(10),
            head_read_time: Duration::from_secs(10),
            body_read_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(60),
            drain_time: Duration::from_secs(30),
        }
    }
}
