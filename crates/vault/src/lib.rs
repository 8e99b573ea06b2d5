//! Envelope encryption, versions, workspaces and groups, sealed documents.
#![forbid(unsafe_code)]

pub mod port;
