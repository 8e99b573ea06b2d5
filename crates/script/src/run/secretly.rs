//! What a condition on a secret decides on.

use std::time::Duration;

use super::flow::Look;
use super::stop::{Failure, Stop};
use super::value::Taint;
use super::{Machine, Present};
use crate::syntax::Span;
use crate::syntax::ast::{Delay, Place};
use crate::world::Site;

impl<'s> Machine<'s, '_> {
    /// Runs what a condition on a secret decides on: `run` is told nothing else, and nothing of it
    /// is seen. `look` went through all that it may run.
    pub(super) fn secretly(
        &mut self,
        (header, site): (Span, Site),
        taint: &Taint,
        look: Look<'s>,
        run: impl FnOnce(&mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut seen = look.seen();
        let ends_function = seen.ends && self.frames.len() > 1;
        if ends_function {
            // Whether what follows runs is decided here as well.
            let mut look = Look::at(self.script);
            for following in self.following.last().into_iter().flatten() {
                look.statements(following.statements);
            }
            let rest = look.seen();
            seen.sinks.extend(rest.sinks);
            seen.assigned.variables.extend(rest.assigned.variables);
            seen.assigned.containers.extend(rest.assigned.containers);
            seen.assigned.entries.extend(rest.assigned.entries);
        }
        let is_outermost = self.within.is_none();
        if is_outermost && let Some(sink) = seen.sinks.first() {
            return Err(self.refused_within(header, taint, sink.span).into());
        }
        let before = self.within.clone();
        // What is assigned derives from more on one way than on another.
        let taint = &taint.clone().vague();
        self.within = Some(match &before {
            Some(before) => before.clone().and(taint),
            None => taint.clone(),
        });
        if is_outermost {
            self.header = Some(header);
        }
        let ran = run(self);
        let taint = self.within.clone();
        if !ends_function {
            self.within = before;
            if is_outermost && ran.is_ok() {
                self.header = None;
            }
        }
        let ran = match ran {
            Err(Stop::Done {
                is_success, value, ..
            }) => Err(Stop::Done {
                is_success,
                value: value
                    .map(|value| value.tainted(taint.as_ref()))
                    .transpose()
                    .map_err(Failure::from)?,
                is_secret: true,
            }),
            Err(Stop::Failed(mut failure)) => {
                failure.is_secret = true;
                Err(Stop::Failed(failure))
            }
            Ok(()) => Ok(()),
        };
        if let Some(taint) = taint {
            for variable in seen.assigned.variables {
                self.taint_place(site, &Place::Variable(variable), &taint)?;
            }
            for container in seen.assigned.containers {
                self.taint_place(site, &Place::Container(container), &taint)?;
            }
            for entry in seen.assigned.entries {
                self.taint_place(site, &Place::Vault(entry), &taint)?;
            }
        }
        ran
    }

    /// A statement that has to be done in a given time. Of a secret, the time is a condition.
    pub(super) fn timed(&mut self, present: &mut Present<'s>, delay: Delay) -> Result<(), Stop> {
        let Some(taint) = present.text(delay.amount)?.taint() else {
            return self.done_in_time(present, delay);
        };
        self.admit(present, &taint)?;
        let mut look = Look::at(self.script);
        look.alone(present.statement, present.clauses);
        self.secretly(present.header(), &taint, look, |machine| {
            machine.done_in_time(present, delay)
        })
    }

    fn done_in_time(&mut self, present: &mut Present<'s>, delay: Delay) -> Result<(), Stop> {
        let time = self.delay(present, delay)?;
        let before = self.deadline;
        let own = self.world.now().saturating_add(time);
        self.deadline = Some(before.map_or(own, |before| before.min(own)));
        let ran = self.admitted(present);
        let in_time = self.in_time();
        self.deadline = before;
        match ran {
            // It is this statement that ran too long, not the one that it had come to.
            Err(Stop::Failed(mut failure)) if failure.deadline.as_deref() == Some(&own) => {
                (failure.owner, failure.span) = (None, None);
                Err(Stop::Failed(failure))
            }
            Ok(()) => Ok(in_time?),
            ended => ended,
        }
    }

    /// Whether there is time left for the statements around.
    pub(super) fn in_time(&mut self) -> Result<(), Failure> {
        match self.deadline {
            Some(deadline) if self.world.now() > deadline => Err(Failure::late(deadline)),
            _ => Ok(()),
        }
    }

    /// How much there is.
    pub(super) fn time_left(&mut self) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(deadline.saturating_sub(self.world.now()))
    }
}
