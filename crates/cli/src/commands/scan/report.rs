//! What was found, and how it is told: never what stands there.

use std::collections::BTreeMap;
use std::io;

use serde_json::{Value, json};
use subrosa_engine::unopened;
use subrosa_redact::Form;
use subrosa_redact::shapes::{Rule, Shapes};

use super::Kind;
use super::ignored::Refused;
use super::text::{BINARY_MAX, Found, Looked};
use crate::context::Context;
use crate::failure::Failure;
use crate::table::Table;
use crate::text::{count, plain, shell_word, some_of};

/// Most findings that are told; the rest is counted.
const FINDINGS_MAX: usize = 100_000;
/// Most texts that were left out and are told.
const SKIPPED_MAX: usize = 10_000;
/// How many of those a person is told.
const SKIPPED_SHOWN: usize = 10;

/// Where a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// As the system or git has it: any bytes.
    pub(super) path: Vec<u8>,
    /// The commit that brought it.
    pub(super) commit: Option<String>,
    pub(super) kind: Kind,
}

impl Origin {
    /// The path for people: whatever is no text is replaced, and control characters written out.
    fn shown(&self) -> String {
        let path = String::from_utf8_lossy(&self.path);
        let path = plain(&path);
        match &self.commit {
            Some(commit) => format!("{}:{path}", commit.get(..12).unwrap_or(commit)),
            None => path.into_owned(),
        }
    }

    /// Whose log it is, behind its place.
    fn of(&self) -> String {
        match self.kind {
            Kind::Session(who) => format!(" ({who})"),
            _ => String::new(),
        }
    }
}

/// What was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// The shape of a credential: the rule by its index.
    Shape(usize),
    /// The same in packed data, which begins there.
    Packed(usize),
    /// A value of the vault, and the shape that it has.
    Known {
        key: Option<String>,
        form: String,
        rule: Option<usize>,
    },
}

impl What {
    pub(super) fn rule(&self) -> Option<&'static Rule> {
        let rule = match self {
            Self::Shape(rule) | Self::Packed(rule) => Some(*rule),
            Self::Known { rule, .. } => *rule,
        };
        rule.and_then(|rule| Shapes::builtin().rules().get(rule))
    }

    /// The page where it is replaced, where there is one.
    pub(super) fn rotate(&self) -> Option<&'static str> {
        self.rule()
            .map(|rule| &*rule.rotate)
            .filter(|page| !is_advice(page))
    }

    /// The rule's or the secret's name.
    fn name(&self) -> &str {
        match self {
            Self::Known { key: Some(key), .. } => key,
            Self::Known { key: None, .. } => "a value of the vault",
            Self::Shape(_) | Self::Packed(_) => self.rule().map_or("", |rule| &rule.id),
        }
    }

    /// Said behind the place, where that is the beginning of something packed.
    fn within(&self) -> &'static str {
        match self {
            Self::Packed(_) => " (packed)",
            Self::Known { form, .. } if form == Form::Packed.name() => " (packed)",
            _ => "",
        }
    }

    /// What to type next.
    pub(super) fn next(&self) -> Option<String> {
        match self {
            Self::Known { key: Some(key), .. } => Some(format!("subrosa set {}", shell_word(key))),
            _ => None,
        }
    }
}

/// Whether a page says how such credentials work, and is no place where one is replaced.
fn is_advice(page: &str) -> bool {
    const ADVICE: [&str; 2] = [
        "https://www.rfc-editor.org/",
        "https://cheatsheetseries.owasp.org/",
    ];
    ADVICE.iter().any(|site| page.starts_with(site))
}

