//! Redaction of known secret values in byte streams.
//!
//! Bytes go in, bytes come out; every known value in them is replaced by
//! `[REDACTED:name]`. The crate knows no vault and does no input or output of
//! its own: values arrive through [`Known`], text through [`Redactor::push`].
//!
//! # What is found
//!
//! | Form | Meaning |
//! | --- | --- |
//! | [`Form::Exact`] | the value itself, and each line of a multi-line value that has at least 16 bytes, a digit and no space and is no PEM boundary |
//! | [`Form::Base64`] | the value inside base64, standard or URL-safe, padded or not, wherever it starts in the encoded data: the characters that the value determines, and a partly determined neighbour |
//! | [`Form::Truncated`] | at the end of the stream, a prefix of 16 or more characters |
//! | [`Form::Partial`] | on an idle terminal, a prefix that may go on |
//!
//! A value of fewer than 8 bytes or 6 distinct bytes, or one in the list of
//! common words, would mask ordinary text: it is searched only when forced,
//! and then in its exact form alone. [`why_not_searched`] tells beforehand.
//!
//! # Invariants
//!
//! - Bytes outside findings leave exactly as they came, in order.
//! - Overlapping findings become one, named after the longest. Findings that
//!   only touch stay two.
//! - A replacement is never searched again.
//! - Without calls of [`Redactor::idle`] the output does not depend on how the
//!   input was cut into pushes.
//! - Only the longest suffix that may still become part of a finding is held
//!   back. Memory depends on the values alone, not on the stream, apart from
//!   what the caller collects in `out`.
//! - Work per input byte is constant on average on any text: hostile text
//!   cannot make it quadratic.
//! - No value appears in a `Debug` form, an error or a panic message.
//!
//! # What it never does
//!
//! It does not stop a program that holds a value from hiding it: any
//! reversible change that is not in the table passes. It guards against
//! accidents and careless tools.
//!
//! # Memory hygiene
//!
//! The automaton is this crate's own, so that its copies of the values (the
//! labels of its edges), the values kept by [`KnownSet`], and the bytes held
//! back by a [`Redactor`] are all overwritten when dropped, and their buffers
//! are sized once, so that growth leaves no stale copies. What the caller
//! passes in and collects in `out` is the caller's to wipe. The pages are not
//! locked. A compiled set takes about 25 bytes for each byte of each searched
//! form, roughly 200 for each byte of a value, and as much again while it is
//! being compiled.
//!
//! ```
//! use subrosa_redact::Known;
//!
//! let mut known = Known::new();
//! assert!(known.add(Some("api/key"), b"s3cr3t-t0ken").is_searched());
//! let set = known.build();
//!
//! let mut redactor = set.redactor();
//! let mut out = Vec::new();
//! redactor.push(b"key=s3cr3t", &mut out);
//! assert_eq!(out, b"key=");
//! redactor.push(b"-t0ken\n", &mut out);
//! redactor.finish(&mut out);
//! assert_eq!(out, b"key=[REDACTED:api/key]\n");
//! ```
#![forbid(unsafe_code)]

mod adapt;
mod cover;
mod dump;
mod finding;
mod fold;
mod forms;
mod known;
mod limits;
mod matcher;
mod needle;
mod redactor;
pub mod shapes;
mod view;

pub use adapt::{RedactingReader, RedactingWriter};
pub use finding::{Counts, Finding, Form};
pub use known::{Added, Known, KnownSet, why_not_searched};
pub use limits::MIN_FORCED_BYTES;
pub use redactor::{Redactor, redact_all};
