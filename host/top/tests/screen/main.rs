//! What a person sees: events go in, and the screen is read.

mod changes;
mod pages;
mod rig;
mod terminals;
mod walking;
