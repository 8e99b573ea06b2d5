//! What is told of a statement, and what is not.

use super::eval::Evaluated;
use super::flow::is_sink;
use super::memo::{Level, Tags, line};
use super::{Machine, Present, eval};

impl<'s> Machine<'s, '_> {
    pub(super) fn shown(&self, present: &Present<'s>) -> String {
        let source = &self.script.source;
        let phrase = present.phrase;
        phrase.line(|id| match present.operands.get(id.index()) {
            Some(evaluated) if !evaluated.is_missing || evaluated.is_secret() => evaluated.shown(),
            _ => match phrase.operand(id) {
                Some(operand) => eval::unevaluated(operand, source),
                None => String::new(),
            },
        })
    }

    pub(super) fn tell_of(&mut self, level: Level, present: &Present<'s>) {
        // What is let out by its own clauses shows that it ran, and is there to be found.
        let is_let_out = present.clauses.sensitive.is_some()
            && present.statement.risk.is_some()
            && is_sink(&present.statement.command);
        if self.within.is_some() && !is_let_out {
            return;
        }
        let text = self.shown(present);
        let is_silent = present.statement.signatures.silent.is_some();
        self.write(level, present.tags(), &text, is_silent);
    }

    /// It ended well, or went on without something that it looked for.
    pub(super) fn tell_end(&mut self, present: &Present<'s>) {
        let Some(warning) = &present.warning else {
            return self.tell_of(Level::Info, present);
        };
        self.tell_of(Level::Warning, present);
        if self.within.is_none() {
            self.world.warn(&format!("  {warning}"));
        }
    }

    /// What its signatures ask for.
    pub(super) fn tell_signatures(&mut self, present: &Present<'s>) {
        if self.within.is_some() {
            return;
        }
        let signatures = present.statement.signatures;
        if signatures.trace.is_some() {
            self.tell_trace(present);
        }
        if signatures.elapsed.is_some() {
            let took = self.world.now().saturating_sub(present.began);
            let text = format!("{} took {} ms", self.shown(present), took.as_millis());
            self.tell(Level::Elapsed, present.tags(), &text, false);
        }
    }

    fn tell_trace(&mut self, present: &Present<'s>) {
        let text = match &present.came_to {
            Some(value) => format!("{} = {}", self.shown(present), value.shown()),
            None => self.shown(present),
        };
        self.tell(Level::Trace, present.tags(), &text, false);
    }

    /// Writes a line, unless it would tell what happens in a block on a secret.
    pub(super) fn tell(&mut self, level: Level, tags: Tags, text: &str, is_silent: bool) {
        if self.within.is_none() {
            self.write(level, tags, text, is_silent);
        }
    }

    fn write(&mut self, level: Level, tags: Tags, text: &str, is_silent: bool) {
        let line = line(level, tags, text);
        self.memo.write(&line);
        if !is_silent {
            self.world.warn(line.trim_end_matches('\n'));
        }
    }
}

impl Present<'_> {
    pub(super) fn tags(&self) -> Tags {
        Tags {
            safe: self.clauses.safe.is_some(),
            sensitive: self.is_sensitive || self.operands.iter().any(Evaluated::is_secret),
            risk: self.statement.risk.is_some(),
        }
    }
}
