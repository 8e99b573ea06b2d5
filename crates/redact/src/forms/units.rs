//! The parts of a value that are secret by themselves.
//!
//! The beginning of many values is public: a vendor's prefix, the scheme and host of an address.
//! Others are documents of which parts are shown alone: the lines of a key, the password of an
//! address, the fields of a JSON document, the signature of a token.

use zeroize::Zeroizing;

use super::escapes::Bytes;
use crate::limits;
use crate::needle::Cut;

/// The fewest characters of a prefix or suffix, beyond what is public.
const MIN_CUT: usize = 12;
/// A suffix of a longer value is not searched for: each of its places would be one more beginning.
const LONGEST_CUT: usize = 256;
/// Fields of a document that are looked at.
const FIELDS_MAX: usize = 256;

/// One prefix a line; lines that begin with `#` are comments.
const VENDOR_PREFIXES: &str = include_str!("../prefixes.txt");

/// Says whether a part of a value tells enough of it to be searched for by itself.
pub(crate) type Tells = fn(&[u8]) -> bool;

/// A value or a part of one, and from which length on a part of that counts.
pub(super) struct Unit {
    pub(super) bytes: Bytes,
    pub(super) cut: Option<Cut>,
}

/// The value itself, without its final line break too, and those of its parts that tell enough.
pub(super) fn of(value: &[u8], tells: Tells) -> Vec<Unit> {
    let whole = |bytes: &[u8], cut| Unit {
        bytes: Zeroizing::new(bytes.to_vec()),
        cut,
    };
    let mut units = Vec::new();
    let core = limits::without_final_break(value);
    if core.len() < value.len() {
        units.push(whole(value, None));
    }
    // Programs that read a value often drop its final line break.
    if limits::why_not(core).is_none() {
        let cut = (!is_structured(core)).then(|| cut(core, tells)).flatten();
        units.push(whole(core, cut));
    }
    let telling = |line: &&[u8]| tells(line);
    let lines = limits::lines(value).filter(telling);
    units.extend(lines.map(|line| whole(line, None)));
    for part in parts(core) {
        if limits::why_not(&part.bytes).is_some() {
            continue;
        }
        let lines = limits::lines(&part.bytes).filter(telling);
        units.extend(lines.map(|line| whole(line, None)));
        if !tells(&part.bytes) {
            continue;
        }
        let cut = (part.is_cut && !is_structured(&part.bytes))
            .then(|| cut(&part.bytes, tells))
            .flatten();
        units.push(whole(&part.bytes, cut));
    }
    units
}

struct Part {
    bytes: Bytes,
    is_cut: bool,
}

fn parts(value: &[u8]) -> Vec<Part> {
    let trimmed = value.trim_ascii();
    let cut = |bytes: Bytes| Part {
        bytes,
        is_cut: true,
    };
    if is_json(trimmed) {
        return fields(trimmed).into_iter().map(cut).collect();
    }
    if is_jwt(trimmed) {
        let mut parts = trimmed.split(|byte| *byte == b'.').skip(1);
        let [payload, signature] = [parts.next(), parts.next()].map(Option::unwrap_or_default);
        let whole = Part {
            bytes: Zeroizing::new(payload.to_vec()),
            is_cut: false,
        };
        return vec![whole, cut(Zeroizing::new(signature.to_vec()))];
    }
    passwords(trimmed).into_iter().map(cut).collect()
}

/// From which length on a prefix or a suffix of the value is found by itself.
fn cut(value: &[u8], tells: Tells) -> Option<Cut> {
    let public = public_prefix(value);
    let enough = |bytes: &[u8]| limits::distinct(bytes) >= limits::MIN_DISTINCT && tells(bytes);
    let len = value.len();
    // A beginning that says nothing for so long is no beginning of a random value.
    let most = len.min(public + LONGEST_CUT);
    let prefix = (public + MIN_CUT..most).find(|end| enough(&value[public.min(*end)..*end]))?;
    let suffix = match len <= LONGEST_CUT {
        true => (MIN_CUT..len.saturating_sub(public)).find(|size| enough(&value[len - size..])),
        false => None,
    };
    Some(Cut {
        prefix,
        suffix: suffix.unwrap_or(len),
        public,
    })
}

/// Multi-line, JSON, DSN and JWT values: parts of them as a whole tell too little.
fn is_structured(value: &[u8]) -> bool {
    let trimmed = value.trim_ascii();
    value.contains(&b'\n')
        || value.contains(&b'\r')
        || is_json(trimmed)
        || is_jwt(value)
        || is_dsn(value)
}

