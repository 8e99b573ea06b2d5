//! Scripts as their authors write them: what parses, what is told, how it is laid out.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests own their effects"
)]

mod errors;
mod layout;
mod limits;
mod properties;
mod secrecy;
mod support;
mod table;
