//! How much of a value has to be seen before a part of it counts.
//!
//! The beginning of many values is public: a vendor's prefix, the scheme and
//! host of an address. A prefix of a value is masked at the end of the stream
//! only if it has enough characters beyond that.

use crate::limits;

/// The fewest characters of a truncated prefix.
const MIN_PREFIX: usize = 16;
/// The fewest of them beyond the public beginning.
const MIN_BEYOND: usize = 12;

/// One prefix a line; lines that begin with `#` are comments.
const VENDOR_PREFIXES: &str = include_str!("prefixes.txt");

/// The length from which on a proper prefix of the value is masked at the end
/// of the stream; `None` if the value is never truncated as a whole.
pub(crate) fn truncated_from(value: &[u8]) -> Option<usize> {
    if is_structured(value) {
        return None;
    }
    let from = MIN_PREFIX.max(public_prefix(value) + MIN_BEYOND);
    (from..value.len()).find(|len| limits::distinct(&value[..*len]) >= limits::MIN_DISTINCT)
}

/// Multi-line, JSON, DSN and JWT values: their beginnings tell too little.
fn is_structured(value: &[u8]) -> bool {
    let trimmed = value.trim_ascii();
    let json = matches!(
        (trimmed.first(), trimmed.last()),
        (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']'))
    );
    value.contains(&b'\n') || value.contains(&b'\r') || json || is_jwt(value) || is_dsn(value)
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
    let names_password = |window: &[u8]| {
        window.eq_ignore_ascii_case(b"password=") || window.eq_ignore_ascii_case(b"password:")
    };
    authority(value).is_some_and(|(from, to)| value[from..to].contains(&b'@'))
        || value.windows(9).any(names_password)
        || value.windows(4).any(|w| w.eq_ignore_ascii_case(b"pwd="))
}

/// Where the authority of an address lies: RFC 3986 §3.
fn authority(value: &[u8]) -> Option<(usize, usize)> {
    let colon = value.windows(3).position(|window| window == b"://")?;
    let scheme = &value[..colon];
    let valid = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
    let from = colon + 3;
    let len = value[from..]
        .iter()
        .position(|byte| b"/?#".contains(byte))
        .unwrap_or(value.len() - from);
    valid.then_some((from, from + len))
}

/// The length of the beginning that is no secret: scheme and host, or the
/// longest vendor prefix that fits.
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

    #[test]
    fn the_public_beginning_does_not_count() {
        let from = |value: &str| truncated_from(value.as_bytes());
        assert_eq!(from("k3yN0tV3ryRand0mButL0ng"), Some(16));
        assert_eq!(from("ghp_0123456789abcdefghijklmnop"), Some(16));
        assert_eq!(from("sk-ant-api03-0123456789abcdef"), Some(25));
        assert_eq!(
            from("https://hooks.example.com/T0123456789abcdef"),
            Some(37)
        );
        assert_eq!(from("0000000000000000000123456789"), Some(24));
        assert_eq!(from("exactly16bytes!!"), None, "not a proper prefix");
    }

    #[test]
    fn structured_values_are_never_truncated() {
        for value in [
            "line-one-0123456789\nline-two-0123456789",
            r#"{"client_secret": "0123456789abcdef"}"#,
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLWhlcmU",
            "postgres://app:hunter2hunter2@db.internal/app",
            "Server=db.internal;User=app;Password=hunter2hunter2",
        ] {
            assert_eq!(truncated_from(value.as_bytes()), None, "{value}");
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