fn is_json(value: &[u8]) -> bool {
    matches!(
        (value.first(), value.last()),
        (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']'))
    )
}

/// Three parts in base64url, the first a JSON object: RFC 7519 §3.1.
fn is_jwt(value: &[u8]) -> bool {
    let base64url = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    value.starts_with(b"eyJ")
        && value.split(|byte| *byte == b'.').count() == 3
        && value.iter().all(|byte| base64url(byte) || *byte == b'.')
}

/// An address with user information, or settings that name a password.
fn is_dsn(value: &[u8]) -> bool {
    authority(value).is_some_and(|(from, to)| value[from..to].contains(&b'@'))
        || !settings(value).is_empty()
}

/// The passwords of an address or of settings: as they are, and as they are meant.
fn passwords(value: &[u8]) -> Vec<Bytes> {
    let mut found = settings(value);
    if let Some((from, to)) = authority(value) {
        let authority = &value[from..to];
        if let Some(at) = authority.iter().rposition(|byte| *byte == b'@') {
            let user = &authority[..at];
            let colon = user.iter().position(|byte| *byte == b':');
            // A token alone stands where the name would.
            found.push(Zeroizing::new(
                user[colon.map_or(0, |colon| colon + 1)..].to_vec(),
            ));
        }
    }
    let decoded: Vec<Bytes> = found.iter().map(|one| percent_decoded(one)).collect();
    let new = decoded.into_iter().filter(|one| !found.contains(one));
    let new: Vec<Bytes> = new.collect();
    found.extend(new);
    found
}

/// What stands after `password=`, `password:` and `pwd=`, up to what ends a setting.
fn settings(value: &[u8]) -> Vec<Bytes> {
    let lower = Zeroizing::new(value.to_ascii_lowercase());
    let mut found = Vec::new();
    for name in [&b"password"[..], b"pwd", b"passwd"] {
        for (at, _) in lower
            .windows(name.len())
            .enumerate()
            .filter(|(_, window)| *window == name)
        {
            let rest = &value[at + name.len()..];
            let Some((b'=' | b':', rest)) = rest.split_first() else {
                continue;
            };
            let rest = rest.trim_ascii_start();
            let (end, rest): (&[u8], _) = match rest.split_first() {
                Some((b'\'', rest)) => (b"'", rest),
                Some((b'"', rest)) => (b"\"", rest),
                _ => (b";& \n\r,", rest),
            };
            let len = rest.iter().position(|byte| end.contains(byte));
            found.push(Zeroizing::new(rest[..len.unwrap_or(rest.len())].to_vec()));
        }
    }
    found
}

fn percent_decoded(value: &[u8]) -> Bytes {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut text = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        let digits = (digit(value.get(at + 1)), digit(value.get(at + 2)));
        match (byte, digits) {
            (b'%', (Some(high), Some(low))) => {
                text.push(u8::try_from(high * 16 + low).unwrap_or(0));
                at += 3;
            }
            _ => {
                text.push(*byte);
                at += 1;
            }
        }
    }
    text
}

/// The texts of a JSON document that are no names and tell enough.
fn fields(value: &[u8]) -> Vec<Bytes> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = value[at..].iter().position(|byte| *byte == b'"') {
        let (text, end) = string(value, at + start + 1);
        at = end;
        let is_name = value[end..].trim_ascii_start().first() == Some(&b':');
        if !is_name && is_telling(&text) {
            found.push(text);
        }
        if found.len() == FIELDS_MAX {
            break;
        }
    }
    found
}

/// The JSON string that begins at `at`, and where what follows it begins: RFC 8259 §7.
fn string(value: &[u8], mut at: usize) -> (Bytes, usize) {
    let mut text = Zeroizing::new(Vec::with_capacity(value.len() - at));
    while let Some(byte) = value.get(at) {
        at += 1;
        match byte {
            b'"' => break,
            b'\\' => {
                let escape = value.get(at).copied().unwrap_or(b'\\');
                at += 1;
                match escape {
                    b'n' => text.push(b'\n'),
                    b'r' => text.push(b'\r'),
                    b't' => text.push(b'\t'),
                    b'u' => {
                        let digits = value.get(at..at + 4).unwrap_or_default();
                        let digits = std::str::from_utf8(digits).unwrap_or_default();
                        let code = u32::from_str_radix(digits, 16).ok();
                        if let Some(character) = code.and_then(char::from_u32) {
                            let mut buffer = [0; 4];
                            text.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
                        }
                        at += digits.len();
                    }
                    other => text.push(other),
                }
            }
            byte => text.push(*byte),
        }
    }
    (text, at.min(value.len()))
}

