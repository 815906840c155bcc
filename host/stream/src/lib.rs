//! Ordered durable records behind one trait.
