//! The catalogue of shapes from outside: every rule against its samples.

mod catalogue;
mod pem;
mod samples;
mod streams;
