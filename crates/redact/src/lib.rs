//! Redaction of secret values in byte streams.
//!
//! Bytes go in, bytes come out; every known value in them is replaced by
//! `[REDACTED:name]`. The crate knows no vault and does no input or output of
//! its own: values arrive through [`Known`], text through [`Redactor::push`].
//!
//! # What is found
//!
//! | Form | Meaning |
//! | --- | --- |
//! | [`Form::Exact`] | the value itself, and its units: each line of a multi-line value that has at least 16 bytes, a digit and no space and is no PEM boundary; such fields of a JSON document; the password of an address or of settings; the payload and the signature of a JWT |
//! | [`Form::Base64`] | the value inside base64, standard or URL-safe, padded or not, wherever it starts in the encoded data, wrapped or not: the characters that the value determines, and a partly determined neighbour |
//! | [`Form::Hex`], [`Form::Array`], [`Form::Dump`] | hexadecimal digits; bytes as numbers with something between them; what `xxd`, `hexdump` and `od` write, in both columns |
//! | [`Form::Escaped`], [`Form::Percent`], [`Form::Quoted`], [`Form::Entities`], [`Form::QuotedPrintable`] | escapes of JSON, JavaScript, C, Go and Python, of addresses, of shells, SQL and CSV, of HTML and XML, of mail; also doubled |
//! | [`Form::Lines`] | other line breaks in a value of several lines |
//! | [`Form::Base32`], [`Form::Base85`] | at each place in a group |
//! | [`Form::Case`], [`Form::Reversed`], [`Form::Rot13`] | the value turned as text |
//! | [`Form::Utf16`], [`Form::Utf32`] | both orders of bytes; UTF-16 in hexadecimal and base64 too |
//! | [`Form::Layered`] | base64 of base64, of hexadecimal, of escapes; hexadecimal and percent encoding of base64 |
//! | [`Form::Folded`] | the letters and digits of the value, its reverse, its base64, base32 or hexadecimal digits, in any case, whatever else stands between them: blanks, line breaks, colours, quotes, characters without width; and with any of them escaped |
//! | [`Form::Packed`] | any of these inside of gzip, zlib or zstd, of gzip or zstd in base64, of an HTTP body in gzip, deflate, br or zstd: see below |
//! | [`Form::Hash`] | with [`Known::with_hashes`], SHA-256 and MD5 of the value, and of the value and a line break, in hexadecimal and base64 |
//! | [`Form::Truncated`] | of the exact form, a prefix of at least 12 characters beyond a vendor's public prefix, with that or without it, or such a suffix |
//! | [`Form::Partial`] | on an idle terminal, a prefix that may go on |
//! | [`Form::Shape`] | with [`Redactor::with_shapes`], what looks like a credential: see [`shapes`] |
//!
//! A value of more than 16 KiB is searched for as it is, in base64, hexadecimal and escapes alone.
//!
//! A value of fewer than 8 bytes or 6 distinct bytes, or one in the list of
//! common words, would mask ordinary text: it is searched only when forced,
//! and then in its exact form alone. [`why_not_searched`] tells beforehand.
//!
//! # Packed data
//!
//! gzip, zlib with its usual headers and zstd are known by their first bytes, gzip and zstd in base64
//! too (`H4sI`, `KLUv`), in one line or wrapped; the body of an HTTP message by the head before it
//! (`Content-Encoding`, also of several, and `Transfer-Encoding: chunked`). What is inside is searched
//! as it passes, two layers deep; members one after the other are one text, and so is a body in
//! chunks.
//!
//! | Where something is found | then |
//! | --- | --- |
//! | in a piece of up to 256 KiB that is whole, and says up to 8 MiB | the same codings again, with masks in the place of values; a finding is all of the piece |
//! | in a longer one | one mask from what is held back, 256 KiB at most before the find, to the end of the piece: what went before is out, and the archive is broken |
//! | in one that is cut off or damaged | one mask, up to 4 KiB beyond the damage |
//! | in a body in chunks that is not packed | one mask from the value's first byte to its last |
//!
//! All else passes as it is: a piece without a value, of an unknown coding, with a dictionary, in a
//! third layer. So does a piece with a zstd window over 8 MiB, and one that says more than 64 bytes for
//! each byte of the stream and 8 MiB: it is counted by [`Redactor::unopened`]; where a value was found before
//! that, nothing more of the stream leaves. Of zstd nothing is read of a block that is not whole.
//! Checksums are not compared. Whoever must refuse such a body instead asks [`scrub_body`] or
//! [`Unpacker`], which say so.
//!
//! # Ways in
//!
//! | For | There is |
//! | --- | --- |
//! | one stream, in one expression | [`Redactor::builder`] |
//! | many streams with the same values | [`Known`], [`KnownSet::redactor`] |
//! | a whole text | [`redact_all`] |
//! | `Read` and `Write` | [`RedactingReader`], [`RedactingWriter`] |
//! | `AsyncRead` and `AsyncWrite` of tokio, with the feature `tokio` | `AsyncRedactingReader`, `AsyncRedactingWriter` |
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
//!   back. Of packed data that is up to 256 KiB, and what its decoders take: up to
//!   16 MiB each, as the data says. Memory depends on the values and these bounds
//!   alone, not on the stream, apart from what the caller collects in `out`.
//! - Hostile text cannot make the work quadratic in its length: a needle that
//!   repeats itself is compared once with each byte. What it can do is to hold
//!   pieces that many needles share, each of which is compared there.
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
//! The needles, the pieces of them that the filter knows, and the bytes held back
//! by a [`Redactor`] are overwritten when dropped, and buffers that grow are copied to new ones and wiped. So is
//! what packed data says, but for the window of zstd (up to 8 MiB, in the library's memory), and the
//! tables of deflate and brotli, which hold counts and a few bytes in passing. What the
//! caller passes in and collects in `out` is the caller's to wipe. The pages are
//! not locked.
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
#![deny(unsafe_code)]

mod adapt;
mod builder;
mod cover;
mod decode;
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
mod wide;
mod window;

#[cfg(feature = "tokio")]
pub use adapt::{AsyncRedactingReader, AsyncRedactingWriter};
pub use adapt::{RedactingReader, RedactingWriter};
pub use builder::{RedactorBuilder, Unsearched};
pub use decode::{BodyError, Codings, ScrubbedBody, Unpacker, scrub_body};
pub use finding::{Counts, Finding, Form};
pub use known::{Added, Known, KnownSet, why_not_searched};
pub use limits::MIN_FORCED_BYTES;
pub use redactor::{Redactor, redact_all};
