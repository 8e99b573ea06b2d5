//! The protocol over real sockets: what passes, and what is refused.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

mod client;
mod deliveries;
mod frames;
mod looking;
mod messages;
mod refusals;
mod support;
