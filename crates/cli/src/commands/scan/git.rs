//! What git keeps: staged changes, and every blob of the history.
//!
//! The program `git` itself is asked: it reads whatever it has written, with every kind of hash,
//! reference store and pack, and a repository is as hostile as whoever made it. So it is started
//! with nothing of our environment but where the user's own settings are, with fixed arguments, and
//! with everything turned off by which a repository's settings start a program or ask another host.
#![allow(
    clippy::disallowed_methods,
    reason = "git is asked for what is staged and for the history"
)]

mod advice;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use self::advice::{is_folder, of_no_commits, of_no_repository};
use super::files::Stored;
use super::report::{Origin, Skip};
use super::text::Source;
use super::{Kind, Scanner};
use crate::context::Context;
use crate::failure::Failure;
use crate::text::plain;

/// Longest name of an object, path or line that git may give.
const TOKEN_MAX: u64 = 1024 * 1024;
/// Longest list of the commits at which a history is cut off.
const SHALLOW_MAX: u64 = 16 * 1024 * 1024;
/// How much of what git complains is taken.
const COMPLAINT_MAX: u64 = 16 * 1024;

/// Options before the command: nothing starts, asks, or shows what is not there.
const FIXED: &[&str] = &[
    "--no-pager",
    "--no-optional-locks",
    "--no-replace-objects",
    "--literal-pathspecs",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.attributesFile=/dev/null",
    "-c",
    "core.alternateRefsCommand=false",
    // What a commit says of its parents counts, and not what a file beside it says of them.
    "-c",
    "core.commitGraph=false",
    "-c",
    "protocol.allow=never",
    "-c",
    "submodule.recurse=false",
];
const RAW: &[&str] = &[
    "-r",
    "--raw",
    "-z",
    "--no-abbrev",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--ignore-submodules=all",
];

/// git in one repository.
pub(super) struct Git {
    program: PathBuf,
    folder: PathBuf,
    /// Where the repository itself is, once that is known.
    repository: Option<PathBuf>,
    settings: Vec<(OsString, OsString)>,
}

impl Git {
    /// Finds git and the repository that the folder is in.
    pub(super) fn at(context: &Context, folder: &Path) -> Result<Self, Failure> {
        is_folder(folder)?;
        let variables = context.variables();
        let set = |name: &str| {
            let found = variables.iter().find(|(variable, _)| variable == name);
            found.map(|(_, value)| value.clone())
        };
        let path = set("PATH").unwrap_or_default();
        let program = find(&path).ok_or_else(|| {
            Failure::new("git", "git is not installed, or not in PATH")
                .remedy("Install it: sudo apt-get install git")
        })?;
        // Where the user's settings are: `safe.directory` among them, without which git reads no
        // repository of somebody else's.
        let mut settings: Vec<(OsString, OsString)> = ["HOME", "XDG_CONFIG_HOME"]
            .iter()
            .filter_map(|name| Some((OsString::from(name), set(name)?)))
            .collect();
        settings.push(("PATH".into(), path));
        // The index that is about to be committed, where git has started us as a hook.
        if let Some(index) = set("GIT_INDEX_FILE") {
            let index = context.directory()?.join(index);
            settings.push(("GIT_INDEX_FILE".into(), index.into_os_string()));
        }
        let mut git = Self {
            program,
            folder: folder.to_owned(),
            repository: None,
            settings,
        };
        // What is found here is asked from now on: where its files are is for the repository's own
        // settings to say, and they may name another one.
        let found = git.text(&["rev-parse", "--absolute-git-dir"]);
        let found = found.map_err(|failure| of_no_repository(failure, folder))?;
        git.repository = Some(PathBuf::from(OsString::from_vec(found)));
        Ok(git)
    }

    /// The commits at which the history is cut off; `None` where it is whole.
    fn cut_at(&self) -> Result<Option<Cut>, Failure> {
        if self.text(&["rev-parse", "--is-shallow-repository"])? != b"true" {
            return Ok(None);
        }
        let path = self.text(&["rev-parse", "--git-path", "shallow"])?;
        let path = self.folder.join(OsStr::from_bytes(&path));
        let mut list = String::new();
        // A list that cannot be read says of no commit that nothing is missing before it.
        let read = Stored::open(&path, true).and_then(|stored| {
            let mut stored = stored.ok_or(io::ErrorKind::InvalidInput)?;
            let all = stored.open()?;
            all.take(SHALLOW_MAX + 1).read_to_string(&mut list)
        });
        Ok(Some(match read {
            Ok(length) if length as u64 <= SHALLOW_MAX => {
                Cut::At(list.lines().map(packed).collect())
            }
            _ => Cut::Anywhere,
        }))
    }

