//! Feather, the scripting language of `subrosa script`.
//!
//! A script holds secrets and uses them, and no secret leaves it by accident: a value that derives
//! from a vault entry reaches a sink only by a statement that says `sensitive … with risk`.
//!
//! [`syntax`] reads a script: text to tree, errors that point at the source, one layout.
//!
//! - **Bounded.** Size, nesting, statements and operands have limits, and time is linear in the
//!   text.
//! - **Closed.** What is not understood is an error. Nothing attaches `with risk` to a statement
//!   but these two words in that statement.
//! - **Silent.** A literal that a script stores in the vault is shown by no error, no excerpt and
//!   no debug form.
//!
//! ```
//! use subrosa_script::syntax::{self, Source};
//!
//! let script = syntax::parse(Source::new("hello.sky", "say 'hello'\n")).unwrap();
//! assert_eq!(script.body.statements.len(), 1);
//!
//! let wrong = syntax::parse(Source::new("hello.sky", "sya 'hello'\n")).unwrap_err();
//! assert_eq!(
//!     wrong.render(),
//!     "\
//! error[unknown-command]: there is no command `sya`
//!  --> hello.sky:1:1
//!   |
//! 1 | sya 'hello'
//!   | ^^^ not a command
//! help: did you mean `say`?
//! "
//! );
//! ```
#![forbid(unsafe_code)]

pub mod check;
pub mod run;
pub mod syntax;
pub mod world;
