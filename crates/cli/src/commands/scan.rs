//! `scan`: values of the vault, and what looks like a credential, where they should not be.

mod files;
mod git;
mod ignored;
mod report;
mod sarif;
mod sessions;
mod shapes;
mod text;

use std::path::{Path, PathBuf};

use subrosa_crypto::random;
use subrosa_engine::{MaskOptions, Purpose};

use self::report::{Origin, Report, Skip};
use self::text::{Search, Source};
use crate::complete::Takes;
use crate::context::Context;
use crate::failure::Failure;
use crate::looking::Looking;
use crate::progress::Progress;

/// Something was found.
const FOUND: u8 = 1;
/// It failed, or what could not be read may hold something.
pub(crate) const FAILED: u8 = 3;

/// Find values where they should not be, and what looks like a credential
///
/// Searches files and folders for the values of the vault, in each form in which programs write
/// values, and for the shapes of more than 300 kinds of credentials. Says where each stands and where
/// it is replaced, and never what it is. Changes nothing. What .gitignore leaves out is left out;
/// symbolic links are not followed; gzip, zlib and zstd are looked into, ZIP and xz are counted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa scan                               the current folder
  subrosa scan --no-ignore ~/project         with .env and whatever else git ignores
  subrosa scan --staged                      before a commit: what is about to be committed
  subrosa scan --history                     every blob of every commit
  subrosa scan --history=main..HEAD          those of some commits
  subrosa scan --sessions                    what agents and shells have written down
  subrosa scan --no-vault --sarif >scan.sarif
  make 2>&1 | subrosa redact --known-from '**'   what comes through a pipe is for `redact`

Two findings with the same fingerprint are the same secret; in another run it has another one.

Exit status:
  0 nothing was found, 1 something was, 2 wrong usage, 3 it failed, or nothing was found and not
  everything could be read: files, blobs that a clone lacks, the history before a shallow clone,
  compressed data with more in it than may be read.")]
pub(crate) struct Scan {
    /// Search what is staged for the next commit, in the repository of the folder PATH
    #[arg(long)]
    staged: bool,
    /// Search the history of the repository of the folder PATH: every blob of these commits, or of
    /// all. One name or range as git writes them: v1.0, main..HEAD, HEAD~9..
    #[arg(long, value_name = "RANGE", num_args = 0..=1, require_equals = true)]
    history: Option<Option<String>>,
    /// Search where agents and shells keep their logs, below the home folder
    #[arg(long, conflicts_with = "paths")]
    sessions: bool,
    /// Search what .gitignore and its like leave out as well
    #[arg(long)]
    no_ignore: bool,
    /// Look for shapes alone, and open no vault
    #[arg(long, conflicts_with = "known_from")]
    no_vault: bool,
    /// Look for these values of the vault, and all that were ever handed out: a key, key#field, a
    /// pattern over keys, a reference; repeat for several [default: **]
    #[arg(long, value_name = "SELECTOR", add = Takes::Part)]
    known_from: Vec<String>,
    /// Write SARIF 2.1.0, as code hosts and editors read it
    #[arg(long, conflicts_with = "json")]
    sarif: bool,
    /// Files and folders [default: the current folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// What a text is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Staged,
    History,
    /// Of whoever keeps the log.
    Session(&'static str),
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Staged => "staged",
            Self::History => "history",
            Self::Session(_) => "session",
        }
    }
}

/// A scan under way.
struct Scanner<'a> {
    search: Search,
    report: Report,
    progress: Option<Progress>,
    context: &'a Context,
}

impl Scanner<'_> {
    /// Searches a text.
    fn text(&mut self, origin: Origin, source: &mut dyn Source) -> Result<(), Failure> {
        let looked = self.search.look(source)?;
        self.report.add(origin, looked);
        let context = self.context;
        // Of a single text there is nothing to count.
        if self.report.texts > 1 {
            let progress = self
                .progress
                .get_or_insert_with(|| Progress::new(&context.out, "texts searched"));
            progress.at(self.report.texts);
        }
        Ok(())
    }

    fn skip(&mut self, origin: Origin, skip: Skip) {
        self.report.skip(origin, skip);
    }
}

impl Scan {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let search = Search::new(self.known(context)?, random(&*context.effects.rng));
        let mut scanner = Scanner {
            search,
            report: Report::default(),
            // Only once there is something to show: a passphrase may be asked for before.
            progress: None,
            context,
        };
        self.all(&mut scanner)?;
        let Scanner {
            search,
            report,
            progress,
            ..
        } = scanner;
        // Gone before the table is there: both may be on one terminal.
        drop(progress);
        if let Some(known) = search.into_known() {
            known.finish(context)?;
        }
        report.print(context, self.sarif)?;
        report.tell(context);
        Ok(match (report.is_empty(), report.unread) {
            (false, _) => FOUND,
            (true, 0) => 0,
            (true, _) => FAILED,
        })
    }

    /// The values to look for; `None` where shapes alone are.
    fn known(&self, context: &Context) -> Result<Option<Looking>, Failure> {
        if self.no_vault {
            return Ok(None);
        }
        // Whoever chooses the text would learn which guess is a value.
        context.demand_person()?;
        if self.known_from.is_empty() && !context.has_vault()? {
            context
                .out
                .notice("there is no vault: what looks like a credential is searched for alone");
            return Ok(None);
        }
        let mut selectors = self.known_from.clone();
        if selectors.is_empty() {
            selectors.push("**".to_owned());
        }
        let options = MaskOptions {
            purpose: Purpose::Scan,
            selectors,
            fold: true,
        };
        let looking = Looking::begin(context, &options);
        looking.map(Some).map_err(|failure| match &*failure.code {
            "locked" | "no_proof" => failure.remedy(
                "subrosa unlock; or look for what looks like a credential alone: subrosa scan --no-vault",
            ),
            _ => failure,
        })
    }

    fn all(&self, scanner: &mut Scanner<'_>) -> Result<(), Failure> {
        let context = scanner.context;
        let here = [PathBuf::from(".")];
        let paths = match self.paths.is_empty() {
            true => &here[..],
            false => &self.paths,
        };
        if paths.iter().any(|path| path.as_os_str() == "-") {
            return Err(Failure::usage(
                "`scan` reads no standard input, since it says where in a file something stands",
            )
            .remedy(
                "Mask what comes through a pipe: … | subrosa redact --known-from '**'; a file of this \
                 name: subrosa scan ./-",
            ));
        }
        if self.sessions {
            sessions::scan(scanner, context)?;
        }
        if self.staged || self.history.is_some() {
            let [folder] = paths else {
                return Err(Failure::usage(
                    "--staged and --history take one folder, that of a repository",
                )
                .remedy("Search one repository at a time: subrosa scan --history FOLDER"));
            };
            let git = git::Git::at(context, Path::new(folder))?;
            if self.staged {
                git::staged(scanner, &git)?;
            }
            if let Some(range) = &self.history {
                git::history(scanner, &git, range.as_deref())?;
            }
        } else if !self.sessions {
            files::scan(scanner, paths, self.no_ignore)?;
        }
        Ok(())
    }
}
