//! The demonstration: a vault that is thrown away, real commands, and attacks on itself.
//!
//! Whatever must be seen from outside is done by child processes of this very program, with folders
//! of their own: nothing of the user's account is read or written.
#![allow(
    clippy::disallowed_methods,
    reason = "the demonstration starts programs, and reads and damages files of its own"
)]

mod attacks;
mod invented;
mod memory;
mod rows;
mod served;
mod stage;
mod story;
mod verdict;

use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;
use rows::Row;
use stage::Stage;
use verdict::Verdict;

/// Runs it all; 1 when an attack succeeded.
pub(crate) fn run(output: &Output, keep: bool) -> Result<u8, Failure> {
    let mut stage = Stage::new(output, keep)?;
    story::tell(&mut stage)?;
    let verdicts = attacks::all(&stage, &mut |row, verdict, width| {
        line(&stage, row, verdict, width)
    })?;
    let summary = story::summary(&stage)?;
    let lost = verdicts
        .iter()
        .filter(|(_, verdict)| matches!(verdict, Verdict::Fell(_)))
        .count();
    let status = u8::from(lost > 0 || !summary.is_sound());
    if output.json {
        output.document(&json!({
            "rows": verdicts.iter().map(as_json).collect::<Vec<_>>(),
            "audit": summary.as_json(),
            "held": status == 0,
            "folder": stage.kept(),
        }))?;
        return Ok(status);
    }
    story::end(&stage, &summary)?;
    if lost > 0 {
        output.warn(&format!(
            "{lost} of the attacks succeeded: please report this"
        ));
    }
    Ok(status)
}

fn as_json((row, verdict): &(Row, Verdict)) -> serde_json::Value {
    json!({ "number": row.number, "attack": row.attack, "verdict": verdict.word(), "why": verdict.why() })
}

fn line(stage: &Stage, row: &Row, verdict: &Verdict, width: usize) -> Result<(), Failure> {
    if stage.output.json {
        return Ok(());
    }
    let paint = stage.output.out;
    let padding = " ".repeat(width - row.attack.chars().count());
    let said = match verdict {
        Verdict::Held(_) => paint.green(&verdict.to_string()),
        Verdict::Fell(_) => paint.red(&verdict.to_string()),
        Verdict::Skipped(_) => paint.yellow(&verdict.to_string()),
        Verdict::NotBuilt(_) => paint.dim(&verdict.to_string()),
    };
    stage.output.print(&format!(
        "  {:>2}  {}{padding}  {said}\n",
        row.number, row.attack
    ))
}
