//! The task loops of the host, one file each.

pub(crate) mod courier;
pub(crate) mod flow;
pub(crate) mod housekeeper;
pub(crate) mod loader;
pub(crate) mod porter;
pub(crate) mod recovery;
pub(crate) mod rendezvous;
pub(crate) mod scores;
pub(crate) mod supervisor;
