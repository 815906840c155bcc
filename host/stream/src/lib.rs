//! Ordered durable records behind one trait.
//!
//! A [`Stream`] holds topics, a topic one [`Partition`] or several, and a partition is a sequence of
//! [`Record`]s that only grows at its end and shrinks at its start. This crate moves bytes: it knows
//! nothing of tensors, models or roles.
//!
//! What would surprise: nothing here is asynchronous. Appending and reading are system calls on the
//! page cache, which take microseconds; what can take long, the way to the disk, is waited for with
//! [`Partition::wait`] or heard of through [`Partition::subscribe`].
//!
//! ```
//! use message::Time;
//! use stream::{MemoryStream, ReadLimit, Record, Stream, TopicOptions};
//!
//! let stream = MemoryStream::new();
//! let topic = stream.open("flights/requests", &TopicOptions::default())?;
//! topic.append(&[Record::new(Time::from_us(7), &b"hello"[..])])?;
//! let records = topic.read(0, ReadLimit::default())?;
//! assert_eq!(records[0].record.value, "hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(test)]
mod conformance;
mod embedded;
mod error;
mod group;
pub mod kafka;
mod memory;
#[cfg(test)]
mod model_test;
mod options;
mod partition;
mod partitioner;
mod progress;
#[cfg(test)]
mod random;
mod readers;
mod record;
mod topic;

#[doc(hidden)]
pub use embedded::check_segment;
pub use embedded::{
    DamageReport, EmbeddedStream, ReadOnlyStream, SegmentReport, TopicReport, verify,
};
pub use error::{AppendError, OpenError, Owner, ReadError};
pub use group::{
    Commit, GroupEvent, GroupOptions, Listener, Member, Output, Release, Source, TransactError,
};
pub use kafka::{KafkaConfig, KafkaStream};
pub use memory::MemoryStream;
pub use options::{Fsync, ReadLimit, Retention, TopicOptions};
pub use partition::{Health, Partition, Stream, Watermarks};
pub use partitioner::partition_of_key;
pub use progress::Subscription;
pub use record::{Headers, Record, StoredRecord};