    /// Asks for all stashes: the reference is the newest one alone, and its log has the others.
    fn stashes(&self) -> Result<Option<Asked>, Failure> {
        const STASH: &str = "refs/stash";
        if self.text(&["for-each-ref", "--format=%(refname)", STASH])? != STASH.as_bytes() {
            return Ok(None);
        }
        let words = ["rev-list", "--walk-reflogs", STASH, "--"];
        Asked::start(self.command(&words)).map(Some)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .envs(self.settings.iter().cloned())
            .env("LC_ALL", "C")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            // Parents are what a commit says, not what a file of the repository says of it.
            .env("GIT_GRAFT_FILE", "/dev/null")
            // Objects that are missing are not fetched, by whatever the repository says would.
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_ALLOW_PROTOCOL", "none")
            .env("GIT_PROTOCOL_FROM_USER", "0")
            .current_dir(&self.folder)
            .args(FIXED);
        if let Some(repository) = &self.repository {
            command
                .arg("--work-tree=.")
                .arg("--git-dir")
                .arg(repository);
        }
        command
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// One short answer, without its newline.
    fn text(&self, words: &[&str]) -> Result<Vec<u8>, Failure> {
        let mut asked = Asked::start(self.command(words))?;
        let mut text = Vec::new();
        let mut out = asked.out()?.take(TOKEN_MAX);
        out.read_to_end(&mut text).map_err(Failure::io("git"))?;
        asked.end()?;
        if text.last() == Some(&b'\n') {
            text.pop();
        }
        Ok(text)
    }
}

/// Where a history ends that goes on elsewhere.
enum Cut {
    /// Before these commits, by their packed names.
    At(HashSet<Box<[u8]>>),
    Anywhere,
}

/// The first file named git in a folder that is named from the root: what a repository brings is
/// not started for it.
fn find(path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("git"))
        .find(|file| {
            let about = file.metadata();
            about.is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
        })
}

/// A git that runs. It is ended with this.
struct Asked {
    child: Child,
    complaint: Option<std::thread::JoinHandle<Vec<u8>>>,
}

