//! The host's side of the contract: what goes to a guest fits its description, and so does what
//! comes back.
//!
//! Only borrowed data goes in. A tensor of numbers reaches guest memory as it stands in the
//! request; strings need one list of references each.

mod inputs;
mod outputs;

pub(crate) use inputs::Accepted;
pub(crate) use outputs::predictions;
