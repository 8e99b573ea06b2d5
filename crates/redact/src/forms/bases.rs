//! Encodings in larger digits: base64, base32, base85, hexadecimal and decimal.
//!
//! Sources: RFC 4648, RFC 1924, the ZeroMQ 32/Z85 specification, the `ascii85` of Adobe's
//! PostScript Language Reference §3.13.3.

use zeroize::Zeroizing;

use super::escapes::{Bytes, LOWER, UPPER, hex_each};
use crate::needle::Edge;

/// The text of an encoding: only the characters that the value determines alone, and which
/// neighbours carry the rest of its bits.
pub(super) struct Encoded {
    pub(super) bytes: Bytes,
    pub(super) left: Edge,
    pub(super) right: Edge,
    /// Whether the value is at the beginning of what was encoded.
    pub(super) is_first: bool,
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE32_LOWER: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Base64 at the three places in a group of three bytes, in both alphabets.
pub(super) fn base64(value: &[u8]) -> Vec<Encoded> {
    in_digits::<6, 3>(value, &[STANDARD, URL_SAFE])
}

/// Base64 of base64. Where the inner text ends with a character of the outer one, the neighbour of
/// the outer one belongs to that of the inner one, and carries some of its bits.
pub(super) fn base64_again(inner: &Encoded) -> Vec<Encoded> {
    let mut all = base64(&inner.bytes);
    let beside =
        |edge: Edge, of: fn(u8) -> u8| {
            let digits = edge.characters().map(of);
            Edge::of(digits.flat_map(|digit| {
                [STANDARD, URL_SAFE].map(|alphabet| alphabet[usize::from(digit)])
            }))
        };
    for outer in &mut all {
        if outer.left == Edge::NONE {
            outer.left = beside(inner.left, |byte| byte & 63);
        }
        if outer.right == Edge::NONE {
            outer.right = beside(inner.right, |byte| byte >> 2);
        }
    }
    all
}

/// Base64 of all of the data and nothing else, without padding.
pub(super) fn base64_alone(data: &[u8]) -> impl Iterator<Item = Bytes> {
    let digits = digits::<6>(data, 0);
    let count = (data.len() * 8).div_ceil(6);
    [STANDARD, URL_SAFE]
        .map(move |alphabet| {
            let text = digits[..count]
                .iter()
                .map(|digit| alphabet[usize::from(*digit)]);
            Zeroizing::new(text.collect())
        })
        .into_iter()
}

/// Base32 at the five places in a group of five bytes, upper and lower case.
pub(super) fn base32(value: &[u8]) -> Vec<Encoded> {
    in_digits::<5, 5>(value, &[BASE32, BASE32_LOWER])
}

fn in_digits<const BITS: usize, const GROUP: usize>(
    value: &[u8],
    alphabets: &[&[u8]],
) -> Vec<Encoded> {
    let mut all = Vec::new();
    for before in 0..GROUP {
        let bits = 8 * before..8 * (before + value.len());
        let whole = bits.start.div_ceil(BITS)..bits.end / BITS;
        if whole.is_empty() {
            continue;
        }
        let digits = digits::<BITS>(value, before);
        let digit = |index: usize| usize::from(digits[index]);
        // The partly determined characters: how many of their bits are bits of the value, at the
        // low end or at the high end.
        let low = whole.start * BITS - bits.start;
        let high = bits.end - whole.end * BITS;
        for (number, alphabet) in alphabets.iter().enumerate() {
            let text: Bytes = Zeroizing::new(whole.clone().map(|i| alphabet[digit(i)]).collect());
            // Without a special character the alphabets of base64 give the same needle.
            let same = |other: &&[u8]| whole.clone().all(|i| other[digit(i)] == alphabet[digit(i)]);
            if alphabets[..number].iter().any(same) {
                continue;
            }
            let fitting = |wanted: usize, mask: usize| {
                let also = alphabets.iter().filter(|other| same(other));
                Edge::of(also.flat_map(|other| {
                    (0..other.len())
                        .filter(move |digit| digit & mask == wanted & mask)
                        .map(|digit| other[digit])
                }))
            };
            all.push(Encoded {
                bytes: text,
                left: match low {
                    0 => Edge::NONE,
                    _ => fitting(digit(whole.start - 1), (1 << low) - 1),
                },
                right: match high {
                    0 => Edge::NONE,
                    _ => fitting(digit(whole.end), ((1 << high) - 1) << (BITS - high)),
                },
                is_first: before == 0,
            });
        }
    }
    all
}

/// The bits of each character when `before` bytes precede the value; bits that are not the value's
/// are zero.
fn digits<const BITS: usize>(value: &[u8], before: usize) -> Bytes {
    let mut digits = Zeroizing::new(Vec::with_capacity(
        (before + value.len() + 1) * 8 / BITS + 1,
    ));
    let (mut bits, mut count) = (0u32, 0);
    let zeros = |count: usize| std::iter::repeat_n(&0u8, count);
    for byte in zeros(before).chain(value).chain(zeros(1)) {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        while count >= BITS {
            count -= BITS;
            digits.push((bits >> count & ((1 << BITS) - 1)) as u8);
        }
        bits &= (1 << count) - 1;
    }
    digits
}

const RFC_1924: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const Z85: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// Base85 at the four places in a group of four bytes: the groups that the value fills.
pub(super) fn base85(value: &[u8]) -> Vec<Bytes> {
    let ascii85: Vec<u8> = (b'!'..=b'u').collect();
    let alphabets: [&[u8]; 3] = [&ascii85, RFC_1924, Z85];
    let mut all = Vec::new();
    for alphabet in alphabets {
        for before in 0..4 {
            let skipped = (4 - before) % 4;
            let Some(rest) = value.get(skipped..) else {
                continue;
            };
            let mut text = Zeroizing::new(Vec::with_capacity(rest.len() * 5 / 4 + 5));
            for group in rest.chunks(4) {
                let count = group.len();
                let mut word = [0; 4];
                word[..count].copy_from_slice(group);
                let word = u32::from_be_bytes(word);
                if word == 0 && count == 4 && alphabet == ascii85 {
                    text.push(b'z');
                    continue;
                }
                let digits = [52_200_625, 614_125, 7225, 85, 1].map(|place| word / place % 85);
                // What follows may change the last characters of a group that is not full.
                let sure = match count {
                    4 => 5,
                    count => count - 1,
                };
                text.extend(digits[..sure].iter().map(|digit| alphabet[*digit as usize]));
            }
            all.push(text);
        }
    }
    // At the end of the text, where the last group is padded and cut.
    for alphabet in alphabets {
        let mut text = Zeroizing::new(Vec::with_capacity(value.len() * 5 / 4 + 5));
        for group in value.chunks(4) {
            let mut word = [0; 4];
            word[..group.len()].copy_from_slice(group);
            let word = u32::from_be_bytes(word);
            let digits = [52_200_625, 614_125, 7225, 85, 1].map(|place| word / place % 85);
            let cut = digits[..=group.len()].iter();
            text.extend(cut.map(|digit| alphabet[*digit as usize]));
        }
        all.push(text);
    }
    all
}

/// Hexadecimal in both cases.
pub(super) fn hex(value: &[u8]) -> [Bytes; 2] {
    [LOWER, UPPER].map(|digits| {
        let mut text = Zeroizing::new(Vec::with_capacity(value.len() * 2));
        hex_each(value, b"", digits, &mut text);
        text
    })
}

/// Hexadecimal bytes with something between them, and decimal ones.
pub(super) fn arrays(value: &[u8]) -> Vec<Bytes> {
    let mut all = Vec::new();
    for digits in [LOWER, UPPER] {
        for (prefix, between) in [
            ("", ":"),
            ("", " "),
            ("", "-"),
            ("", ", "),
            ("", ","),
            ("0x", ","),
            ("0x", ", "),
            ("0x", " "),
            ("0X", ", "),
        ] {
            all.push(joined(value, between, |byte, text| {
                hex_each(&[byte], prefix.as_bytes(), digits, text);
            }));
        }
        // Go's `%#v` and Rust's leave out a leading zero.
        all.push(joined(value, ", ", |byte, text| {
            text.extend_from_slice(b"0x");
            if byte > 15 {
                text.push(digits[usize::from(byte >> 4)]);
            }
            text.push(digits[usize::from(byte & 15)]);
        }));
    }
    for between in [", ", ",", " ", "\n", ";", ":", "."] {
        all.push(joined(value, between, |byte, text| {
            if byte >= 100 {
                text.push(b'0' + byte / 100);
            }
            if byte >= 10 {
                text.push(b'0' + byte / 10 % 10);
            }
            text.push(b'0' + byte % 10);
        }));
    }
    if !value.is_ascii() {
        // Bytes with a sign, as Java has them.
        for between in [", ", ","] {
            all.push(joined(value, between, |byte, text| {
                let signed = Zeroizing::new(byte.cast_signed().to_string());
                text.extend_from_slice(signed.as_bytes());
            }));
        }
    }
    all
}

fn joined(value: &[u8], between: &str, one: impl Fn(u8, &mut Vec<u8>)) -> Bytes {
    let mut text = Zeroizing::new(Vec::with_capacity(value.len() * 8));
    for byte in value {
        if !text.is_empty() {
            text.extend_from_slice(between.as_bytes());
        }
        one(*byte, &mut text);
    }
    text
}

/// Where `base64` and mail programs break lines.
const WIDTHS: [usize; 3] = [60, 64, 76];

/// The text in lines, where it is long enough to have several.
pub(super) fn wrapped(text: &[u8]) -> impl Iterator<Item = Bytes> {
    let widths = WIDTHS.into_iter().filter(|width| text.len() > *width);
    widths.flat_map(move |width| {
        [&b"\n"[..], b"\r\n"].map(|breaks| {
            let room = text.len() + text.len().div_ceil(width) * breaks.len();
            let mut lines = Zeroizing::new(Vec::with_capacity(room));
            for line in text.chunks(width) {
                if !lines.is_empty() {
                    lines.extend_from_slice(breaks);
                }
                lines.extend_from_slice(line);
            }
            lines
        })
    })
}
