//! Brokers of Apache Kafka for tests: real ones, started in seconds from their jars, without a container.
//!
//! What would surprise: nothing that is started here outlives the process that started it, however that ends. A shell
//! of its own per folder waits until the process is gone, then ends the brokers and removes what they wrote; so a
//! broker may lie in a static, and a test may be killed.
//!
//! ```no_run
//! use kafka_testkit::{Broker, Message};
//!
//! let broker = Broker::shared();
//! let client = broker.client();
//! client.create_topic("greetings", 1, &[]);
//! client.produce("greetings", &[Message::new("hello")]);
//! assert_eq!(client.read_all("greetings")[0].text(), "hello");
//! ```

mod broker;
mod certificates;
mod client;
mod cluster;
mod install;
mod keeper;
mod node;
mod options;
mod ports;
mod probe;
mod properties;
mod proxy;
mod wait;

pub use broker::{Broker, unique};
pub use certificates::Certificates;
pub use client::{Client, Delivery, Message, Producer};
pub use cluster::Cluster;
pub use options::{Listener, Options, PLAIN_USER, SCRAM_USER};
pub use proxy::Proxy;
pub use wait::PATIENCE;
