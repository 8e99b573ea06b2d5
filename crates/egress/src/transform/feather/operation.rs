//! The operations with one result, and how scripts write them.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use rust_decimal::Decimal;
use subrosa_crypto::SecretBuf;

use super::super::{Transform, sealed};
use super::output::{Output, Size};
use super::{Fault, FaultKind, number, text, truth};

/// Any number of operands.
const MANY: usize = usize::MAX;

/// One table: what there is, how a script writes it, and how many texts it takes.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $written:literal, $least:literal..=$most:expr;)*) => {
        /// A pure function from texts to a text; closed, as every [`Transform`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Operation {
            $($(#[$doc])* $name,)*
        }

        impl Operation {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// As scripts write it: `text upper`, `math add`, `>=`. No two are written alike.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $written,)*
                }
            }

            /// How many texts it takes.
            #[must_use]
            pub const fn operands(self) -> RangeInclusive<usize> {
                match self {
                    $(Self::$name => $least..=$most,)*
                }
            }
        }
    };
}

operations! {
    /// All texts, one behind the other: interpolation, `append`, `+`.
    Concat = "text concat", 0..=MANY;
    /// A separator, then the texts that it stands between.
    Join = "text join", 1..=MANY;
    /// The number of characters.
    Length = "text length", 1..=1;
    /// In small letters, each character by itself: a Greek sigma at the end of a word is as any other.
    Lower = "text lower", 1..=1;
    /// In capitals, each character by itself.
    Upper = "text upper", 1..=1;
    /// Without white space at both ends.
    Trim = "text trim", 1..=1;
    /// A text, what to look for, and what takes its place. An empty text is found nowhere.
    Replace = "text replace", 3..=3;
    /// Whether a text holds another, as every text holds the empty one.
    Contains = "text contains", 2..=2;
    /// Whether a text begins with another.
    StartsWith = "text startswith", 2..=2;
    /// Whether a text ends with another.
    EndsWith = "text endswith", 2..=2;
    /// A text, the index of the first character and the index behind the last, from 0, by default
    /// to the end. Indexes below zero count from the end; what lies outside is left out.
    Slice = "text slice", 2..=3;
    /// `-1`, `0` or `1` by the order of code points.
    Compare = "text compare", 2..=2;

    /// The exact sum of all.
    Add = "math add", 1..=MANY;
    /// The exact difference.
    Sub = "math sub", 2..=2;
    /// The product of all, rounded to 28 digits.
    Mul = "math mul", 1..=MANY;
    /// The quotient, rounded to 28 digits.
    Div = "math div", 2..=2;
    /// The rest of a division that gives a whole number; it has the sign of the first.
    Mod = "math mod", 2..=2;
    /// Without its sign.
    Abs = "math abs", 1..=1;
    /// To whole numbers, or to as many places as the second says; halves away from zero.
    Round = "math round", 1..=2;
    /// The next whole number below.
    Floor = "math floor", 1..=1;
    /// The next whole number above.
    Ceil = "math ceil", 1..=1;
    /// The least of all.
    Min = "math min", 1..=MANY;
    /// The greatest of all.
    Max = "math max", 1..=MANY;
    /// A number and its whole exponent, rounded to 28 digits; anything to the zeroth is 1.
    Pow = "math pow", 2..=2;
    /// `-1`, `0` or `1` by size.
    CompareNumbers = "math compare", 2..=2;
    /// The sum of all, without what stands behind the dot: `V + W as integer`.
    IntegerSum = "+ as integer", 1..=MANY;

    /// Whether all are true. Each must be a truth, also behind one that decides.
    All = "bool all", 0..=MANY;
    /// Whether one is true. Each must be a truth, also behind one that decides.
    Any = "bool any", 0..=MANY;

    /// Whether both are the same: as numbers where both are numbers, else as texts.
    Is = "is", 2..=2;
    /// Whether both differ; see [`Operation::Is`].
    IsNot = "is not", 2..=2;
    /// Whether the first number is greater.
    Greater = ">", 2..=2;
    /// Whether the first number is less.
    Less = "<", 2..=2;
    /// Whether the first number is not less.
    AtLeast = ">=", 2..=2;
    /// Whether the first number is not greater.
    AtMost = "<=", 2..=2;
}

impl Operation {
    /// The tool of a module: `named("text", "upper")`. Others than those of `text`, `math` and
    /// `bool` have no such name.
    #[must_use]
    pub fn named(module: &str, tool: &str) -> Option<Self> {
        let wanted = |operation: &&Self| operation.name().split_once(' ') == Some((module, tool));
        let found = Self::ALL.iter().find(wanted).copied();
        found.filter(|_| matches!(module, "text" | "math" | "bool"))
    }

