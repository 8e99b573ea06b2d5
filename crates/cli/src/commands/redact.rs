//! `redact`: a filter that masks values.

mod jsonl;

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use subrosa_crypto::SecretBuf;
use subrosa_engine::{Looked, MaskOptions, Purpose};
use subrosa_redact::{Known, RedactingWriter};

use crate::complete::Takes;
use crate::context::Context;
use crate::descriptor;
use crate::failure::Failure;
use crate::looking;
use crate::text::{plain, shell_word};

/// All values together, in bytes.
const KNOWN_MAX: usize = 16 * 1024 * 1024;
const BLOCK: usize = 64 * 1024;

/// Mask values in what passes through
///
/// Reads files, or standard input, and writes them with every known value masked, in each form in
/// which programs write values: base64, hexadecimal, URL and JSON escapes, shell quotes, and many
/// more. The values are those of the vault, with --known-from, or come on a descriptor, which needs
/// no vault. Values that are too short or too common to be told from ordinary text are not searched
/// for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  make 2>&1 | subrosa redact --known-from '**'
  subrosa redact --known-from 'db/**' --known-from api/key build.log >masked.log
  make 2>&1 | subrosa redact --known-fd 3 3<values.txt
  subrosa redact --known-fd 3 build.log 3<values.txt >masked.log
  subrosa redact --shapes deploy.log
  subrosa redact --jsonl <cases.jsonl

