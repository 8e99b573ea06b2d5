//! What the parsers of other programs' files give: items, before their names are keys.

use std::fmt;

use subrosa_crypto::{MemoryError, SecretBuf};
use subrosa_model::Timestamp;

use super::likely;
use super::tree::{self, Fault};
use crate::EngineError;

/// All that was found in a file.
#[derive(Debug, Default)]
pub struct Found {
    /// Items in the order of the file.
    pub entries: Vec<Entry>,
    /// Documents, attachments and passkeys, which stay where they are.
    pub attachments: usize,
    /// Values that name something elsewhere, and are none.
    pub references: usize,
    /// Names of values that do not look like secrets, and were not asked for.
    pub plain: Vec<Vec<String>>,
}

/// One item.
#[derive(Debug, Default)]
pub struct Entry {
    /// Where it stands, for messages.
    pub place: Place,
    /// Vault or folders, outermost first, and its title last.
    pub path: Vec<String>,
    /// What it holds; nothing empty.
    pub fields: Vec<EntryField>,
    /// Words that hang on it.
    pub tags: Vec<String>,
    /// Where it is used.
    pub url: Option<String>,
    /// When it stops being good.
    pub expires: Option<Timestamp>,
    /// The variable that it is known by.
    pub variable: Option<String>,
}

/// One field of an item.
#[derive(Debug)]
pub struct EntryField {
    /// As the file has it.
    pub name: String,
    /// A word for what it is, or nothing.
    pub kind: &'static str,
    /// Whether it is a secret.
    pub sensitive: bool,
    /// Its value.
    pub value: SecretBuf,
}

/// Where in a file something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    /// In the file.
    #[default]
    Whole,
    /// On a line, from 1.
    Line(usize),
    /// In an item, from 1: files of one long line have no better place.
    Item(usize),
}

/// Why a file cannot be read. No part of it is in here.
#[derive(Debug)]
pub enum Wrong {
    /// Its content is wrong.
    Content {
        /// Where.
        place: Place,
        /// What is wrong.
        reason: String,
        /// What to type next.
        remedy: Option<String>,
    },
    /// There is too little locked memory for it.
    Memory(MemoryError),
    /// It could not be read.
    Io(std::io::Error),
}

impl Wrong {
    pub(crate) fn at(place: Place, reason: impl Into<String>) -> Self {
        Self::Content {
            place,
            reason: reason.into(),
            remedy: None,
        }
    }

    pub(crate) fn whole(reason: impl Into<String>) -> Self {
        Self::at(Place::Whole, reason)
    }

    /// A document that is no JSON, or not as it should be, with its line.
    pub(crate) fn json(document: &[u8], wrong: tree::Wrong) -> Self {
        let before = document.get(..wrong.at).unwrap_or(document);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = before
            .iter()
            .rev()
            .take_while(|byte| **byte != b'\n')
            .count()
            + 1;
        let reason = match wrong.why {
            Fault::Short => "the file ends too early".to_owned(),
            Fault::Syntax => format!("this is not JSON, from column {column} on"),
            why => format!("{} (column {column})", why.reason()),
        };
        Self::at(Place::Line(line), reason)
    }

    /// What a user is told; `what` is the file.
    pub(crate) fn into_error(self, what: &str) -> EngineError {
        match self {
            Self::Content {
                place: Place::Line(line),
                reason,
                remedy: None,
            } => EngineError::Import {
                what: what.to_owned(),
                line,
                reason,
            },
            Self::Content {
                place,
                reason,
                remedy,
            } => EngineError::ImportItem {
                what: what.to_owned(),
                reason: format!("{place}{reason}"),
                remedy,
            },
            Self::Memory(error) => error.into(),
            Self::Io(error) => EngineError::io(format!("{what} cannot be read"))(error),
        }
    }

    pub(crate) fn remedy(self, text: impl Into<String>) -> Self {
        match self {
            Self::Content { place, reason, .. } => Self::Content {
                place,
                reason,
                remedy: Some(text.into()),
            },
            other => other,
        }
    }
}

impl From<MemoryError> for Wrong {
    fn from(error: MemoryError) -> Self {
        Self::Memory(error)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Line(line) => write!(f, "line {line}: "),
            Self::Item(item) => write!(f, "item {item}: "),
        }
    }
}

impl Entry {
    /// A secret field; an empty one is none.
    pub(crate) fn secret(&mut self, name: impl Into<String>, kind: &'static str, value: SecretBuf) {
        self.put(name.into(), kind, true, value);
    }

    /// A field that may be shown; an empty one is none.
    pub(crate) fn open(&mut self, name: impl Into<String>, kind: &'static str, value: SecretBuf) {
        self.put(name.into(), kind, false, value);
    }

    fn put(&mut self, name: String, kind: &'static str, sensitive: bool, value: SecretBuf) {
        if !value.is_empty() {
            self.fields.push(EntryField {
                name,
                kind,
                sensitive,
                value,
            });
        }
    }

    /// An address of the item. What is shown of a secret holds the first one, if that can be no
    /// secret itself: without a user, a query, a fragment, and anything that looks like a token.
    /// Any other is a secret field.
    pub(crate) fn web(&mut self, value: SecretBuf) {
        if value.is_empty() {
            return;
        }
        let shown = std::str::from_utf8(value.as_slice())
            .ok()
            .filter(|url| self.url.is_none() && likely::is_plain_address(url))
            .map(str::to_owned);
        match shown {
            Some(url) => self.url = Some(url),
            None => self.secret("url", "url", value),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }
}
