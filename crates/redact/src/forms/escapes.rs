//! What programs put in front of characters, or in their place.
//!
//! Each function writes a value as one kind of text would have it. Sources: RFC 8259 §7, RFC 3986
//! §2, the WHATWG URL and HTML standards, POSIX.1-2024 shell quoting, and the documentation of
//! `printf %q`, Python `repr`, Go `%q`, PowerShell quoting and `cmd`.

use zeroize::Zeroizing;

use super::literals::{Shorts, literal, short};

pub(super) type Bytes = Zeroizing<Vec<u8>>;

/// Replaces characters: what `of` puts for a character stands in its place, `false` leaves it.
///
/// A byte that is no text counts as a character of its own.
pub(super) fn replaced(
    value: &[u8],
    mut of: impl FnMut(char, &[u8], &mut Vec<u8>) -> bool,
) -> Bytes {
    // Room for all that may come, since what is moved on growing would not be wiped.
    let mut text = Zeroizing::new(Vec::with_capacity(value.len() * 12 + 16));
    for chunk in value.utf8_chunks() {
        let mut buffer = [0; 4];
        for character in chunk.valid().chars() {
            let bytes = character.encode_utf8(&mut buffer).as_bytes();
            if !of(character, bytes, &mut text) {
                text.extend_from_slice(bytes);
            }
        }
        for byte in chunk.invalid() {
            // No character of text: what is done with it is what is done with a byte beyond ASCII.
            if !of('\u{80}', std::slice::from_ref(byte), &mut text) {
                text.push(*byte);
            }
        }
    }
    text
}

/// Writes each byte with two hexadecimal digits after `prefix`.
pub(super) fn hex_each(bytes: &[u8], prefix: &[u8], digits: &[u8; 16], text: &mut Vec<u8>) {
    for byte in bytes {
        text.extend_from_slice(prefix);
        text.push(digits[usize::from(byte >> 4)]);
        text.push(digits[usize::from(byte & 15)]);
    }
}

pub(super) const LOWER: &[u8; 16] = b"0123456789abcdef";
pub(super) const UPPER: &[u8; 16] = b"0123456789ABCDEF";

fn octal_each(bytes: &[u8], text: &mut Vec<u8>) {
    for byte in bytes {
        text.extend([
            b'\\',
            b'0' + (byte >> 6),
            b'0' + (byte >> 3 & 7),
            b'0' + (byte & 7),
        ]);
    }
}

fn units(character: char, digits: &[u8; 16], text: &mut Vec<u8>) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        text.extend_from_slice(b"\\u");
        hex_each(&unit.to_be_bytes(), b"", digits, text);
    }
}

/// How a JSON or JavaScript writer may differ from the next.
#[derive(Clone, Copy)]
struct Json {
    digits: &'static [u8; 16],
    slash: bool,
    html: bool,
    ascii: bool,
}

fn json(value: &[u8], style: Json) -> Bytes {
    replaced(value, |character, _, text| {
        match (character, short(character)) {
            (_, Some(escape)) => text.extend_from_slice(escape),
            ('"', _) => text.extend_from_slice(b"\\\""),
            ('/', _) if style.slash => text.extend_from_slice(b"\\/"),
            ('<' | '>' | '&' | '\'' | '=' | '+', _) if style.html => {
                // Libraries differ in which of them they write so.
                match character {
                    '<' | '>' | '&' => units(character, style.digits, text),
                    _ => return false,
                }
            }
            ('\0'..='\u{1f}' | '\u{7f}', _) => units(character, style.digits, text),
            (character, _) if style.ascii && !character.is_ascii() => {
                units(character, style.digits, text);
            }
            _ => return false,
        }
        true
    })
}

/// Whether there is nothing in it that any program would escape unless it escapes everything.
fn is_plain(value: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    value.iter().all(plain)
}