With --jsonl each line in is an object, and each line out the answer to one:
  {\"id\", \"secrets_b64\": […], \"keys\": […], \"input_b64\", \"chunks\": [offset, …] or null}
  {\"id\", \"output_b64\", \"findings\": [{\"start\", \"end\", \"form\", \"key\"}]}
  {\"id\", \"error\"} where the line makes no sense")]
pub(crate) struct Redact {
    /// Mask these values of the vault, and all that were ever handed out: a key, key#field, a
    /// pattern over keys, a reference; repeat for several
    #[arg(long, value_name = "SELECTOR", conflicts_with = "known_fd", add = Takes::Part)]
    known_from: Vec<String>,
    /// Read the values from this file descriptor: UTF-8, one a line
    #[arg(long, value_name = "N", value_parser = descriptor::number)]
    known_fd: Option<u32>,
    /// Answer JSON objects, one a line, each with its own values and text
    #[arg(long, conflicts_with_all = ["known_fd", "known_from", "files"])]
    jsonl: bool,
    /// Mask what has the shape of a credential as well: keys and tokens of providers, by more than
    /// 300 rules
    #[arg(long)]
    shapes: bool,
    /// Mask SHA-256 and MD5 of the values of --known-fd as well, in hexadecimal and base64
    #[arg(long)]
    hashes: bool,
    /// Leave out the folded view: values with something inside them are not found, and it takes
    /// half the time
    #[arg(long)]
    no_fold: bool,
    /// With --known-fd, search without vector instructions, as on a processor that has none: what
    /// is masked is the same
    #[arg(long, requires = "known_fd")]
    scalar: bool,
    /// What to read, one after the other; `-` is standard input [default: -]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Redact {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        self.check(context)?;
        if self.jsonl {
            return jsonl::answer(context, self.no_fold, self.shapes);
        }
        let masked = match self.known_from.is_empty() {
            true => self.mask_listed(context)?,
            false => self.mask_known(context)?,
        };
        let masked = usize::try_from(masked).unwrap_or(usize::MAX);
        context
            .out
            .done(&format!("{} masked", crate::text::count(masked, "value")));
        Ok(())
    }

    /// Refuses what makes no sense together, and files that cannot be read, before anything of them
    /// is written.
    fn check(&self, context: &Context) -> Result<(), Failure> {
        if !self.jsonl && self.known_from.is_empty() && self.known_fd.is_none() && !self.shapes {
            return Err(Failure::usage("nothing says what is to be masked").remedy(
                "One of: --known-from '**', the values of the vault; --shapes, what looks like a \
                 credential; --known-fd 3 3<FILE, the values in a file",
            ));
        }
        if self.hashes && self.known_fd.is_none() {
            return Err(Failure::usage("--hashes goes with --known-fd alone")
                .remedy("subrosa redact --known-fd 3 --hashes FILE 3<VALUES"));
        }
        if context.out.json && !self.jsonl {
            return Err(
                Failure::usage("`redact` writes the text itself, which is no JSON").remedy(
                    "Leave --json out; for what was found, and where: subrosa redact --jsonl; in files: \
                     subrosa scan --json",
                ),
            );
        }
        self.files.iter().try_for_each(|path| readable(path))
    }

    /// Whether standard input is the text, or a part of it.
    fn reads_stdin(&self) -> bool {
        self.files.is_empty() || self.files.iter().any(|path| is_stdin(path))
    }

    /// Masks values of the vault.
    fn mask_known(&self, context: &Context) -> Result<u64, Failure> {
        // Whoever chooses the text would learn which guess is a value.
        context.demand_person()?;
        if self.reads_stdin() {
            context.claim_stdin("redact")?;
        }
        let options = MaskOptions {
            purpose: Purpose::Redact,
            selectors: self.known_from.clone(),
            fold: !self.no_fold,
        };
        let out = context.out.data()?;
        looking::mask(
            context,
            &options,
            self.shapes,
            &mut |take| self.each(take),
            out,
        )
    }

    /// Masks values that come on a descriptor.
    fn mask_listed(&self, context: &Context) -> Result<u64, Failure> {
        let mut known = Known::new();
        let mut unsearched = 0;
        if let Some(number) = self.known_fd {
            if number == 0 && self.reads_stdin() {
                return Err(Failure::usage(
                    "--known-fd 0 and the text are both standard input, and it can be read only once",
                )
                .remedy("Hand the values over on another descriptor: --known-fd 3 3<VALUES"));
            }
            let values = descriptor::read_values(number, KNOWN_MAX)?;
            unsearched = add_lines(&mut known, &values)?;
            if known.is_empty() && unsearched == 0 {
                context
                    .out
                    .warn("the list holds no values: none is looked for");
            }
        }
        if unsearched > 0 {
            let what = crate::text::count(unsearched, "value");
            context.out.warn(&format!(
                "{what} too short or too common to be told from ordinary text: not masked"
            ));
        }
        if self.no_fold {
            known = known.without_fold();
        }
        if self.hashes {
            known = known.with_hashes();
        }
        if self.scalar {
            known = known.scalar();
        }
        let out = context.out.data()?;
        let mut redactor = known.build().redactor().listing(0);
        if self.shapes {
            redactor = redactor.with_shapes();
        }
        let mut writer = RedactingWriter::new(out, redactor);
        self.each(&mut |piece| {
            let written = writer.write_all(piece);
            written.map_err(Failure::io("standard output"))
        })?;
        let (_, redactor) = writer.finish().map_err(Failure::io("standard output"))?;
        let looked = Looked {
            found: redactor.counts().total(),
            unopened: redactor.unopened(),
        };
        if let Some(warning) = looked.warning() {
            context.out.warn(&warning);
        }
        Ok(looked.found)
    }

    /// Gives the text to `take`, piece by piece: files one after the other, or standard input.
    fn each(&self, take: &mut dyn FnMut(&[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
        if self.files.is_empty() {
            return copy(&mut std::io::stdin().lock(), "standard input", take);
        }
        for path in &self.files {
            if is_stdin(path) {
                copy(&mut std::io::stdin().lock(), "standard input", take)?;
                continue;
            }
            let name = path.display().to_string();
            let mut file = File::open(path).map_err(Failure::io(name.clone()))?;
            copy(&mut file, &name, take)?;
        }
        Ok(())
    }
}

/// Whether a name means standard input; a file of that name is `./-`.
fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Refuses what cannot be read as a file.
fn readable(path: &Path) -> Result<(), Failure> {
    if is_stdin(path) {
        return Ok(());
    }
    let shown = plain(&path.to_string_lossy()).into_owned();
    match path.metadata() {
        Ok(about) if about.is_dir() => Err(Failure::new(
            "io",
            format!("{shown} is a folder, and `redact` takes files"),
        )
        .remedy(format!(
            "Name files in it; or find what stands there: subrosa scan {}",
            shell_word(&shown)
        ))),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Failure::new(
            "io",
            format!("{shown}: there is no such file"),
        )
        .remedy("Check the path: ls; or hand the text over: … | subrosa redact …")),
        Err(error) => Err(Failure::io(shown)(error)),
        Ok(_) => Ok(()),
    }
}

/// Adds a value for each line; returns how many are not searched for.
fn add_lines(known: &mut Known, values: &SecretBuf) -> Result<usize, Failure> {
    let mut unsearched = 0;
    for (line, number) in values.as_slice().split(|byte| *byte == b'\n').zip(1..) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if std::str::from_utf8(line).is_err() {
            let text = format!("line {number} of the values is not UTF-8");
            return Err(Failure::usage(text).remedy("Write the values as UTF-8, one a line."));
        }
        if !line.is_empty() && !known.add(None, line).is_searched() {
            unsearched += 1;
        }
    }
    Ok(unsearched)
}

fn copy(
    from: &mut dyn Read,
    name: &str,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut block = vec![0; BLOCK];
    loop {
        match from.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(count) => take(&block[..count])?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::io(name)(error)),
        }
    }
}
