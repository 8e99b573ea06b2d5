//! `script check`: every way out of a script, without running it.

use std::path::PathBuf;

use serde::Serialize;
use subrosa_engine::scripts::check::{Checked, Clause, Egress, check};
use subrosa_engine::scripts::run;
use subrosa_engine::scripts::syntax::{self, Diagnostic, Severity, Source, ast};

use super::{REFUSED, WRONG, is_in_ci, on_a_stack, read};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::complain;
use crate::table::Table;
use crate::text::{count, plain};

/// List every way out of a Feather script, and what a run would refuse
///
/// Nothing is run, and the vault is not looked at. For each statement by which something leaves, the
/// list says where it goes, which entries it may derive from, and whether it leaves, is masked, or is
/// refused for want of `sensitive` or `with risk`. What a run refuses is listed as refused; the reverse
/// need not hold, as values are followed by where they come from, not by what they are.
///
/// The exit status is 0 where nothing would be refused, 2 for a script that does not parse, 3 where
/// something would. Names with nothing behind them are warnings.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa script check deploy.sky
  subrosa script check deploy.sky --json")]
pub(crate) struct CheckScript {
    /// The script
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// What `--json` gives.
#[derive(Serialize)]
struct Document<'a> {
    file: &'a str,
    egress: Vec<Point<'a>>,
    problems: Vec<Problem>,
    refused: usize,
}

#[derive(Serialize)]
struct Point<'a> {
    line: usize,
    column: usize,
    sink: &'static str,
    labels: &'a [String],
    clauses: Vec<&'static str>,
    missing: Vec<&'static str>,
    refused: bool,
    within: &'a [String],
}

#[derive(Serialize)]
struct Problem {
    line: usize,
    column: usize,
    severity: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Problem {
    fn new(source: &Source, told: &Diagnostic) -> Self {
        Self {
            line: source.line(told.span.start),
            column: source.column(told.span.start),
            severity: match told.severity {
                Severity::Warning => "warning",
                _ => "error",
            },
            message: told.message.clone(),
            hint: told.hint.clone(),
        }
    }
}

impl CheckScript {
    pub(super) fn run(self, context: &Context) -> Result<u8, Failure> {
        let script = match syntax::parse(read(&self.file)?) {
            Ok(script) => script,
            Err(errors) => {
                if context.out.json {
                    let problem = |told| Problem::new(&errors.source, told);
                    context.out.document(&Document {
                        file: errors.source.name(),
                        egress: Vec::new(),
                        problems: errors.diagnostics.iter().map(problem).collect(),
                        refused: 0,
                    })?;
                } else {
                    complain(&errors.render());
                }
                return Ok(WRONG);
            }
        };
        let checked = on_a_stack(|| Ok(check(&script)))?;
        match context.out.json {
            true => context.out.document(&document(&script.source, &checked))?,
            false => tell(context, &script, &checked)?,
        }
        Ok(match checked.refused() {
            0 => 0,
            _ => REFUSED,
        })
    }
}

fn document<'a>(source: &'a Source, checked: &'a Checked) -> Document<'a> {
    let words = |clauses: &[Clause]| clauses.iter().map(|clause| clause.words()).collect();
    let point = |one: &'a Egress| Point {
        line: source.line(one.span.start),
        column: source.column(one.span.start),
        sink: one.sink.word(),
        labels: &one.labels,
        clauses: words(&one.clauses),
        missing: words(&one.missing),
        refused: one.refusal.is_some(),
        within: &one.within,
    };
    let problem = |told| Problem::new(source, told);
    Document {
        file: source.name(),
        egress: checked.egress.iter().map(point).collect(),
        problems: checked.problems.iter().map(problem).collect(),
        refused: checked.refused(),
    }
}

/// What becomes of what leaves there.
fn verdict(one: &Egress) -> String {
    let missing: Vec<&str> = one.missing.iter().map(|clause| clause.words()).collect();
    match (&one.refusal, one.is_secret) {
        (Some(_), _) if missing.is_empty() => "refused".to_owned(),
        (Some(_), _) => format!("refused: no {}", missing.join(", no ")),
        (None, false) => "public".to_owned(),
        (None, true) if one.clauses.contains(&Clause::Risk) => "leaves".to_owned(),
        (None, true) if one.sink.is_masked() => "masked".to_owned(),
        (None, true) => "leaves".to_owned(),
    }
}

/// The entries that it derives from, or that decide on it.
fn origin(one: &Egress) -> String {
    let labels = one.labels.join(" ");
    match (labels.is_empty(), one.within.is_empty()) {
        (true, false) => format!("within {}", one.within.join(" ")),
        _ => labels,
    }
}

fn tell(context: &Context, script: &ast::Script, checked: &Checked) -> Result<(), Failure> {
    let source = &script.source;
    let mut table = Table::new(&["PLACE", "SINK", "VERDICT", "FROM", "STATEMENT"]);
    for one in &checked.egress {
        let at = one.span.start;
        table.row(&[
            format!("{}:{}", source.line(at), source.column(at)),
            one.sink.word().to_owned(),
            verdict(one),
            plain(&origin(one)).into_owned(),
            source.shown(at),
        ]);
    }
    if !table.is_empty() {
        context.out.print(&table.render())?;
    }
    let refused = checked.egress.iter().filter_map(|one| one.refusal.as_ref());
    let told: Vec<String> = (refused.chain(&checked.problems))
        .map(|told| told.render(source))
        .collect();
    if !told.is_empty() {
        complain(&format!("{}\n", told.join("\n")));
    }
    let secrets = checked.egress.iter().filter(|one| one.is_secret).count();
    let mut summary = format!(
        "{}: {}, {secrets} of what may be a secret, {} refused",
        plain(source.name()),
        count(checked.egress.len(), "way") + " out",
        checked.refused(),
    );
    if is_in_ci(context)
        && let Some(span) = run::first_risk(script)
    {
        summary.push_str(&format!(
            "\nline {} says `with risk`, and CI is set: `run` wants --allow-risk, or ends with 4",
            source.line(span.start)
        ));
    }
    context.out.done(&summary);
    Ok(())
}