/// JSON, JavaScript, C, Go, Python.
pub(super) fn strings(value: &[u8]) -> Vec<Bytes> {
    let mut all = Vec::new();
    if is_plain(value) {
        for digits in [LOWER, UPPER] {
            all.extend(escaped_each(value, digits));
        }
        all.push(octal(value));
        return all;
    }
    for digits in [LOWER, UPPER] {
        for (slash, html, ascii) in [
            (false, false, false),
            (false, false, true),
            (true, false, true),
            (true, false, false),
            (false, true, false),
            (false, true, true),
            (true, true, true),
        ] {
            let style = Json {
                digits,
                slash,
                html,
                ascii,
            };
            all.push(json(value, style));
        }
        let hex = |bytes: &[u8], text: &mut Vec<u8>| hex_each(bytes, b"\\x", digits, text);
        for quotes in [&['\''][..], &['"'], &['\'', '"'], &[]] {
            for ascii in [false, true] {
                all.push(literal(value, quotes, ascii, Shorts::Json, hex));
                let others = Shorts::others(value);
                all.extend(others.map(|shorts| literal(value, quotes, ascii, shorts, hex)));
            }
        }
        all.extend(escaped_each(value, digits));
    }
    for quotes in [&['\''][..], &['"'], &[]] {
        all.push(literal(value, quotes, true, Shorts::Json, octal_each));
        let others = Shorts::others(value);
        all.extend(others.map(|shorts| literal(value, quotes, true, shorts, octal_each)));
    }
    all.push(octal(value));
    // A text within a text.
    let once: Vec<Bytes> = all.iter().take(4).cloned().collect();
    all.extend(once.iter().map(|text| {
        json(
            text,
            Json {
                digits: LOWER,
                slash: false,
                html: false,
                ascii: false,
            },
        )
    }));
    all
}

/// Every character escaped.
fn escaped_each(value: &[u8], digits: &'static [u8; 16]) -> [Bytes; 2] {
    let mut each = Zeroizing::new(Vec::with_capacity(value.len() * 4));
    hex_each(value, b"\\x", digits, &mut each);
    let point = |character: char, _: &[u8], text: &mut Vec<u8>| {
        units(character, digits, text);
        true
    };
    [each, replaced(value, point)]
}

fn octal(value: &[u8]) -> Bytes {
    let mut each = Zeroizing::new(Vec::with_capacity(value.len() * 4));
    octal_each(value, &mut each);
    each
}

/// Percent encoding, as the makers of addresses and forms differ in it.
pub(super) fn percent(value: &[u8]) -> Vec<Bytes> {
    let mut all = Vec::new();
    if is_plain(value) {
        for digits in [UPPER, LOWER] {
            let mut each = Zeroizing::new(Vec::with_capacity(value.len() * 3));
            hex_each(value, b"%", digits, &mut each);
            all.push(each);
        }
        return all;
    }
    for digits in [UPPER, LOWER] {
        let encoded = |kept: &[u8], plus: bool| {
            let mut text = Zeroizing::new(Vec::with_capacity(value.len() * 3));
            for byte in value {
                match byte {
                    b' ' if plus => text.push(b'+'),
                    byte if byte.is_ascii_alphanumeric() || kept.contains(byte) => text.push(*byte),
                    byte => hex_each(&[*byte], b"%", digits, &mut text),
                }
            }
            text
        };
        let unreserved = b"-._~";
        all.push(encoded(unreserved, false));
        all.push(encoded(unreserved, true));
        all.push(encoded(b"-._", true));
        all.push(encoded(b"*-._", true));
        all.push(encoded(b"-_.!~*'()", false));
        all.push(encoded(b"-._~/", false));
        all.push(encoded(b"-._~!$&'()*+,;=:@/", false));
        all.push(encoded(b"-_.!~*'();/?:@&=+$,#", false));
        all.push(encoded(b"-_.!~*'();:&=+$,", false));
        let mut each = Zeroizing::new(Vec::with_capacity(value.len() * 3));
        hex_each(value, b"%", digits, &mut each);
        let twice: Vec<Bytes> = all[all.len() - 9..]
            .iter()
            .map(|text| again(text, b'%', b"%25"))
            .collect();
        all.push(each);
        all.extend(twice);
    }
    all
}

/// One character replaced.
fn again(text: &[u8], character: u8, by: &[u8]) -> Bytes {
    replaced(text, |one, _, text| {
        let fits = one == char::from(character);
        if fits {
            text.extend_from_slice(by);
        }
        fits
    })
}

/// A mark in front of each of these characters.
fn marked(value: &[u8], mark: u8, of: impl Fn(char) -> bool) -> Bytes {
    replaced(value, |character, bytes, text| {
        let fits = of(character);
        if fits {
            text.push(mark);
            text.extend_from_slice(bytes);
        }
        fits
    })
}

