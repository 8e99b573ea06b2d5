//! What looks like a credential, in texts that are searched one after the other.

use subrosa_redact::{Finding, Form, KnownSet, Redactor};
use subrosa_wire::looking::PLACES_MAX;

use super::report::What;
use super::text::Looked;

/// Looks for shapes, in packed data too. One for all texts, since its memory is wiped at its end.
pub(super) struct ByShape {
    redactor: Redactor,
    out: Vec<u8>,
    /// Of the texts before: where they end in what was seen, how often something was found in them,
    /// and what of them was not looked into.
    begin: u64,
    found: u64,
    unopened: u64,
}

impl ByShape {
    pub(super) fn new() -> Self {
        Self {
            redactor: KnownSet::empty()
                .redactor()
                .listing(PLACES_MAX)
                .with_shapes(),
            out: Vec::new(),
            begin: 0,
            found: 0,
            unopened: 0,
        }
    }

    pub(super) fn push(&mut self, piece: &[u8]) {
        self.redactor.push(piece, &mut self.out);
        self.out.clear();
    }

    /// Ends a text: what was found in it.
    pub(super) fn end(&mut self, looked: &mut Looked) -> Vec<Shaped> {
        self.redactor.finish(&mut self.out);
        self.out.clear();
        let listed = self.redactor.take_findings();
        let total = self.redactor.counts().total();
        looked.more += total - self.found - listed.len() as u64;
        looked.unopened = self.redactor.unopened() - self.unopened;
        let begin = std::mem::replace(&mut self.begin, self.redactor.position());
        self.found = total;
        self.unopened += looked.unopened;
        let shaped = listed.iter().map(|one| Shaped::of(one, begin));
        shaped.flatten().collect()
    }
}

/// What has a shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shaped {
    pub(super) what: fn(usize) -> What,
    pub(super) rule: usize,
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Shaped {
    fn of(finding: &Finding, begin: u64) -> Option<Self> {
        Some(Self {
            what: match finding.form {
                Form::Packed => What::Packed,
                _ => What::Shape,
            },
            rule: finding.rule?,
            start: finding.start - begin,
            end: finding.end - begin,
        })
    }
}