fn is_telling(text: &[u8]) -> bool {
    let is_address = authority(text).is_some_and(|(from, to)| !text[from..to].contains(&b'@'));
    !is_address && (limits::is_telling_line(text) || limits::lines(text).next().is_some())
}

/// Where the authority of an address lies: RFC 3986 §3.
fn authority(value: &[u8]) -> Option<(usize, usize)> {
    let colon = value.windows(3).position(|window| window == b"://")?;
    let scheme = &value[..colon];
    let valid = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.:".contains(byte));
    let from = colon + 3;
    let len = value[from..]
        .iter()
        .position(|byte| b"/?#".contains(byte))
        .unwrap_or(value.len() - from);
    valid.then_some((from, from + len))
}

/// The length of the beginning that is no secret: scheme and host, or the longest vendor prefix
/// that fits.
fn public_prefix(value: &[u8]) -> usize {
    let vendor = VENDOR_PREFIXES
        .lines()
        .filter(|line| !line.starts_with('#') && value.starts_with(line.as_bytes()))
        .map(str::len)
        .max()
        .unwrap_or(0);
    let address = authority(value).map_or(0, |(_, to)| to);
    vendor.max(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_of(value: &str) -> Option<(usize, usize)> {
        let units = of(value.as_bytes(), |_| true);
        let whole = units.iter().find(|unit| *unit.bytes == value.as_bytes());
        whole
            .and_then(|unit| unit.cut)
            .map(|cut| (cut.prefix, cut.suffix))
    }

    fn unit_texts(value: &str) -> Vec<String> {
        let text = |unit: &Unit| String::from_utf8_lossy(&unit.bytes).into_owned();
        let mut texts: Vec<String> = of(value.as_bytes(), |_| true).iter().map(text).collect();
        texts.retain(|text| text != value);
        texts
    }

    #[test]
    fn the_public_beginning_does_not_count() {
        assert_eq!(cut_of("k3yN0tV3ryRand0mButL0ng"), Some((12, 12)));
        assert_eq!(cut_of("ghp_0123456789abcdefghijklmnop"), Some((16, 12)));
        assert_eq!(cut_of("sk-ant-api03-0123456789abcdef"), Some((25, 12)));
        assert_eq!(
            cut_of("https://hooks.example.com/T0123456789abcdef"),
            Some((37, 12))
        );
        assert_eq!(cut_of("0000000000000000000123456789"), Some((24, 12)));
        assert_eq!(cut_of("12-bytes-it!"), None, "no proper prefix");
    }

    #[test]
    fn structured_values_are_never_cut_and_their_parts_are_searched() {
        for (value, parts) in [
            (
                "line-one-0123456789\nline-two-0123456789",
                &["line-one-0123456789", "line-two-0123456789"][..],
            ),
            (
                r#"{"client_secret": "0f1e2d3c4b5a6978", "url": "https://x.example/0123456789"}"#,
                &["0f1e2d3c4b5a6978"],
            ),
            (
                "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLWhlcmU",
                &["eyJzdWIiOiIxMjM0NTY3ODkwIn0", "c2lnbmF0dXJlLWhlcmU"],
            ),
            (
                "postgres://app:hunter2%21hunter2@db.internal/app",
                &["hunter2%21hunter2", "hunter2!hunter2"],
            ),
            (
                "Server=db.internal;User=app;Password=hunter2hunter2",
                &["hunter2hunter2"],
            ),
        ] {
            assert_eq!(cut_of(value), None, "{value}");
            assert_eq!(unit_texts(value), parts, "{value}");
        }
    }

    #[test]
    fn prefixes_are_sorted_and_clean() {
        let prefixes: Vec<&str> = VENDOR_PREFIXES
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        assert!(
            prefixes.is_sorted() && prefixes.len() >= 60,
            "{}",
            prefixes.len()
        );
        for prefix in prefixes {
            assert!(
                prefix.len() >= 2 && !prefix.contains(char::is_whitespace),
                "{prefix}"
            );
        }
    }
}
