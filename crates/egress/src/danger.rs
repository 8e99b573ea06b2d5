//! What a reviewer must stop at: each use outside this crate is listed in ARCHITECTURE.md.

use subrosa_crypto::{SecretBuf, ct_eq};
use subrosa_model::Reference;

use crate::feather::{self, Fault};
use crate::{Input, Labels, Sensitive, Transform};

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

/// Which way a script goes: what a value says as a truth, `None` when it is none.
///
/// One bit leaves. For the interpreter of scripts alone, after it has checked that neither way shows
/// which one was taken.
#[must_use]
pub fn branch(value: &Sensitive) -> Option<bool> {
    feather::truth(value.bytes())
}

/// How often, how long, or at which place: what a value says as a whole number from zero, `None`
/// when it is none.
///
/// The number leaves, which may be the whole value. For the interpreter of scripts alone: counts of
/// repetitions, timeouts and indexes, which are conditions like those of [`branch`].
#[must_use]
pub fn count(value: &Sensitive) -> Option<u64> {
    feather::count(value.bytes())
}

/// As [`Sensitive::derive_from`] with several results, each of which carries all labels:
/// [`feather::Split`].
///
/// The number of results leaves. For the interpreter of scripts alone, which keeps them in a list
/// that is sensitive as a whole, its length included.
///
/// # Errors
/// [`Fault`], among others for more than [`feather::PARTS_LIMIT`] results.
pub fn derive_all(
    transform: &dyn Transform<Fault, Vec<SecretBuf>>,
    inputs: &[Input<'_>],
    also: &Labels,
) -> Result<Vec<Sensitive>, Fault> {
    Sensitive::derive_all(transform, inputs, also)
}
