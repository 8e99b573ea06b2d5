//! What a policy decides, seen from outside.

mod support;

mod agents;
mod commands;
mod compare;
mod decide;
mod errors;
mod globs;
mod properties;
mod published;
mod secrets;
mod seed;
