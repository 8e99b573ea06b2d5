//! Times and durations as arguments: `90d`, `2026-12-31`, `never`.

use std::str::FromStr;
use std::time::Duration;

use subrosa_model::Timestamp;

/// A point in time, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// So far from now; into which direction the option says.
    Distance(Duration),
    /// This point.
    At(Timestamp),
}

impl When {
    /// The point in the past.
    pub(crate) fn ago(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Distance(distance) => now.minus(distance),
            Self::At(at) => at,
        }
    }

    /// The point in the future.
    pub(crate) fn ahead(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Distance(distance) => now.plus(distance),
            Self::At(at) => at,
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(distance) = parse_duration(text) {
            return Ok(Self::Distance(distance));
        }
        text.parse().map(Self::At).map_err(|_| {
            format!("{text:?} is no time; write 90d, 12h, 2026-12-31 or 2026-12-31T10:00:00Z")
        })
    }
}

/// When a secret expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expiry(pub(crate) Option<When>);

impl FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self(None));
        }
        text.parse()
            .map(|when| Self(Some(when)))
            .map_err(|error: String| format!("{error}, or never"))
    }
}

/// A number and one of `s m h d w`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration; write 30s, 5m, 2h, 90d or 4w");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        'w' => 7 * 24 * 3600,
        _ => return Err(wrong()),
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number
        .checked_mul(seconds)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(parse_duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_duration("90d"), Ok(Duration::from_secs(90 * 86_400)));
        for wrong in [
            "",
            "s",
            "30",
            "-1s",
            "1.5h",
            "1y",
            "99999999999999999999d",
            "ä",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_relative_or_points() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let day: When = "1d".parse().unwrap();
        assert_eq!(day.ago(now).to_string(), "2026-11-21T10:00:00Z");
        assert_eq!(day.ahead(now).to_string(), "2026-11-23T10:00:00Z");
        let point: When = "2026-12-31".parse().unwrap();
        assert_eq!(point.ahead(now).to_string(), "2026-12-31T00:00:00Z");
        assert!("soon".parse::<When>().is_err());
        assert_eq!("never".parse(), Ok(Expiry(None)));
    }
}
