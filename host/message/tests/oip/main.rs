//! What holds for every document of the protocol, in each of its encodings.

mod binary;
mod documents;
mod json;
mod messages;
mod protobuf;
