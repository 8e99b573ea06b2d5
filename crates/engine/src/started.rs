//! A command that was started, until its end.

use std::fmt;
use std::sync::Arc;

use subrosa_egress::{Gate, Released};
use subrosa_model::{Clock, Outcome};
use subrosa_runner::{Ending, RunReport, Running};

use crate::EngineError;
use crate::masking::unopened_warning;

/// What became of it.
#[derive(Debug)]
pub struct RunOutcome {
    /// The account of the run.
    pub report: RunReport,
    /// The secrets that it was given.
    pub used: Vec<String>,
    /// What the user should know about what was not masked.
    pub warnings: Vec<String>,
}

/// A command that runs. Dropping it ends the command.
#[must_use = "its output waits to be carried"]
pub struct StartedRun {
    running: Running,
    released: Option<Released>,
    gate: Gate,
    clock: Arc<dyn Clock>,
    pub(crate) used: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

impl StartedRun {
    pub(crate) fn new(
        running: Running,
        released: Option<Released>,
        (gate, clock): (Gate, Arc<dyn Clock>),
    ) -> Self {
        Self {
            running,
            released,
            gate,
            clock,
            used: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Carries its output until nothing of it is left, and writes the completion record.
    ///
    /// # Errors
    /// [`EngineError::Run`].
    pub fn finish(self) -> Result<RunOutcome, EngineError> {
        let pumped = self.running.pump(&*self.clock);
        complete(self.released, &self.gate, pumped.as_ref());
        let report = pumped?;
        let mut warnings = self.warnings;
        warnings.extend(unopened_warning(report.unopened));
        Ok(RunOutcome {
            report,
            used: self.used,
            warnings,
        })
    }
}

impl fmt::Debug for StartedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartedRun").finish_non_exhaustive()
    }
}

/// Writes the completion record of a run that was given secrets.
pub(crate) fn complete(
    released: Option<Released>,
    gate: &Gate,
    pumped: Result<&RunReport, &subrosa_runner::RunError>,
) {
    let Some(released) = released else {
        return;
    };
    match pumped {
        Ok(report) => released.complete(gate, outcome(report), report.redacted),
        Err(error) => {
            let reason = error.to_string();
            released.complete(gate, Outcome::Failed { reason }, 0);
        }
    }
}

fn outcome(report: &RunReport) -> Outcome {
    match report.ending {
        Ending::Exited(status) => Outcome::Exited { status },
        Ending::Signalled(signal) => Outcome::Signalled { signal },
        Ending::Limited(limit) => Outcome::Limited {
            limit: limit.reason().to_owned(),
        },
        _ => Outcome::Failed {
            reason: "whoever it ran for went away".to_owned(),
        },
    }
}