/// Why a text was not searched, or not all of it.
#[derive(Debug)]
pub(super) enum Skip {
    /// A pipe, a device, a socket.
    NoFile,
    /// There is nothing of this name.
    Missing,
    /// It could not be read.
    Unread(io::Error),
    /// What is no text is searched so far and no further.
    Cut,
    /// The clone has not all of the history.
    Shallow,
    /// A list of what is to be left out, which is not followed: more is searched.
    Ignored(Refused),
    /// So many pieces of compressed data in it were not looked into.
    Unopened(u64),
    /// What is packed in it was not searched: what kind of archive it is.
    Packed(&'static str),
}

impl Skip {
    pub(super) fn reason(&self) -> String {
        match self {
            Self::NoFile => "no regular file: not searched".to_owned(),
            Self::Missing => "there is no such file or folder; see what there is: ls".to_owned(),
            Self::Unread(error) => format!("cannot be read: {error}"),
            Self::Cut => format!(
                "holds bytes that are no text: only its first {} MiB are searched",
                BINARY_MAX >> 20
            ),
            Self::Shallow => "the history is cut off, since the clone is shallow; fetch the rest: \
                              git fetch --unshallow"
                .to_owned(),
            Self::Ignored(why) => {
                let why = match why {
                    Refused::NoFile => "it is no regular file".to_owned(),
                    Refused::TooLong => "it is too long for such a list".to_owned(),
                    Refused::Unread(kind) => format!("it cannot be read: {kind}"),
                };
                format!("nothing is left out by this list: {why}")
            }
            Self::Unopened(number) => format!(
                "{}; unpack it, and search what comes out: subrosa scan FOLDER",
                unopened(*number)
            ),
            Self::Packed(kind) => format!("{kind}: what is packed in it is not searched"),
        }
    }

    /// Whether something may stand in what was not searched, so that nothing found says nothing.
    pub(super) const fn is_unread(&self) -> bool {
        matches!(
            self,
            Self::Missing | Self::Unread(_) | Self::Shallow | Self::Unopened(_)
        )
    }
}

/// All that was found.
#[derive(Default)]
pub(super) struct Report {
    pub(super) findings: Vec<(Origin, Found)>,
    /// How many more there are.
    pub(super) more: u64,
    pub(super) skipped: Vec<(Origin, Skip)>,
    skipped_more: usize,
    pub(super) texts: u64,
    bytes: u64,
    /// Texts that could not be read.
    pub(super) unread: u64,
    /// Archives that were not looked into.
    packed: u64,
}

impl Report {
    pub(super) fn add(&mut self, origin: Origin, looked: Looked) {
        self.texts += 1;
        self.bytes += looked.bytes;
        self.more += looked.more;
        if let Some(error) = looked.failed {
            self.skip(origin.clone(), Skip::Unread(error));
        }
        if looked.unopened > 0 {
            self.skip(origin.clone(), Skip::Unopened(looked.unopened));
        }
        if looked.cut {
            self.skip(origin.clone(), Skip::Cut);
        }
        if let Some(kind) = looked.packed {
            self.skip(origin.clone(), Skip::Packed(kind));
        }
        for found in looked.found {
            match self.findings.len() < FINDINGS_MAX {
                true => self.findings.push((origin.clone(), found)),
                false => self.more += 1,
            }
        }
    }

