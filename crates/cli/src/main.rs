//! `subrosa`: the command line.
//!
//! It knows flags, prompts, colours and exit statuses; what a command does is a use case of
//! `subrosa-engine`. Data goes to standard output, everything else to standard error. A value is
//! read into locked memory and written from there; no text that is made here ever holds one.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_macros))]

mod access;
mod args;
mod commands;
mod complete;
mod context;
mod debug;
mod demo;
mod descriptor;
mod failure;
mod files;
mod looking;
mod near;
mod output;
mod panics;
mod progress;
mod prompt;
mod proofs;
mod reference;
mod remote;
mod serving;
mod steering;
mod table;
mod target;
mod text;
mod trouble;
mod variable;
mod when;

use std::process::ExitCode;

use failure::Failure;

fn main() -> ExitCode {
    panics::install();
    // Before any argument is looked at: nothing that this process ever holds may be dumped.
    if let Err(error) = subrosa_crypto::harden_process() {
        let failure = Failure::new(
            "hardening",
            format!("the system does not let this process close itself to debuggers: {error}"),
        );
        return output::fail(&failure, false);
    }
    args::run(std::env::args_os().collect())
}
