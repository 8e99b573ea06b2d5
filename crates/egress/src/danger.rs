//! What a reviewer must stop at: each use outside this crate is listed in ARCHITECTURE.md.

use subrosa_crypto::ct_eq;
use subrosa_model::Reference;

use crate::Sensitive;

/// Whether two values are the same, in time that depends on their lengths only.
///
/// One bit leaves. For imports, which ask whether a conflict is one; never with a value that a
/// caller other than an operator chose.
#[must_use]
pub fn same(one: &Sensitive, other: &Sensitive) -> bool {
    ct_eq(one.bytes(), other.bytes())
}

/// Where a value is to be had, if this one says so and nothing else: a reference is no secret.
#[must_use]
pub fn reference(value: &Sensitive) -> Option<Reference> {
    std::str::from_utf8(value.bytes()).ok()?.parse().ok()
}
