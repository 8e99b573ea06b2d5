//! What was asked for on the command line.

use super::Result;
use super::corpus::Kind;

const MIB: u64 = 1 << 20;

/// What is said to somebody who typed something else.
pub const USAGE: &str = "\
cargo xtask bench redact [PART…] [--size SIZE] [--quick] [--rounds N] [--json]

  PART      log json base64 hex random elf glued near periodic,
            secrets, memory, latency, recall, ordinary [default: all]
  --size    bytes of the log, as 64M or 1G [default: 1G]; the other texts have a quarter of it
  --quick   64 MiB and three rounds
  --rounds  how often each is measured [default: 5]
  --json    everything as one JSON document";

/// How much is measured.
#[derive(Debug, Clone)]
pub struct Options {
    /// Parts that were asked for; none stands for all.
    pub parts: Vec<String>,
    /// Bytes of the log.
    pub size: u64,
    /// Bytes that no text exceeds.
    pub most: u64,
    /// How often each subject is measured.
    pub rounds: usize,
    /// One JSON document instead of tables.
    pub is_json: bool,
}

impl Options {
    /// Reads the arguments.
    ///
    /// # Errors
    /// When one of them makes no sense.
    pub fn of(arguments: &[String]) -> Result<Self> {
        let mut options = Self {
            parts: Vec::new(),
            size: 1024 * MIB,
            most: u64::MAX,
            rounds: 5,
            is_json: false,
        };
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "--" => {}
                "--json" => options.is_json = true,
                "--quick" => (options.size, options.rounds) = (64 * MIB, 3),
                "--size" => options.size = size(words.next().unwrap_or_default())?,
                "--rounds" => options.rounds = words.next().unwrap_or_default().parse()?,
                part if is_part(part) => options.parts.push(part.to_owned()),
                other => return Err(format!("`{other}` is none of these:\n{USAGE}").into()),
            }
        }
        if options.rounds == 0 || options.size < MIB {
            return Err(format!("at least one round and 1M:\n{USAGE}").into());
        }
        Ok(options)
    }

    /// Whether a part was asked for.
    #[must_use]
    pub fn has(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|one| one == part)
    }

    /// Bytes of a text.
    #[must_use]
    pub fn size_of(&self, kind: Kind) -> u64 {
        let size = match kind {
            Kind::Log => self.size,
            _ => (self.size / 4).max(MIB),
        };
        size.min(self.most)
    }

    /// The same with texts of no more than `most` bytes.
    #[must_use]
    pub fn within(&self, most: u64) -> Self {
        Self {
            most,
            ..self.clone()
        }
    }

    /// Bytes that a slow baseline gets of a text.
    #[must_use]
    pub fn slow(&self, kind: Kind) -> u64 {
        self.size_of(kind).min(64 * MIB)
    }

    /// Bytes that the slowest gets.
    #[must_use]
    pub fn slowest(&self, kind: Kind) -> u64 {
        self.size_of(kind).min(4 * MIB)
    }
}

fn is_part(word: &str) -> bool {
    const OTHERS: [&str; 5] = ["secrets", "memory", "latency", "recall", "ordinary"];
    OTHERS.contains(&word) || Kind::ALL.iter().any(|kind| kind.name() == word)
}

/// `64M`, `1G`, `100K` or a plain number, by powers of 1024.
fn size(word: &str) -> Result<u64> {
    let digits = word.trim_end_matches(['K', 'M', 'G']);
    let unit = match &word[digits.len()..] {
        "" => 1,
        "K" => 1 << 10,
        "M" => MIB,
        "G" => 1 << 30,
        _ => 0,
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| format!("`{word}` is no size: type --size 64M"))?;
    match number.checked_mul(unit) {
        Some(size) if unit > 0 => Ok(size),
        _ => Err(format!("`{word}` is no size: type --size 64M").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::of(&words)
    }

    #[test]
    fn sizes_and_parts_are_read() {
        let options = read("-- log --size 64M --json").expect("read");
        assert_eq!((options.size, options.is_json), (64 * MIB, true));
        assert!(options.has("log") && !options.has("json"));
        assert_eq!(options.size_of(Kind::Json), 16 * MIB);
        assert!(read("").expect("read").has("recall"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "--size",
            "--size 1X",
            "--size 99999999999G",
            "--size 1MG",
            "hex2",
            "--rounds 0",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