impl Asked {
    fn start(mut command: Command) -> Result<Self, Failure> {
        let mut child = command
            .spawn()
            .map_err(Failure::io("git cannot be started"))?;
        // Read beside its output, so that a long complaint holds nothing up.
        let complaint = child.stderr.take().map(|mut from| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                let _ = (&mut from).take(COMPLAINT_MAX).read_to_end(&mut text);
                let _ = io::copy(&mut from, &mut io::sink());
                text
            })
        });
        Ok(Self { child, complaint })
    }

    fn out(&mut self) -> Result<ChildStdout, Failure> {
        let out = self.child.stdout.take();
        out.ok_or_else(|| Failure::new("git", "git has no output"))
    }

    /// Waits for its end, which must be a good one.
    fn end(mut self) -> Result<(), Failure> {
        let status = self.child.wait().map_err(Failure::io("git"))?;
        let complaint = self.complaint.take().map(std::thread::JoinHandle::join);
        if status.success() {
            return Ok(());
        }
        let complaint = complaint.and_then(Result::ok).unwrap_or_default();
        let said = String::from_utf8_lossy(&complaint);
        let said = said.lines().next().unwrap_or("it says nothing");
        let said: String = said.chars().take(300).collect();
        Err(Failure::new("git", format!("git failed: {}", plain(&said))))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Searches the blobs of what is staged.
pub(super) fn staged(scanner: &mut Scanner<'_>, git: &Git) -> Result<(), Failure> {
    let head = git.text(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
    let words: Vec<&str> = match head {
        Ok(_) => [&["diff-index", "--cached"], RAW, &["HEAD", "--"]].concat(),
        // Before the first commit all of the index is new.
        Err(_) => vec!["ls-files", "--stage", "-z", "--full-name"],
    };
    let mut asked = Asked::start(git.command(&words))?;
    let mut tokens = Tokens::of(asked.out()?);
    let mut blobs = Blobs::start(git)?;
    while let Some(token) = tokens.next()? {
        let entry = match token.strip_prefix(b":") {
            Some(raw) => Entry::raw(raw, tokens.next()?),
            None => Entry::listed(&token),
        };
        let Some(entry) = entry? else { continue };
        blobs.scan(scanner, entry, None, Kind::Staged)?;
    }
    asked.end()?;
    blobs.end()
}

/// Searches every blob that a commit brought, the oldest commit first.
pub(super) fn history(
    scanner: &mut Scanner<'_>,
    git: &Git,
    range: Option<&str>,
) -> Result<(), Failure> {
    let mut words = vec!["rev-list", "--topo-order", "--reverse"];
    match range {
        None => words.extend(["--all", "--stdin"]),
        Some(range) => {
            words.push("--end-of-options");
            let before = words.len();
            words.extend(range.split_whitespace());
            if words[before..].iter().any(|word| word.starts_with('-')) || words.len() == before {
                let text = format!("{:?} names no commits", plain(range));
                return Err(Failure::usage(text).remedy(
                    "One name or range, as in: subrosa scan --history=main..HEAD; all: subrosa scan --history",
                ));
            }
        }
    }
    words.push("--");
    let cut = git.cut_at()?;
    // Of a range only what lies in it is asked for.
    let mut is_cut = match (&cut, range) {
        (None, _) => false,
        (Some(Cut::Anywhere), _) | (Some(_), None) => true,
        (Some(Cut::At(_)), Some(_)) => false,
    };
    let mut stashes = match range {
        None => git.stashes()?,
        Some(_) => None,
    };
    let mut command = git.command(&words);
    if let Some(stashes) = &mut stashes {
        command.stdin(Stdio::from(stashes.out()?));
    }
    let mut commits = Asked::start(command)?;
    let mut command = git.command(&[&["diff-tree", "--stdin", "--root", "-m"], RAW].concat());
    command.stdin(Stdio::from(commits.out()?));
    let mut changes = Asked::start(command)?;
    let mut tokens = Tokens::of(changes.out()?);
    let mut blobs = Blobs::start(git)?;
    let mut commit = String::new();
    while let Some(token) = tokens.next()? {
        let Some(raw) = token.strip_prefix(b":") else {
            commit = String::from_utf8_lossy(&token).into_owned();
            if let Some(Cut::At(ends)) = &cut {
                is_cut |= ends.contains(&packed(&commit));
            }
            continue;
        };
        let Some(entry) = Entry::raw(raw, tokens.next()?)? else {
            continue;
        };
        blobs.scan(scanner, entry, Some(&commit), Kind::History)?;
    }
    commits
        .end()
        .map_err(|failure| of_no_commits(failure, range))?;
    stashes.map_or(Ok(()), Asked::end)?;
    changes.end()?;
    blobs.end()?;
    if is_cut {
        let origin = Origin {
            path: git.folder.as_os_str().as_bytes().to_vec(),
            commit: None,
            kind: Kind::History,
        };
        scanner.skip(origin, Skip::Shallow);
    }
    Ok(())
}

fn strange() -> Failure {
    Failure::new("git", "git answers something that makes no sense")
}

/// What git gives, from one byte of zero to the next.
struct Tokens {
    from: BufReader<ChildStdout>,
}

impl Tokens {
    fn of(from: ChildStdout) -> Self {
        Self {
            from: BufReader::with_capacity(64 * 1024, from),
        }
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut token = Vec::new();
        let mut from = (&mut self.from).take(TOKEN_MAX);
        from.read_until(0, &mut token).map_err(Failure::io("git"))?;
        match token.pop() {
            None => Ok(None),
            Some(0) => Ok(Some(token)),
            Some(_) => Err(strange()),
        }
    }
}

/// A blob, and where it is.
struct Entry {
    id: String,
    path: Vec<u8>,
}

impl Entry {
    /// `oldmode newmode oldid newid status`, and the path behind it; `None` for what is no blob, or
    /// gone.
    fn raw(fields: &[u8], path: Option<Vec<u8>>) -> Result<Option<Self>, Failure> {
        let fields = std::str::from_utf8(fields).map_err(|_| strange())?;
        let mut fields = fields.split(' ');
        let (Some(mode), Some(id), Some(path)) = (fields.nth(1), fields.nth(1), path) else {
            return Err(strange());
        };
        Self::of(mode, id, path)
    }

    /// `mode id stage`, a tab, and the path.
    fn listed(line: &[u8]) -> Result<Option<Self>, Failure> {
        let tab = memchr::memchr(b'\t', line).ok_or_else(strange)?;
        let fields = std::str::from_utf8(&line[..tab]).map_err(|_| strange())?;
        let mut fields = fields.split(' ');
        let (Some(mode), Some(id)) = (fields.next(), fields.next()) else {
            return Err(strange());
        };
        Self::of(mode, id, line[tab + 1..].to_vec())
    }

    fn of(mode: &str, id: &str, path: Vec<u8>) -> Result<Option<Self>, Failure> {
        if id.len() < 40 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(strange());
        }
        // Files and symbolic links; a submodule's commit is in another repository.
        let is_blob = mode.starts_with("100") || mode == "120000";
        let is_there = id.bytes().any(|byte| byte != b'0');
        Ok((is_blob && is_there).then(|| Self {
            id: id.to_owned(),
            path,
        }))
    }
}

/// The contents of blobs, each searched once.
struct Blobs {
    asked: Asked,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    /// Of the blob that is being read.
    left: u64,
    seen: HashSet<Box<[u8]>>,
}

impl Blobs {
    fn start(git: &Git) -> Result<Self, Failure> {
        let mut command = git.command(&["cat-file", "--batch"]);
        command.stdin(Stdio::piped());
        let mut asked = Asked::start(command)?;
        let from = BufReader::with_capacity(64 * 1024, asked.out()?);
        Ok(Self {
            to: asked.child.stdin.take(),
            asked,
            from,
            left: 0,
            seen: HashSet::new(),
        })
    }

    fn scan(
        &mut self,
        scanner: &mut Scanner<'_>,
        entry: Entry,
        commit: Option<&str>,
        kind: Kind,
    ) -> Result<(), Failure> {
        let Entry { id, path } = entry;
        if !self.seen.insert(packed(&id)) {
            return Ok(());
        }
        let origin = Origin {
            path,
            commit: commit.map(str::to_owned),
            kind,
        };
        let mut blob = Blob { blobs: self, id };
        scanner.text(origin, &mut blob)
    }

    /// Asks for a blob and reads its first line; `None` when it is not there.
    fn ask(&mut self, id: &str) -> io::Result<Option<()>> {
        self.pass()?;
        let to = self.to.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        to.write_all(format!("{id}\n").as_bytes())?;
        let mut line = Vec::new();
        (&mut self.from)
            .take(TOKEN_MAX)
            .read_until(b'\n', &mut line)?;
        let line = String::from_utf8_lossy(&line);
        let mut words = line.trim_end().split(' ').skip(1);
        match (words.next(), words.next().map(str::parse::<u64>)) {
            (Some("missing"), None) => Ok(None),
            (Some(_), Some(Ok(size))) => {
                // A newline follows.
                self.left = size + 1;
                Ok(Some(()))
            }
            _ => Err(io::Error::other(
                "git answers something that makes no sense",
            )),
        }
    }

    /// Passes what is left of the last blob.
    fn pass(&mut self) -> io::Result<()> {
        while self.left > 0 {
            let have = self.from.fill_buf()?.len();
            if have == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let count = self.left.min(have as u64);
            self.from.consume(usize::try_from(count).unwrap_or(have));
            self.left -= count;
        }
        Ok(())
    }

    fn end(mut self) -> Result<(), Failure> {
        self.to = None;
        let rest = io::copy(&mut self.from, &mut io::sink());
        rest.map_err(Failure::io("git"))?;
        self.asked.end()
    }
}

/// An object's name in half the room.
fn packed(id: &str) -> Box<[u8]> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or(0);
    let pair = |pair: &[u8]| pair.iter().fold(0, |byte, half| byte << 4 | digit(half)) as u8;
    id.as_bytes().chunks(2).map(pair).collect()
}

/// A blob that can be asked for again.
struct Blob<'a> {
    blobs: &'a mut Blobs,
    id: String,
}

impl Source for Blob<'_> {
    fn open(&mut self) -> io::Result<Box<dyn Read + '_>> {
        match self.blobs.ask(&self.id)? {
            Some(()) => Ok(Box::new(BlobText(self.blobs))),
            None => Err(io::Error::other("the repository does not have its content")),
        }
    }
}

struct BlobText<'a>(&'a mut Blobs);

impl Read for BlobText<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // The newline behind it is none of its own.
        let left = usize::try_from(self.0.left.saturating_sub(1)).unwrap_or(usize::MAX);
        let room = out.len().min(left);
        let count = self.0.from.read(&mut out[..room])?;
        if count == 0 && room > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.0.left -= count as u64;
        Ok(count)
    }
}
