//! From text to tree and back to text.
//!
//! [`parse`] gives a [`Script`](ast::Script) or every error it could tell apart; [`format()`] lays a
//! script out. Neither has an effect.

pub mod ast;
mod diagnostic;
mod excerpt;
mod format;
mod interpolation;
mod lexer;
mod masks;
mod names;
mod parser;
mod source;
mod token;
mod words;

pub use diagnostic::{Diagnostic, Errors, Note, Severity};
pub use format::format;
pub use names::{ContainerId, FunctionId, NameId, Names, VariableId};
pub use parser::{MAX_DEPTH, MAX_ERRORS, MAX_OPERANDS, MAX_PARTS, MAX_STATEMENTS, parse};
pub use source::{MAX_SCRIPT, Source, Span};
