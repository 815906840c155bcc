//! The front over real sockets, before a host that does what a test wants.
//!
//! Calls are written byte by byte where it matters how they arrive. Nothing here waits for a time:
//! tests wait for replies, for the host to have been asked, or for a connection to end.

mod admin;
mod auth;
mod client;
mod errors;
mod extensions;
mod fake_host;
mod grpc;
mod http2;
mod infer;
mod lifecycle;
mod limits;
mod rig;
mod tls;