    pub(super) fn skip(&mut self, origin: Origin, skip: Skip) {
        self.unread += u64::from(skip.is_unread());
        self.packed += u64::from(matches!(skip, Skip::Packed(_)));
        match self.skipped.len() < SKIPPED_MAX {
            true => self.skipped.push((origin, skip)),
            false => self.skipped_more += 1,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.more == 0
    }

    /// Says on standard error what was left out, and how much was searched.
    pub(super) fn tell(&self, context: &Context) {
        let is_packed = |(_, skip): &&(Origin, Skip)| matches!(skip, Skip::Packed(_));
        let (packed, other): (Vec<_>, Vec<_>) = self.skipped.iter().partition(is_packed);
        // What makes the result worth less comes first.
        let (unread, other): (Vec<_>, Vec<_>) =
            other.into_iter().partition(|(_, skip)| skip.is_unread());
        let left = (unread.len() + other.len()).saturating_sub(SKIPPED_SHOWN) + self.skipped_more;
        for (origin, skip) in unread.into_iter().chain(other).take(SKIPPED_SHOWN) {
            let text = format!("{}: {}", origin.shown(), skip.reason());
            match skip.is_unread() {
                true => context.out.warn(&text),
                false => context.out.notice(&text),
            }
        }
        if left > 0 {
            context
                .out
                .warn(&format!("and {left} more; --json names them"));
        }
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        if self.packed > 0 {
            let shown: Vec<String> = packed.iter().map(|(origin, _)| origin.shown()).collect();
            context.out.notice(&format!(
                "not looked into, for their kind of compression: {}: {}",
                count(number(self.packed), "archive"),
                some_of(&shown)
            ));
        }
        let found = self.findings.len() + number(self.more);
        context.out.done(&format!(
            "{} in {}",
            count(found, "finding"),
            count(number(self.texts), "text")
        ));
    }

    /// The list for a person.
    pub(super) fn table(&self) -> String {
        if self.findings.is_empty() {
            return String::new();
        }
        let mut table = Table::new(&["WHERE", "WHAT", "FINGERPRINT"]);
        let mut todo: BTreeMap<&str, &What> = BTreeMap::new();
        for (origin, found) in &self.findings {
            let place = match found.line {
                0 => format!("{}: byte {}", origin.shown(), found.offset),
                line => format!("{}:{line}:{}", origin.shown(), found.column),
            };
            let place = place + &origin.of() + found.what.within();
            let name = found.what.name();
            table.row(&[place.as_str(), &plain(name), &found.fingerprint]);
            let known = todo.entry(name).or_insert(&found.what);
            if known.rule().is_none() {
                *known = &found.what;
            }
        }
        let mut next = Table::new(&["WHAT", "DO", "AT"]);
        for (name, what) in todo {
            let page = what.rotate().unwrap_or_default();
            let step = match what.next() {
                Some(next) => format!("replace it where it is from, then: {next}"),
                None => what.rule().map_or_else(String::new, |rule| match page {
                    "" => format!("replace {} where it is from", rule.name),
                    _ => format!("replace {}", rule.name),
                }),
            };
            next.row(&[plain(name).as_ref(), &plain(&step), page]);
        }
        let mut text = format!("{}\n{}", table.render(), next.render());
        if self.more > 0 {
            text.push_str(&format!("\nand {} more that are not listed\n", self.more));
        }
        text
    }

    /// The document for a program.
    pub(super) fn document(&self) -> Value {
        let findings: Vec<Value> = self.findings.iter().map(finding).collect();
        let skipped: Vec<Value> = self
            .skipped
            .iter()
            .map(|(origin, skip)| {
                let mut one = place(origin);
                one["reason"] = skip.reason().into();
                one
            })
            .collect();
        json!({
            "findings": findings,
            "more": self.more,
            "skipped": skipped,
            "complete": self.unread == 0,
            "packed": self.packed,
            "texts": self.texts,
            "bytes": self.bytes,
        })
    }
}

fn place(origin: &Origin) -> Value {
    let mut place = json!({
        "in": origin.kind.name(),
        "path": String::from_utf8_lossy(&origin.path),
    });
    if std::str::from_utf8(&origin.path).is_err() {
        let digits: String = origin
            .path
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        place["path_bytes"] = digits.into();
    }
    if let Kind::Session(who) = origin.kind {
        place["of"] = who.into();
    }
    if let Some(commit) = &origin.commit {
        place["commit"] = commit.as_str().into();
    }
    place
}

fn finding((origin, found): &(Origin, Found)) -> Value {
    let mut one = place(origin);
    one["offset"] = found.offset.into();
    if found.line > 0 {
        one["line"] = found.line.into();
        one["column"] = found.column.into();
    }
    one["fingerprint"] = found.fingerprint.as_str().into();
    match &found.what {
        What::Known { key, form, .. } => {
            one["form"] = form.as_str().into();
            if let Some(key) = key {
                one["key"] = key.as_str().into();
            }
        }
        What::Packed(_) => one["form"] = Form::Packed.name().into(),
        What::Shape(_) => {}
    }
    if let Some(rule) = found.what.rule() {
        one["rule"] = rule.id.as_str().into();
        one["provider"] = rule.provider.as_str().into();
    }
    if let Some(page) = found.what.rotate() {
        one["rotate"] = page.into();
    }
    if let Some(next) = found.what.next() {
        one["next"] = next.into();
    }
    one
}

impl Report {
    /// Prints it as it was asked for.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(super) fn print(&self, context: &Context, sarif: bool) -> Result<(), Failure> {
        if sarif {
            return context.out.document(&super::sarif::log(self));
        }
        match context.out.json {
            true => context.out.document(&self.document()),
            false => context.out.print(&self.table()),
        }
    }
}
