//! Who is measured: this program in its modes, and the baselines.

use std::path::{Path, PathBuf};

use subrosa_redact::Known;

use super::baseline::{Way, packed};
use super::corpus::{Cache, Kind, SECRETS};
use super::measure::{Line, median};
use super::options::Options;
use super::secrets::Needles;
use super::{Result, hyperscan};

/// What makes the program search as on a machine without vector instructions.
const SCALAR: &str = "--scalar";

/// Hyperscan 5.4 with these needles ends its stream with an error some 585 MB into the log: it gets
/// less.
const HYPERSCAN_MAX: u64 = 256 << 20;

/// Somebody who searches, with what is searched for.
#[derive(Debug, Clone)]
pub struct Subject {
    /// As it is printed.
    pub name: String,
    /// Bytes that it reads of the text.
    pub limit: u64,
    /// How many byte strings it searches for.
    pub needles: usize,
    /// Whether it sees values with something inside them.
    pub is_folded: bool,
    /// Secrets that it knows.
    pub secrets: usize,
    /// How often it is measured.
    pub rounds: usize,
    template: Line,
}

/// Where the name of the text stands in a command line.
const TEXT: &str = "{text}";

impl Subject {
    /// Its command line for a text.
    #[must_use]
    pub fn line(&self, text: &Path) -> Line {
        let text = text.display().to_string();
        let mut line = self.template.clone();
        for word in line.words.iter_mut().filter(|word| *word == TEXT) {
            word.clone_from(&text);
        }
        line
    }

    /// Seconds that it takes with nothing to read.
    ///
    /// # Errors
    /// When it fails.
    pub fn start(&self, cache: &Cache) -> Result<f64> {
        let line = self.line(&cache.file("empty", b"")?);
        let costs: Result<Vec<f64>> = (0..3).map(|_| Ok(line.measured()?.cpu)).collect();
        Ok(median(&costs?))
    }
}

/// Makes subjects.
#[derive(Debug)]
pub struct Subjects<'a> {
    cache: &'a Cache,
    program: PathBuf,
    own: PathBuf,
    hyperscan: std::result::Result<PathBuf, String>,
}

impl<'a> Subjects<'a> {
    /// Finds the programs, and compiles the one in C.
    ///
    /// # Errors
    /// When a program of this project was not built.
    pub fn find(cache: &'a Cache) -> Result<Self> {
        Ok(Self {
            cache,
            program: crate::vaults::program()?,
            own: std::env::current_exe()?,
            hyperscan: hyperscan::program(cache.folder()),
        })
    }

    /// Why a baseline is left out.
    #[must_use]
    pub fn left_out(&self) -> Option<&str> {
        self.hyperscan.as_ref().err().map(String::as_str)
    }

    /// Who only copies.
    #[must_use]
    pub fn cat(&self, kind: Kind, options: &Options) -> Subject {
        Subject {
            name: "cat".to_owned(),
            limit: options.size_of(kind),
            needles: 0,
            is_folded: false,
            secrets: 0,
            rounds: options.rounds,
            template: Line {
                words: vec!["/bin/cat".to_owned(), TEXT.to_owned()],
                stdin: None,
                variables: Vec::new(),
            },
        }
    }

    /// This program with so many secrets: raw and folded, with vector instructions and without.
    ///
    /// # Errors
    /// What writing the values gave.
    pub fn ours(&self, kind: Kind, secrets: usize, options: &Options) -> Result<Vec<Subject>> {
        let mut all = Vec::new();
        for is_folded in [false, true] {
            for is_scalar in [false, true] {
                all.push(self.ours_in(kind, secrets, (is_folded, is_scalar), options)?);
            }
        }
        Ok(all)
    }

    fn ours_in(
        &self,
        kind: Kind,
        count: usize,
        (is_folded, is_scalar): (bool, bool),
        options: &Options,
    ) -> Result<Subject> {
        let secrets = kind.secrets(count);
        let class = if kind == Kind::Periodic {
            "periodic"
        } else {
            "secrets"
        };
        let name = format!("{class}-{count}");
        let values = self.cache.file(&name, secrets.join("\n").as_bytes())?;
        let mut words = vec![self.program.display().to_string(), "redact".to_owned()];
        words.extend(["--known-fd".to_owned(), "0".to_owned()]);
        if !is_folded {
            words.push("--no-fold".to_owned());
        }
        if is_scalar {
            words.push(SCALAR.to_owned());
        }
        words.push(TEXT.to_owned());
        let home = self.cache.folder().join("no-vault").display().to_string();
        let mode = if is_folded { "folded" } else { "raw" };
        let path = if is_scalar { ", scalar" } else { "" };
        Ok(Subject {
            name: format!("subrosa {mode}{path}"),
            limit: options.size_of(kind),
            needles: needles(&secrets, is_folded),
            is_folded,
            secrets: count,
            rounds: options.rounds,
            template: Line {
                words,
                stdin: Some(values),
                variables: vec![("HOME".to_owned(), home)],
            },
        })
    }

    /// The baselines, which search for a few forms of each secret and nothing else.
    ///
    /// # Errors
    /// What writing the needles gave.
    pub fn baselines(&self, kind: Kind, options: &Options) -> Result<Vec<Subject>> {
        let needles = Needles::of(&kind.secrets(SECRETS)).needles;
        let class = if kind == Kind::Periodic {
            "periodic"
        } else {
            "secrets"
        };
        let name = format!("{class}-{SECRETS}-needles");
        let file = self.cache.file(&name, &packed(&needles))?;
        let subject = |name: &str, limit: u64, words: Vec<String>| Subject {
            name: name.to_owned(),
            limit,
            needles: needles.len(),
            is_folded: false,
            secrets: SECRETS,
            rounds: options.rounds.min(3),
            template: Line {
                words,
                stdin: None,
                variables: Vec::new(),
            },
        };
        let file = file.display().to_string();
        let mut all = Vec::new();
        if let Ok(program) = &self.hyperscan {
            let limit = options.size_of(kind).min(HYPERSCAN_MAX);
            let program = program.display().to_string();
            let words = vec![program, file.clone(), TEXT.to_owned(), limit.to_string()];
            all.push(subject("hyperscan, streaming", limit, words));
        }
        for way in [Way::Daachorse, Way::Nfa, Way::Dfa, Way::Replace] {
            let limit = match way {
                Way::Daachorse => options.size_of(kind),
                Way::Nfa | Way::Dfa => options.slow(kind),
                Way::Replace => options.slowest(kind),
            };
            let mut words = vec![self.own.display().to_string(), "baseline".to_owned()];
            words.extend([way.name().to_owned(), file.clone(), TEXT.to_owned()]);
            words.push(limit.to_string());
            all.push(subject(way.name(), limit, words));
        }
        Ok(all)
    }
}

/// How many byte strings the library searches for.
#[must_use]
pub fn needles(secrets: &[String], is_folded: bool) -> usize {
    let mut known = Known::new();
    for secret in secrets {
        // What is not searched for is seen as a plant that is missing.
        let _ = known.add(None, secret.as_bytes());
    }
    let (raw, folded) = known.build().needles();
    if is_folded { raw + folded } else { raw }
}
