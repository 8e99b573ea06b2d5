//! Words that the tests share.

use subrosa_script::syntax::ast::{OperandKind, Script, Statement};
use subrosa_script::syntax::{self, Errors, Source};

pub(crate) fn parse(text: &str) -> Script {
    match syntax::parse(Source::new("t.sky", text)) {
        Ok(script) => script,
        Err(errors) => panic!("this does not parse:\n{text}\n{}", errors.render()),
    }
}

pub(crate) fn refused(text: &str) -> Errors {
    match syntax::parse(Source::new("t.sky", text)) {
        Ok(_) => panic!("this parses:\n{text}"),
        Err(errors) => *errors,
    }
}

/// The codes of a text's errors, in order.
pub(crate) fn codes(text: &str) -> Vec<&'static str> {
    refused(text)
        .diagnostics
        .iter()
        .map(|one| one.code)
        .collect()
}

pub(crate) fn layout(text: &str) -> String {
    match syntax::format(Source::new("t.sky", text)) {
        Ok(laid) => laid,
        Err(errors) => panic!("this does not parse:\n{text}\n{}", errors.render()),
    }
}

/// A statement as the memo shows it, with operands in brackets, numbered.
pub(crate) fn shape(statement: &Statement) -> String {
    statement.phrase.line(|id| format!("[{}]", id.index()))
}

/// What kind an operand of a statement is, in a word.
pub(crate) fn kinds(statement: &Statement) -> Vec<&'static str> {
    let kind = |kind: &OperandKind| match kind {
        OperandKind::Text(_) => "text",
        OperandKind::Number(_) => "number",
        OperandKind::Bool(_) => "bool",
        OperandKind::Variable(_) => "variable",
        OperandKind::Field(_) => "field",
        OperandKind::Container(_) => "container",
        OperandKind::Vault(_) => "vault",
    };
    statement
        .phrase
        .operands
        .iter()
        .map(|operand| kind(&operand.kind))
        .collect()
}
