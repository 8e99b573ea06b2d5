//! The program from outside: what is typed, what comes back.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests own their effects"
)]

mod age;
mod ambient;
mod backups;
mod decrypted;
mod demonstration;
mod doctor;
mod errors;
mod folders;
mod help;
mod house;
mod imports;
mod keys;
mod leaks;
mod logs;
mod meeting;
mod names;
mod pages;
mod policies;
mod promise;
mod references;
mod runs;
mod secrets;
mod shells;
mod terminal;
mod transfer;
