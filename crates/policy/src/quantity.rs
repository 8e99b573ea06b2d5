//! Times and sizes as people write them: `300s`, `10MB`.

use std::time::Duration;

/// Longest time that a limit may name.
pub(crate) const TIMEOUT_MAX: Duration = Duration::from_secs(7 * 86_400);
/// Largest size that a limit may name, in bytes.
pub(crate) const BYTES_MAX: u64 = 1 << 50;
/// Most processes that a limit may name.
pub(crate) const PROCESSES_MAX: u64 = 65_536;

const TIMES: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

const SIZES: [(&str, u64); 10] = [
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Reads a time: digits and one of `ms`, `s`, `m`, `h`, `d`; digits alone are seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let millis = quantity(text, &TIMES, 1_000, "a time", "300s, 5m, 2h")?;
    let time = Duration::from_millis(millis);
    if time.is_zero() || time > TIMEOUT_MAX {
        return Err("a time lies between 1ms and 7d".to_owned());
    }
    Ok(time)
}

/// Reads a size: digits and `B`, a decimal unit (`MB` is 1,000,000) or a binary one (`MiB` is
/// 1,048,576); digits alone are bytes.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let bytes = quantity(text, &SIZES, 1, "a size", "10MB, 1GiB")?;
    if bytes == 0 || bytes > BYTES_MAX {
        return Err("a size lies between 1B and 1024TiB".to_owned());
    }
    Ok(bytes)
}

fn quantity(
    text: &str,
    units: &[(&str, u64)],
    bare: u64,
    what: &str,
    examples: &str,
) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let shown: String = text.chars().take(32).collect();
    let number: u64 = match number.parse() {
        Ok(number) => number,
        Err(_) if number.is_empty() => {
            return Err(format!("{shown:?} is not {what}; write it as {examples}"));
        }
        Err(_) => return Err(format!("{shown:?} is larger than {what} may be")),
    };
    let unit = unit.trim_start_matches(' ');
    let factor = match units.iter().find(|(name, _)| *name == unit) {
        Some((_, factor)) => *factor,
        None if unit.is_empty() => bare,
        None => {
            let known: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "{shown:?} has an unknown unit; units are {}",
                known.join(", ")
            ));
        }
    };
    number
        .checked_mul(factor)
        .ok_or_else(|| format!("{shown:?} is larger than {what} may be"))
}

/// The shortest way to write a time that reads back as the same.
pub(crate) fn write_duration(time: Duration) -> String {
    // Times come from `duration`, which knows no finer unit and no longer time.
    write(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), &TIMES)
}

/// The shortest way to write a size that reads back as the same.
pub(crate) fn write_bytes(bytes: u64) -> String {
    write(bytes, &SIZES)
}

fn write(number: u64, units: &[(&str, u64)]) -> String {
    units
        .iter()
        .filter(|(name, factor)| number.is_multiple_of(*factor) && *name != "kB")
        .map(|(name, factor)| format!("{}{name}", number / factor))
        .min_by_key(String::len)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{bytes, duration, write_bytes, write_duration};

    #[test]
    fn times_have_units() {
        let s = Duration::from_secs;
        for (text, want) in [
            ("300s", s(300)),
            ("5m", s(300)),
            ("2h", s(7200)),
            ("1d", s(86_400)),
            ("250ms", Duration::from_millis(250)),
            ("90", s(90)),
            ("5 m", s(300)),
            ("7d", s(7 * 86_400)),
        ] {
            assert_eq!(duration(text), Ok(want), "{text}");
        }
        for bad in [
            "",
            "0s",
            "8d",
            "5x",
            "5M",
            "-5s",
            "1.5h",
            "s",
            "99999999999999999999s",
            "5ms5",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert_eq!(
            duration("5 parsecs").unwrap_err(),
            "\"5 parsecs\" has an unknown unit; units are ms, s, m, h, d"
        );
    }

    #[test]
    fn sizes_have_decimal_and_binary_units() {
        for (text, want) in [
            ("10MB", 10_000_000),
            ("1GB", 1_000_000_000),
            ("1GiB", 1 << 30),
            ("64KiB", 65_536),
            ("4096", 4096),
            ("1 kB", 1000),
            ("1TiB", 1 << 40),
        ] {
            assert_eq!(bytes(text), Ok(want), "{text}");
        }
        for bad in [
            "",
            "0",
            "10M",
            "10mb",
            "1PB",
            "MB",
            "1.5GB",
            "9999999TiB",
            "-1",
            "0x10",
        ] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
        assert_eq!(
            bytes("10M").unwrap_err(),
            "\"10M\" has an unknown unit; units are B, kB, KB, MB, GB, TB, KiB, MiB, GiB, TiB"
        );
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in ["300s", "5m", "90s", "1d", "1500ms", "61m"] {
            let time = duration(text).unwrap();
            assert_eq!(duration(&write_duration(time)), Ok(time), "{text}");
        }
        for size in [
            1,
            999,
            1000,
            1024,
            65_536,
            10_000_000,
            1 << 30,
            (1 << 50) - 1,
        ] {
            assert_eq!(bytes(&write_bytes(size)), Ok(size), "{size}");
        }
        assert_eq!(write_duration(Duration::from_secs(300)), "5m");
        assert_eq!(write_bytes(1 << 30), "1GiB");
    }
}
