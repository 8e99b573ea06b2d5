//! The texts as files: made once, with values planted in them, and kept.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Result;
use super::chance::Chance;
use super::hostile::{Glued, Near, Periodic};
use super::plants::Plants;
use super::secrets::{Needles, periodic, periods, secrets};
use super::texts::{Base64, Elf, Hex, Json, Log, Random, Text};

/// Written anew when this changes: raise it with every change of a text.
const VERSION: u32 = 2;
/// Secrets that the texts hold and that most runs search for.
pub const SECRETS: usize = 100;
/// A plant is set each time so many bytes are written.
const BETWEEN: u64 = 1 << 20;

/// A text to measure on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What a build prints.
    Log,
    /// JSON documents.
    Json,
    /// Base64 of chance.
    Base64,
    /// Hexadecimal digits of chance.
    Hex,
    /// Bytes of chance.
    Random,
    /// What a program's file looks like.
    Elf,
    /// Beginnings of needles.
    Glued,
    /// Needles with another last byte.
    Near,
    /// Secrets that repeat themselves, and text of their periods.
    Periodic,
}

impl Kind {
    /// All, in the order of the tables.
    pub const ALL: [Self; 9] = [
        Self::Log,
        Self::Json,
        Self::Base64,
        Self::Hex,
        Self::Random,
        Self::Elf,
        Self::Glued,
        Self::Near,
        Self::Periodic,
    ];

    /// As it is asked for and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Json => "json",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Random => "random",
            Self::Elf => "elf",
            Self::Glued => "glued",
            Self::Near => "near",
            Self::Periodic => "periodic",
        }
    }

    /// Whether it is made against whoever searches.
    #[must_use]
    pub const fn is_hostile(self) -> bool {
        matches!(self, Self::Glued | Self::Near | Self::Periodic)
    }

    /// So many secrets of this text; those that it holds come first.
    #[must_use]
    pub fn secrets(self, count: usize) -> Vec<String> {
        match self {
            Self::Periodic => periodic(count),
            _ => secrets(count),
        }
    }

    fn text(self) -> Box<dyn Text> {
        let chance = Chance::of(self.name());
        let needles = || Needles::of(&self.secrets(SECRETS)).needles;
        match self {
            Self::Log => Box::new(Log::new()),
            Self::Json => Box::new(Json(chance)),
            Self::Base64 => Box::new(Base64(chance)),
            Self::Hex => Box::new(Hex(chance)),
            Self::Random => Box::new(Random(chance)),
            Self::Elf => Box::new(Elf(chance)),
            Self::Glued => Box::new(Glued {
                needles: needles(),
                chance,
            }),
            Self::Near => Box::new(Near {
                needles: needles(),
                chance,
            }),
            Self::Periodic => Box::new(Periodic {
                periods: periods(),
                chance,
            }),
        }
    }
}

/// The folder of the texts.
#[derive(Debug)]
pub struct Cache(PathBuf);

impl Cache {
    /// A folder in the build folder, made if it is not there.
    ///
    /// # Errors
    /// What making it gave.
    pub fn open() -> Result<Self> {
        let own = std::env::current_exe()?;
        let target = own.ancestors().nth(2).ok_or("no build folder")?;
        let folder = target.join(format!("bench-redact/{VERSION}"));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    /// Where other files of the benchmark go.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The file of a text of `size` bytes; a shorter one is the beginning of a longer one.
    ///
    /// # Errors
    /// What writing it gave.
    pub fn text(&self, kind: Kind, size: u64) -> Result<PathBuf> {
        let path = self.0.join(format!("{}-{size}", kind.name()));
        if path.exists() {
            return Ok(path);
        }
        let half_done = self.0.join("half-done");
        write(kind, size, true, &half_done)?;
        fs::rename(&half_done, &path)?;
        Ok(path)
    }

    /// The same without plants: text in which nothing is to be found.
    ///
    /// # Errors
    /// What writing it gave.
    pub fn bare(&self, kind: Kind, size: u64) -> Result<PathBuf> {
        let path = self.0.join(format!("{}-{size}-bare", kind.name()));
        if !path.exists() {
            let half_done = self.0.join("half-done");
            write(kind, size, false, &half_done)?;
            fs::rename(&half_done, &path)?;
        }
        Ok(path)
    }

    /// A file with these bytes.
    ///
    /// # Errors
    /// What writing it gave.
    pub fn file(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.0.join(name);
        fs::write(&path, bytes)?;
        Ok(path)
    }
}

fn write(kind: Kind, size: u64, is_planted: bool, path: &Path) -> Result<()> {
    let plants = Plants::of(&kind.secrets(SECRETS));
    let mut text = kind.text();
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut written, mut planted) = (0, 0);
    let mut piece = Vec::new();
    while written < size {
        piece.clear();
        text.more(&mut piece);
        // Not at once: a text begins as its kind does.
        if is_planted && written >= BETWEEN / 2 + planted as u64 * BETWEEN {
            plants.set(planted, &mut piece);
            planted += 1;
        }
        piece.truncate(usize::try_from(size - written).unwrap_or(usize::MAX));
        file.write_all(&piece)?;
        written += piece.len() as u64;
    }
    file.flush()?;
    Ok(())
}
