//! One packing inside the other: each layer is fed what the one around it says.

use super::Kind;

/// What became of what a layer was fed. Lengths count from its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// All was taken, and more has to come.
    More,
    /// All was taken; it ends after so many bytes, unless what comes continues it.
    Rest(u64),
    /// It ends after so many bytes.
    End(u64),
    /// It ends after so many bytes, and what is inside of it has not ended.
    Cut(u64),
    /// This is not what it was taken for.
    Damaged,
    /// Whoever takes what it says takes no more.
    Full,
}

/// Takes what a layer says. It may answer `Damaged` or `Full`, and the layer stops.
pub(super) type Sink<'a> = dyn FnMut(&[u8]) -> Step + 'a;

/// A packing that is read as it comes.
pub(super) trait Layer: Send {
    /// Takes in `input`. Not called again once it has ended or failed.
    fn feed(&mut self, input: &[u8], sink: &mut Sink<'_>) -> Step;

    /// Nothing comes any more: `End`, or `Damaged` where something is missing.
    fn finish(&mut self, sink: &mut Sink<'_>) -> Step;
}

/// Layers, the outermost first.
pub(super) struct Chain {
    slots: Vec<Slot>,
}

struct Slot {
    layer: Box<dyn Layer>,
    /// How it ended.
    ended: Option<Step>,
}

impl Chain {
    pub(super) fn new(kind: &Kind) -> Self {
        let slots = kind.layers().into_iter();
        Chain {
            slots: slots.map(|layer| Slot { layer, ended: None }).collect(),
        }
    }

    /// Takes in `input`; what the innermost layer says goes to `sink`.
    pub(super) fn feed(&mut self, input: &[u8], sink: &mut Sink<'_>) -> Step {
        feed(&mut self.slots, input, sink)
    }

    /// Nothing comes any more.
    pub(super) fn finish(&mut self, sink: &mut Sink<'_>) -> Step {
        finish(&mut self.slots, sink)
    }
}

fn feed(slots: &mut [Slot], input: &[u8], sink: &mut Sink<'_>) -> Step {
    let Some((first, rest)) = slots.split_first_mut() else {
        return sink(input);
    };
    if let Some(ended) = first.ended {
        return ended;
    }
    let step = first
        .layer
        .feed(input, &mut |piece: &[u8]| feed(rest, piece, sink));
    match step {
        Step::End(_) | Step::Cut(_) => closed(first, rest, step, sink),
        step => step,
    }
}

fn finish(slots: &mut [Slot], sink: &mut Sink<'_>) -> Step {
    let Some((first, rest)) = slots.split_first_mut() else {
        return Step::End(0);
    };
    if let Some(ended) = first.ended {
        return ended;
    }
    let step = first
        .layer
        .finish(&mut |piece: &[u8]| feed(rest, piece, sink));
    closed(first, rest, step, sink)
}

/// A layer has ended: so must those inside of it.
fn closed(first: &mut Slot, rest: &mut [Slot], step: Step, sink: &mut Sink<'_>) -> Step {
    let step = match step {
        Step::End(len) if !rest.is_empty() => match finish(rest, sink) {
            Step::End(_) => step,
            _ => Step::Cut(len),
        },
        step => step,
    };
    first.ended = Some(step);
    step
}
