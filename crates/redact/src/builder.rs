//! A redactor from values and options, in one expression.

use std::error::Error;
use std::fmt;

use crate::known::{Added, Known};
use crate::redactor::Redactor;

impl Redactor {
    /// A redactor for one stream, from values and options: see [`RedactorBuilder`].
    ///
    /// For several streams with the same values, compile them once:
    /// [`Known::build`], then [`KnownSet::redactor`](crate::KnownSet::redactor) for each.
    pub fn builder() -> RedactorBuilder {
        RedactorBuilder::default()
    }
}

/// Collects values and options; [`build`](RedactorBuilder::build) makes the [`Redactor`].
///
/// | Option | Unless asked for |
/// | --- | --- |
/// | [`fold`](RedactorBuilder::fold) | on: values with something between their characters are found |
/// | [`shapes`](RedactorBuilder::shapes) | off: values are found that were given, and no others |
/// | [`interactive`](RedactorBuilder::interactive) | off: the output does not depend on how the text comes |
/// | [`listing`](RedactorBuilder::listing) | 4096 findings are listed, all are counted |
///
/// ```
/// use subrosa_redact::Redactor;
/// let mut redactor = Redactor::builder()
///     .named("db/password", b"correct-h0rse")
///     .value(b"an0ther-secret")
///     .listing(10)
///     .build()?;
/// let mut out = Vec::new();
/// redactor.push(b"pw=correct-h0rse, YW4wdGhlci1zZWNyZXQ=\n", &mut out);
/// redactor.finish(&mut out);
/// assert_eq!(out, b"pw=[REDACTED:db/password], [REDACTED]=\n");
/// assert_eq!(redactor.findings().len(), 2);
/// # Ok::<(), subrosa_redact::Unsearched>(())
/// ```
///
/// A value that would not be searched for is an error, and not a surprise in the output:
///
/// ```
/// use subrosa_redact::{Added, Redactor};
/// let refused = Redactor::builder().named("pin", b"4711").build();
/// assert_eq!(refused.unwrap_err().why, Added::TooShort);
/// // As it is, and not in other forms.
/// let redactor = Redactor::builder().forced(Some("pin"), b"4711").build();
/// assert!(redactor.is_ok());
/// ```
#[derive(Clone, Default)]
#[must_use = "it does nothing until it is built"]
pub struct RedactorBuilder {
    known: Known,
    given: usize,
    unsearched: Option<Unsearched>,
    is_unfolded: bool,
    has_shapes: bool,
    is_interactive: bool,
    list_limit: Option<usize>,
}

impl RedactorBuilder {
    /// A value that is masked as `[REDACTED]`.
    pub fn value(self, value: &[u8]) -> Self {
        self.with(|known| known.add(None, value))
    }

    /// A value that is masked as `[REDACTED:name]`.
    ///
    /// Given twice, it has the first name. A name that would break the text around it or that holds
    /// a value itself is not shown.
    pub fn named(self, name: &str, value: &[u8]) -> Self {
        self.with(|known| known.add(Some(name), value))
    }

    /// A value that is searched for even if it is a common word or below the limits, as
    /// [`Known::add_forced`] does: then in its exact form alone, from 4 bytes on.
    pub fn forced(self, name: Option<&str>, value: &[u8]) -> Self {
        self.with(|known| known.add_forced(name, value))
    }

    /// Whether the folded view is searched as well: see [`Known::without_fold`].
    pub fn fold(mut self, on: bool) -> Self {
        self.is_unfolded = !on;
        self
    }

    /// Whether what looks like a credential is masked as well: see [`Redactor::with_shapes`].
    pub fn shapes(mut self, on: bool) -> Self {
        self.has_shapes = on;
        self
    }

    /// Whether somebody watches: see [`Redactor::interactive`].
    pub fn interactive(mut self, on: bool) -> Self {
        self.is_interactive = on;
        self
    }

    /// How many findings are listed at a time: see [`Redactor::listing`].
    pub fn listing(mut self, limit: usize) -> Self {
        self.list_limit = Some(limit);
        self
    }

    /// The redactor.
    ///
    /// # Errors
    ///
    /// [`Unsearched`] for the first value that would not be searched for.
    pub fn build(self) -> Result<Redactor, Unsearched> {
        if let Some(unsearched) = self.unsearched {
            return Err(unsearched);
        }
        let known = match self.is_unfolded {
            true => self.known.without_fold(),
            false => self.known,
        };
        let mut redactor = known.build().redactor();
        if self.has_shapes {
            redactor = redactor.with_shapes();
        }
        if self.is_interactive {
            redactor = redactor.interactive();
        }
        if let Some(limit) = self.list_limit {
            redactor = redactor.listing(limit);
        }
        Ok(redactor)
    }

    fn with(mut self, add: impl FnOnce(&mut Known) -> Added) -> Self {
        self.given += 1;
        let why = add(&mut self.known);
        if !why.is_searched() && self.unsearched.is_none() {
            self.unsearched = Some(Unsearched {
                position: self.given,
                why,
            });
        }
        self
    }
}

impl fmt::Debug for RedactorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedactorBuilder")
            .field("known", &self.known)
            .finish_non_exhaustive()
    }
}

/// A value that was given and would not be searched for, so that it would be seen in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unsearched {
    /// Which of the values that were given, counted from 1.
    pub position: usize,
    /// Why.
    pub why: Added,
}

impl fmt::Display for Unsearched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = self.why.reason().unwrap_or("is searched for");
        write!(
            f,
            "value {} would not be masked, because it {why}; force it, or leave it out",
            self.position
        )
    }
}

impl Error for Unsearched {}
