//! Names: parsed once, valid from then on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::limits::{KEY_MAX, NAME_MAX, TAG_MAX};

/// Why a text is not a name of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing was given.
    #[error("a {kind} may not be empty")]
    Empty {
        /// The kind of name that was wanted.
        kind: &'static str,
    },
    /// Longer than the bound for its kind.
    #[error("a {kind} has at most {limit} bytes; this one has {length}")]
    TooLong {
        /// The kind of name that was wanted.
        kind: &'static str,
        /// The bound, in bytes.
        limit: usize,
        /// What was given, in bytes.
        length: usize,
    },
    /// A character outside the alphabet of its kind.
    #[error("{character:?} may not stand in a {kind}; allowed are {allowed}")]
    Character {
        /// The kind of name that was wanted.
        kind: &'static str,
        /// The first offending character.
        character: char,
        /// The alphabet in words.
        allowed: &'static str,
    },
    /// The right characters in an order that is not allowed.
    #[error("this is not a {kind}: {why}")]
    Form {
        /// The kind of name that was wanted.
        kind: &'static str,
        /// What is wrong, in words.
        why: &'static str,
    },
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $check:path),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps `text`.
            ///
            /// # Errors
            /// [`NameError`] says which rule the text breaks.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                $check(text.into()).map(Self)
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        // Not through `String`: that would copy each name of a list.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    )*};
}

names! {
    /// The key of a secret: `[A-Za-z0-9._/-]{1,256}`, no empty, `.` or `..` segment.
    KeyName = check_key,
    /// The name of a field of a secret; `value` unless it is named.
    FieldName = check_field,
    /// A project.
    WorkspaceName = check_workspace,
    /// An environment or a team inside a workspace.
    GroupName = check_group,
    /// A word that a user hangs on a secret, in normalisation form C.
    Tag = check_tag,
    /// An environment variable: a letter or `_`, then letters, digits and `_`.
    VarName = check_var,
    /// A provider of the registry, such as `openai`.
    ProviderId = check_provider,
    /// A registered agent, such as `claude`.
    AgentName = check_agent,
    /// One allowed use of a provider, such as `openai/chat`.
    CapabilityName = check_capability,
}

impl KeyName {
    /// The segments between slashes; at least one, none empty.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The environment variable that stands for this key where no binding names another: upper
    /// case, with `_` for whatever is not alphanumeric, and a leading `_` before a digit.
    ///
    /// A field other than `value` appends its name.
    #[must_use]
    pub fn default_variable(&self, field: &FieldName) -> VarName {
        let mut text = if field.is_default() {
            self.0.clone()
        } else {
            format!("{}_{}", self.0, field.0)
        };
        text = text
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_uppercase()
                } else {
                    '_'
                }
            })
            .collect();
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            text.insert(0, '_');
        }
        VarName(text)
    }
}

impl FieldName {
    /// The field that a secret has when none is named.
    #[must_use]
    pub fn default_field() -> Self {
        Self("value".to_owned())
    }

    /// Whether this is the field `value`.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0 == "value"
    }
}

impl WorkspaceName {
    /// The workspace that every look-up ends in.
    #[must_use]
    pub fn global() -> Self {
        Self("global".to_owned())
    }

    /// Whether this is the workspace that every look-up ends in.
    #[must_use]
    pub fn is_global(&self) -> bool {
        self.0 == "global"
    }
}

const KEY_ALPHABET: &str = "letters, digits and . _ / -";
const WORD_ALPHABET: &str = "letters, digits and . _ -";

fn bounded(text: &str, kind: &'static str, limit: usize) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if text.len() > limit {
        return Err(NameError::TooLong {
            kind,
            limit,
            length: text.len(),
        });
    }
    Ok(())
}

fn alphabet(
    text: &str,
    kind: &'static str,
    allowed: &'static str,
    accepts: impl Fn(char) -> bool,
) -> Result<(), NameError> {
    match text.chars().find(|c| !accepts(*c)) {
        Some(character) => Err(NameError::Character {
            kind,
            character,
            allowed,
        }),
        None => Ok(()),
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn no_dot_segment(text: &str, kind: &'static str) -> Result<(), NameError> {
    for segment in text.split('/') {
        if segment.is_empty() {
            return Err(NameError::Form {
                kind,
                why: "it has an empty part between slashes",
            });
        }
        if segment == "." || segment == ".." {
            return Err(NameError::Form {
                kind,
                why: "`.` and `..` are not parts of a name",
            });
        }
    }
    Ok(())
}

fn check_key(text: String) -> Result<String, NameError> {
    bounded(&text, "key", KEY_MAX)?;
    alphabet(&text, "key", KEY_ALPHABET, |c| is_word(c) || c == '/')?;
    no_dot_segment(&text, "key")?;
    Ok(text)
}

fn word(text: String, kind: &'static str) -> Result<String, NameError> {
    bounded(&text, kind, NAME_MAX)?;
    alphabet(&text, kind, WORD_ALPHABET, is_word)?;
    no_dot_segment(&text, kind)?;
    if text.starts_with('-') {
        return Err(NameError::Form {
            kind,
            why: "it would read as an option",
        });
    }
    Ok(text)
}

fn check_field(text: String) -> Result<String, NameError> {
    word(text, "field name")
}

fn check_workspace(text: String) -> Result<String, NameError> {
    word(text, "workspace name")
}

fn check_group(text: String) -> Result<String, NameError> {
    word(text, "group name")
}

fn check_provider(text: String) -> Result<String, NameError> {
    word(text, "provider id")
}

fn check_agent(text: String) -> Result<String, NameError> {
    word(text, "agent name")
}

fn check_capability(text: String) -> Result<String, NameError> {
    bounded(&text, "capability", 2 * NAME_MAX)?;
    alphabet(&text, "capability", KEY_ALPHABET, |c| {
        is_word(c) || c == '/'
    })?;
    no_dot_segment(&text, "capability")?;
    Ok(text)
}

fn check_tag(text: String) -> Result<String, NameError> {
    let text = if is_nfc(&text) {
        text
    } else {
        text.nfc().collect()
    };
    bounded(&text, "tag", TAG_MAX)?;
    alphabet(
        &text,
        "tag",
        "anything but control characters, commas and spaces",
        |c| !c.is_control() && !c.is_whitespace() && c != ',',
    )?;
    Ok(text)
}

fn check_var(text: String) -> Result<String, NameError> {
    let kind = "variable name";
    bounded(&text, kind, KEY_MAX + NAME_MAX + 2)?;
    alphabet(&text, kind, "letters, digits and _", |c| {
        c.is_ascii_alphanumeric() || c == '_'
    })?;
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(NameError::Form {
            kind,
            why: "it begins with a digit",
        });
    }
    Ok(text)
}