/// Shells, SQL, CSV, INI.
pub(super) fn quoting(value: &[u8]) -> Vec<Bytes> {
    if value.iter().all(u8::is_ascii_alphanumeric) {
        return Vec::new();
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,^~".contains(c);
    vec![
        again(value, b'\'', b"'\\''"),
        again(value, b'\'', b"'\"'\"'"),
        again(value, b'\'', b"''"),
        again(value, b'"', b"\"\""),
        again(value, b'\'', b"\\'"),
        again(value, b'"', b"\\\""),
        again(value, b'$', b"$$"),
        again(value, b'%', b"%%"),
        marked(value, b'\\', |c| "$`\"\\".contains(c)),
        marked(value, b'\\', |c| "$`\"\\!".contains(c)),
        marked(value, b'\\', |c| c.is_ascii() && !is_plain(c)),
        // `printf %q` and Python's and Ruby's shell words differ in what they leave alone.
        marked(value, b'\\', |c| {
            c.is_ascii() && !is_plain(c) || "^~,".contains(c)
        }),
        marked(value, b'\\', |c| {
            c.is_ascii() && !c.is_ascii_alphanumeric() && !"-_./:=@%+".contains(c)
        }),
        marked(value, b'\\', |c| {
            c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_'
        }),
        marked(value, b'`', |c| "$`\"'".contains(c)),
        marked(value, b'`', |c| "$`\"".contains(c)),
        marked(value, b'^', |c| "&<>|^()%!\"".contains(c)),
        marked(value, b'^', |c| "&<>|^".contains(c)),
    ]
}

/// HTML and XML.
pub(super) fn entities(value: &[u8]) -> Vec<Bytes> {
    let named = |apostrophe: &'static [u8], quote: &'static [u8], beyond: Option<bool>| {
        replaced(value, move |character, _, text| {
            let name: &[u8] = match character {
                '&' => b"&amp;",
                '<' => b"&lt;",
                '>' => b"&gt;",
                '"' => quote,
                '\'' => apostrophe,
                character if !character.is_ascii() && beyond.is_some() => {
                    number(character, beyond == Some(true), LOWER, text);
                    return true;
                }
                _ => return false,
            };
            text.extend_from_slice(name);
            true
        })
    };
    let each = |hex: bool, digits: &'static [u8; 16]| {
        replaced(value, move |character, _, text| {
            number(character, hex, digits, text);
            true
        })
    };
    let marks = |hex: bool, digits: &'static [u8; 16]| {
        replaced(value, move |character, _, text| {
            let fits = !character.is_ascii_alphanumeric() && character != ' ';
            if fits {
                number(character, hex, digits, text);
            }
            fits
        })
    };
    if is_plain(value) {
        return vec![
            marks(false, LOWER),
            marks(true, LOWER),
            marks(true, UPPER),
            each(false, LOWER),
            each(true, LOWER),
            each(true, UPPER),
        ];
    }
    let mut all = vec![
        named(b"&#39;", b"&quot;", None),
        named(b"&#x27;", b"&quot;", None),
        named(b"&apos;", b"&quot;", None),
        named(b"'", b"\"", None),
        named(b"'", b"&quot;", None),
        named(b"&#39;", b"&#34;", None),
        named(b"&#39;", b"&quot;", Some(false)),
        named(b"&#x27;", b"&quot;", Some(true)),
        named(b"&#039;", b"&quot;", None),
        marks(false, LOWER),
        marks(true, LOWER),
        marks(true, UPPER),
        each(false, LOWER),
        each(true, LOWER),
        each(true, UPPER),
    ];
    let twice: Vec<Bytes> = all[..9]
        .iter()
        .map(|text| again(text, b'&', b"&amp;"))
        .collect();
    all.extend(twice);
    all
}

fn number(character: char, hex: bool, digits: &[u8; 16], text: &mut Vec<u8>) {
    let code = u32::from(character);
    let written = match (hex, digits == UPPER) {
        (false, _) => format!("&#{code};"),
        (true, false) => format!("&#x{code:x};"),
        (true, true) => format!("&#x{code:X};"),
    };
    text.extend_from_slice(Zeroizing::new(written).as_bytes());
}

/// Quoted-printable without its soft line breaks (RFC 2045 §6.7).
pub(super) fn quoted_printable(value: &[u8]) -> Bytes {
    let mut text = Zeroizing::new(Vec::with_capacity(value.len() * 3));
    for byte in value {
        match byte {
            b'=' | 0..=31 | 127.. => hex_each(&[*byte], b"=", UPPER, &mut text),
            _ => text.push(*byte),
        }
    }
    text
}
