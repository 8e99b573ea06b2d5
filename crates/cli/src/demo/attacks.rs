//! The attacks of the red-team table that apply as yet, each really carried out.

mod agents;
mod commands;
mod custody;
mod disk;
mod forgery;
mod masking;
mod presence;
mod processes;
mod releases;
mod secrets;
mod socket;

use super::rows::{self, PART, Row};
use super::stage::Stage;
use super::verdict::Verdict;
use crate::failure::Failure;

/// Carries out one attack.
type Attack = fn(&Stage) -> Result<Verdict, Failure>;

fn attack(number: u8) -> Option<Attack> {
    Some(match number {
        1 => custody::memory,
        2 => custody::debugger,
        3 => processes::core_dump,
        4 => processes::residue,
        5 => releases::environments,
        6 => releases::started,
        9 => masking::encodings,
        10 => masking::packed,
        11 => masking::pieces,
        12 => masking::beginnings,
        13 => secrets::mask,
        25 => secrets::pin,
        27 => disk::loosened,
        28 => commands::hijack,
        29 => commands::another_name,
        31 => processes::left_behind,
        32 => masking::kept,
        34 => socket::reached,
        35 => agents::beyond,
        36 => socket::files,
        37 => socket::garbage,
        39 => disk::log,
        40 => disk::records,
        42 => secrets::errors,
        43 => agents::guesses,
        44 => presence::itself,
        45 => forgery::planted,
        _ => return None,
    })
}

/// Every row with its verdict; `show` is told each as it is known, and how wide the rows are.
pub(super) fn all(
    stage: &Stage,
    show: &mut dyn FnMut(&Row, &Verdict, usize) -> Result<(), Failure>,
) -> Result<Vec<(Row, Verdict)>, Failure> {
    let rows = rows::all()?;
    let width = rows
        .iter()
        .map(|row| row.attack.chars().count())
        .max()
        .unwrap_or(0);
    let mut verdicts = Vec::new();
    for row in rows {
        let verdict = match attack(row.number) {
            None if row.part > PART => Verdict::NotBuilt(row.part),
            None => Verdict::Skipped("it is tried by the tests of the project alone".to_owned()),
            // What could not be carried out has shown nothing, and must not pass for a defence.
            Some(attack) => attack(stage).unwrap_or_else(|failure| {
                Verdict::fell(format!("it could not be carried out: {}", failure.message))
            }),
        };
        show(&row, &verdict, width)?;
        verdicts.push((row, verdict));
    }
    Ok(verdicts)
}

/// Goes on only when something was seen as it must be.
macro_rules! must {
    ($seen:expr, $($why:tt)+) => {
        if !$seen {
            return Ok($crate::demo::verdict::Verdict::fell(format!($($why)+)));
        }
    };
}
use must;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_that_is_due_has_an_attack() {
        let rows = rows::all().unwrap();
        let due = rows.iter().filter(|row| row.part <= PART);
        let without: Vec<u8> = due
            .map(|row| row.number)
            .filter(|number| attack(*number).is_none())
            .collect();
        assert_eq!(without, Vec::<u8>::new());
    }
}
