//! The records on an endpoint's topics: requests, answers and scores, and their headers.
//!
//! Values are documents of the Open Inference Protocol, so that its tools and plain JSON tools can
//! read a topic. What the protocol has no field for is in `parameters`. This module knows bytes
//! and pairs only; which topic they are on is somebody else's business.

pub mod answer;
pub mod fence;
pub mod header;
pub mod request;
pub mod return_address;
pub mod score;

mod fields;

pub use answer::{
    AnswerRecord, AnswerSource, answer_response, decode_answer, encode_answer, explain,
};
pub use fence::{Fences, Standing};
pub use header::{HeaderError, Headers};
pub use request::{Arrival, RequestEnvelope, RequestRecordError, decode_request_record};
pub use return_address::{HostAddress, ReturnAddress};
pub use score::{ScoreRecord, decode_outside_score, decode_score, encode_score};