    /// The result for public texts.
    ///
    /// # Errors
    /// [`Fault`], among others for a result of more than [`super::PUBLIC_LIMIT`] bytes.
    pub fn evaluate(self, inputs: &[&[u8]]) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        self.write(inputs, &mut out)?;
        Ok(out)
    }

    fn write<O: Output>(self, inputs: &[&[u8]], out: &mut O) -> Result<(), Fault> {
        if !self.operands().contains(&inputs.len()) {
            return Err(FaultKind::Operands.of(self.name()));
        }
        let written = match self {
            Self::Concat
            | Self::Join
            | Self::Length
            | Self::Lower
            | Self::Upper
            | Self::Trim
            | Self::Replace
            | Self::Slice
            | Self::Compare => self.make_text(inputs, out),
            Self::Add
            | Self::Sub
            | Self::Mul
            | Self::Div
            | Self::Mod
            | Self::Abs
            | Self::Round
            | Self::Floor
            | Self::Ceil
            | Self::Min
            | Self::Max
            | Self::Pow
            | Self::IntegerSum => self
                .number(inputs)
                .and_then(|number| number::print(number, out)),
            Self::CompareNumbers => order(inputs).and_then(|order| number::print_order(order, out)),
            Self::Contains
            | Self::StartsWith
            | Self::EndsWith
            | Self::All
            | Self::Any
            | Self::Is
            | Self::IsNot
            | Self::Greater
            | Self::Less
            | Self::AtLeast
            | Self::AtMost => self
                .truth(inputs)
                .and_then(|truth| out.put(if truth { b"true" } else { b"false" })),
        };
        written.map_err(|kind| kind.of(self.name()))
    }

    fn make_text<O: Output>(self, inputs: &[&[u8]], out: &mut O) -> Result<(), FaultKind> {
        match (self, inputs) {
            (Self::Concat, parts) => text::concat(parts, out),
            (Self::Join, [separator, parts @ ..]) => text::join(separator, parts, out),
            (Self::Length, [text]) => text::length(text, out),
            (Self::Lower, [text]) => text::lower(text, out),
            (Self::Upper, [text]) => text::upper(text, out),
            (Self::Trim, [text]) => text::trim(text, out),
            (Self::Replace, [text, needle, with]) => text::replace(text, needle, with, out),
            (Self::Slice, [text, start]) => text::slice(text, start, None, out),
            (Self::Slice, [text, start, end]) => text::slice(text, start, Some(end), out),
            (Self::Compare, [one, other]) => number::print_order(text::compare(one, other), out),
            _ => Err(FaultKind::Operands),
        }
    }

    fn number(self, inputs: &[&[u8]]) -> Result<Decimal, FaultKind> {
        let two = |step: fn(Decimal, Decimal) -> Result<Decimal, FaultKind>| match inputs {
            [_, _] => number::fold(inputs, step),
            _ => Err(FaultKind::Operands),
        };
        match (self, inputs) {
            (Self::Add, _) => number::fold(inputs, number::add),
            (Self::Mul, _) => number::fold(inputs, number::mul),
            (Self::Min, _) => number::fold(inputs, number::least),
            (Self::Max, _) => number::fold(inputs, number::most),
            (Self::IntegerSum, _) => Ok(number::fold(inputs, number::add)?.trunc()),
            (Self::Sub, _) => two(number::sub),
            (Self::Div, _) => two(number::div),
            (Self::Mod, _) => two(number::rem),
            (Self::Pow, _) => two(number::pow),
            (Self::Abs, [one]) => Ok(number::parse(one)?.abs()),
            (Self::Floor, [one]) => Ok(number::parse(one)?.floor()),
            (Self::Ceil, [one]) => Ok(number::parse(one)?.ceil()),
            (Self::Round, [one]) => number::round(number::parse(one)?, None),
            (Self::Round, [one, places]) => number::round(number::parse(one)?, Some(places)),
            _ => Err(FaultKind::Operands),
        }
    }

    fn truth(self, inputs: &[&[u8]]) -> Result<bool, FaultKind> {
        match (self, inputs) {
            (Self::All, _) => truths(inputs).map(|truths| truths.all),
            (Self::Any, _) => truths(inputs).map(|truths| truths.any),
            (Self::Contains, [text, needle]) => Ok(text::contains(text, needle)),
            (Self::StartsWith, [text, needle]) => Ok(text.starts_with(needle)),
            (Self::EndsWith, [text, needle]) => Ok(text.ends_with(needle)),
            (Self::Is, [one, other]) => Ok(number::same(one, other)),
            (Self::IsNot, [one, other]) => Ok(!number::same(one, other)),
            (Self::Greater, _) => order(inputs).map(Ordering::is_gt),
            (Self::Less, _) => order(inputs).map(Ordering::is_lt),
            (Self::AtLeast, _) => order(inputs).map(Ordering::is_ge),
            (Self::AtMost, _) => order(inputs).map(Ordering::is_le),
            _ => Err(FaultKind::Operands),
        }
    }
}

impl sealed::Sealed for Operation {}

impl Transform<Fault> for Operation {
    fn run(&self, inputs: &[&[u8]], out: &mut SecretBuf) -> Result<(), Fault> {
        if out.is_empty() {
            let mut size = Size::default();
            self.write(inputs, &mut size)?;
            *out = SecretBuf::with_capacity(size.0)
                .map_err(|error| FaultKind::from(error).of(self.name()))?;
        }
        self.write(inputs, out)
    }
}

/// How the first of two numbers stands to the second.
fn order(inputs: &[&[u8]]) -> Result<Ordering, FaultKind> {
    match inputs {
        [one, other] => Ok(number::parse(one)?.cmp(&number::parse(other)?)),
        _ => Err(FaultKind::Operands),
    }
}

/// What some truths say together.
struct Truths {
    all: bool,
    any: bool,
}

fn truths(inputs: &[&[u8]]) -> Result<Truths, FaultKind> {
    let (mut all, mut any) = (true, false);
    for text in inputs {
        let truth = truth(text).ok_or(FaultKind::Truth)?;
        all &= truth;
        any |= truth;
    }
    Ok(Truths { all, any })
}
