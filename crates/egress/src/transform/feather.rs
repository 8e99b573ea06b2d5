//! What Feather scripts compute: pure operations on texts, each for public texts and for values.
//!
//! Both ways run the same code. A public text is computed by [`Operation::evaluate`] on ordinary
//! memory. A value is computed by [`crate::Sensitive::derive_from`]: the code then writes into locked
//! memory, and no part of a value lies anywhere else but on the stack.
//!
//! A text is any bytes. Where characters count, each byte that is not UTF-8 is a character by
//! itself, so that every text operation has a result for every text.
//!
//! A number is a decimal text: digits, perhaps with `-` in front and with a dot and digits behind;
//! no exponent, no `+`, no blanks. It has at most 28 significant digits, of which at most 28 stand
//! behind the dot. Results have no needless zeros, and no `-0`. The two truths are `true` and
//! `false`, and no other spelling is one.
//!
//! ```
//! use subrosa_egress::feather::Operation;
//! assert_eq!(Operation::Add.evaluate(&[b"0.1", b"0.2"])?, b"0.3");
//! assert_eq!(Operation::Slice.evaluate(&["añb".as_bytes(), b"1", b"-1"])?, "ñ".as_bytes());
//! let fault = Operation::Div.evaluate(&[b"1", b"0"]).unwrap_err();
//! assert_eq!(fault.to_string(), "math div cannot divide by zero");
//! # Ok::<(), subrosa_egress::feather::Fault>(())
//! ```
//!
//! Source: the specification of Feather, tables of text, math and bool tools and of conditions.

mod fault;
mod number;
mod operation;
mod output;
mod split;
#[cfg(test)]
mod tests;
mod text;

pub use fault::{Fault, FaultKind};
pub use operation::Operation;
pub use output::{PUBLIC_LIMIT, SENSITIVE_LIMIT};
pub use split::{PARTS_LIMIT, Split};

/// What a text says as a truth: `true` or `false` and nothing else.
#[must_use]
pub fn truth(text: &[u8]) -> Option<bool> {
    match text {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

/// What a text says as a count: a whole number from zero.
#[must_use]
pub fn count(text: &[u8]) -> Option<u64> {
    let number = number::parse(text).ok()?;
    u64::try_from(number::whole(number)?).ok()
}
