//! The contract as Rust: everything here is generated from `wit/`.
//!
//! The types are public as they are generated, and the rest of this crate adds methods to them. So a
//! tensor that the host wrote into the guest's memory is read in place.

#![allow(
    missing_docs,
    unsafe_code,
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    clippy::undocumented_unsafe_blocks,
    clippy::use_self,
    reason = "the file is generated, and the canonical ABI is pointers"
)]

wit_bindgen::generate!({
    path: "../../wit/understudy-model-0.1.0",
    world: "model",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "understudy_model::bindings",
    additional_derives: [PartialEq],
});
