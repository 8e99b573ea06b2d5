//! Decimal numbers: read, computed and written on the stack.

use std::cmp::Ordering;
use std::fmt::{self, Write};

use rust_decimal::{Decimal, RoundingStrategy};

use super::FaultKind;
use super::output::Output;

/// Digits behind the dot that are kept.
const PLACES: usize = 28;

/// Reads a number.
///
/// # Errors
/// [`FaultKind::Number`] when it is none, [`FaultKind::Range`] when it has too many digits.
pub(super) fn parse(text: &[u8]) -> Result<Decimal, FaultKind> {
    let (negative, digits) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut halves = digits.splitn(2, |byte| *byte == b'.');
    let whole = halves.next().unwrap_or_default();
    let places = halves.next();
    let is_digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if !is_digits(whole) || !places.is_none_or(is_digits) {
        return Err(FaultKind::Number);
    }
    let places = places.unwrap_or_default();
    let kept = places.iter().rposition(|digit| *digit != b'0');
    let places = places.get(..kept.map_or(0, |last| last + 1));
    let places = places.unwrap_or_default();
    let scale = u32::try_from(places.len()).map_err(|_| FaultKind::Range)?;
    if places.len() > PLACES {
        return Err(FaultKind::Range);
    }
    let mantissa = whole
        .iter()
        .chain(places)
        .try_fold(0_i128, |sum, digit| {
            sum.checked_mul(10)?.checked_add(i128::from(digit - b'0'))
        })
        .ok_or(FaultKind::Range)?;
    let mantissa = if negative { -mantissa } else { mantissa };
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| FaultKind::Range)
}

/// Writes a number in its one form.
pub(super) fn print<O: Output>(number: Decimal, out: &mut O) -> Result<(), FaultKind> {
    print_plain(&number.normalize(), out)
}

/// Writes a length.
pub(super) fn print_count<O: Output>(count: usize, out: &mut O) -> Result<(), FaultKind> {
    print_plain(&count, out)
}

/// Writes an order as `-1`, `0` or `1`.
pub(super) fn print_order<O: Output>(order: Ordering, out: &mut O) -> Result<(), FaultKind> {
    out.put(match order {
        Ordering::Less => b"-1",
        Ordering::Equal => b"0",
        Ordering::Greater => b"1",
    })
}

fn print_plain<O: Output>(what: &dyn fmt::Display, out: &mut O) -> Result<(), FaultKind> {
    /// Keeps the fault that a formatter has no room for.
    struct Pen<'a, O> {
        out: &'a mut O,
        outcome: Result<(), FaultKind>,
    }

    impl<O: Output> Write for Pen<'_, O> {
        fn write_str(&mut self, piece: &str) -> fmt::Result {
            self.outcome = self.out.put(piece.as_bytes());
            self.outcome.map_err(|_| fmt::Error)
        }
    }

    let outcome = Ok(());
    let mut pen = Pen { out, outcome };
    match write!(pen, "{what}") {
        Ok(()) => Ok(()),
        Err(fmt::Error) => pen.outcome,
    }
}

/// A number without a fraction; `None` for others.
pub(super) fn whole(number: Decimal) -> Option<i128> {
    let number = number.normalize();
    (number.scale() == 0).then(|| number.mantissa())
}

/// Reads a whole number.
pub(super) fn index(text: &[u8]) -> Result<i128, FaultKind> {
    whole(parse(text)?).ok_or(FaultKind::Whole)
}

/// Folds all numbers into one with `step`. They are all read first: what is no number is a fault
/// wherever it stands.
pub(super) fn fold(
    texts: &[&[u8]],
    step: fn(Decimal, Decimal) -> Result<Decimal, FaultKind>,
) -> Result<Decimal, FaultKind> {
    texts.iter().try_for_each(|text| parse(text).map(drop))?;
    let (first, rest) = texts.split_first().ok_or(FaultKind::Operands)?;
    rest.iter()
        .try_fold(parse(first)?, |sum, text| step(sum, parse(text)?))
}

/// The exact sum, or a fault. The library would round it.
pub(super) fn add(one: Decimal, other: Decimal) -> Result<Decimal, FaultKind> {
    let mut scale = one.scale().max(other.scale());
    let scaled = |number: Decimal| {
        let factor = 10_i128.checked_pow(scale - number.scale())?;
        number.mantissa().checked_mul(factor)
    };
    // What overflows here is far beyond the range: the other summand is too small to bring it back.
    let sum = scaled(one).zip(scaled(other));
    let sum = sum.and_then(|(one, other)| one.checked_add(other));
    let mut sum = sum.ok_or(FaultKind::Range)?;
    while scale > 0 && sum % 10 == 0 {
        sum /= 10;
        scale -= 1;
    }
    Decimal::try_from_i128_with_scale(sum, scale).map_err(|_| FaultKind::Range)
}

/// The exact difference, or a fault.
pub(super) fn sub(one: Decimal, other: Decimal) -> Result<Decimal, FaultKind> {
    add(one, -other)
}

/// The product, rounded where it has too many places.
pub(super) fn mul(one: Decimal, other: Decimal) -> Result<Decimal, FaultKind> {
    let product = one.checked_mul(other).ok_or(FaultKind::Range)?;
    Ok(product.normalize())
}

/// The quotient, rounded where it has too many places.
pub(super) fn div(one: Decimal, other: Decimal) -> Result<Decimal, FaultKind> {
    if other.is_zero() {
        return Err(FaultKind::Zero);
    }
    let quotient = one.checked_div(other).ok_or(FaultKind::Range)?;
    Ok(quotient.normalize())
}

/// What is left of a division that gives a whole number; it has the sign of `one`.
pub(super) fn rem(one: Decimal, other: Decimal) -> Result<Decimal, FaultKind> {
    if other.is_zero() {
        return Err(FaultKind::Zero);
    }
    let rest = one.checked_rem(other).ok_or(FaultKind::Range)?;
    Ok(rest.normalize())
}

pub(super) fn least(one: Decimal, other: Decimal) -> Result<Decimal, FaultKind> {
    Ok(one.min(other))
}

pub(super) fn most(one: Decimal, other: Decimal) -> Result<Decimal, FaultKind> {
    Ok(one.max(other))
}

/// A power with a whole exponent; anything to the zeroth is 1.
pub(super) fn pow(base: Decimal, exponent: Decimal) -> Result<Decimal, FaultKind> {
    let exponent = whole(exponent).ok_or(FaultKind::Whole)?;
    if exponent < 0 && base.is_zero() {
        return Err(FaultKind::Zero);
    }
    let mut left = exponent.unsigned_abs();
    let (mut power, mut square) = (Decimal::ONE, base);
    // One turn a bit of the exponent; what grows ends at the range, what shrinks at zero.
    while left > 0 {
        if left % 2 == 1 {
            power = mul(power, square)?;
        }
        left /= 2;
        if left > 0 {
            square = mul(square, square)?;
        }
    }
    match exponent < 0 {
        false => Ok(power),
        true if power.is_zero() => Err(FaultKind::Range),
        true => div(Decimal::ONE, power),
    }
}

/// To `places` behind the dot, halves away from zero.
pub(super) fn round(number: Decimal, places: Option<&[u8]>) -> Result<Decimal, FaultKind> {
    let places = places.map_or(Ok(0), index)?;
    if places < 0 {
        return Err(FaultKind::Negative);
    }
    let Ok(places) = u32::try_from(places) else {
        return Ok(number);
    };
    Ok(number.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero))
}

/// Whether two texts are the same: as numbers where both are, else byte by byte.
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    match (parse(one), parse(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}
