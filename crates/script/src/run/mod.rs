//! Runs a script.
//!
//! A value that derives from a secret is sealed from this code, which can compute with it and hand it to
//! the world, and ask one bit of it where a header says `sensitive`. What the bit decides is not to be
//! seen: both ways are looked through before one is taken, what they assign is a secret afterwards, and
//! no line tells what ran.
//!
//! What is refused, and what becomes a secret, is decided by what values derive from, before any of
//! them can make a statement fail: whether it failed is a bit of them as well.

mod blocks;
mod commands;
mod container;
mod eval;
mod fill;
pub(crate) mod flow;
mod memo;
mod place;
mod secretly;
mod sinks;
mod stop;
mod tell;
mod tools;
mod value;

use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use subrosa_egress::feather::Fault;

use crate::syntax::ast::{Block, Clauses, Command, Os, Phrase, Script, Statement};
use crate::syntax::{Diagnostic, Span};
use crate::world::{Site, World};
use container::{Container, Member};
use eval::{Evaluated, may_lack};
pub use flow::first_risk;
use flow::is_plain;
use memo::{Level, Memo, Tags};
pub(crate) use sinks::LET_OUT;
use stop::{Failure, Stop};
use value::{Taint, Value};

/// Most blocks and calls within each other.
pub const MAX_NESTED: usize = 256;
/// Most calls within each other.
pub const MAX_CALLS: usize = 64;
/// Most statements that one run executes.
pub const MAX_STEPS: u64 = 100_000_000;
/// So many refusals are told of.
const MAX_REFUSED: usize = 10_000;

/// How a script ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By `success`.
    Success,
    /// By `failure`, at its end without either, or by a statement that failed.
    Failure,
    /// By a statement that was refused.
    Refused,
}

/// What became of a run.
#[derive(Debug)]
pub struct Report {
    /// How it ended.
    pub ending: Ending,
    /// Why, where a statement failed or was refused.
    pub diagnostic: Option<Diagnostic>,
    /// Whether a secret decided that it ended so: the one bit that a run may tell.
    pub is_by_secret: bool,
    /// Where statements were refused, also under `safe`, in that order. One in a block on a secret
    /// is told as the header of that block, and that it is there depends on the secret: it is shown to
    /// nobody. At most 10,000.
    pub refused: Vec<Span>,
    /// Why the memo is not whole.
    pub memo_error: Option<std::io::Error>,
}

/// Variables and containers of the script, or of one call.
struct Frame {
    variables: Vec<Option<Value>>,
    containers: Vec<Option<Rc<Container>>>,
    arguments: Vec<Item>,
}

impl Frame {
    fn new(script: &Script, arguments: Vec<Item>) -> Self {
        Self {
            variables: vec![None; script.variables.len()],
            containers: vec![None; script.containers.len()],
            arguments,
        }
    }
}

/// What an operand comes to.
#[derive(Debug, Clone)]
enum Item {
    Text(Value),
    Container(Rc<Container>),
}

impl Item {
    fn taint(&self) -> Option<Taint> {
        match self {
            Self::Text(value) => value.taint(),
            Self::Container(container) => container.taint.clone(),
        }
    }

    /// The same, deriving from `taint` as well.
    fn tainted(self, taint: &Taint) -> Result<Self, Fault> {
        Ok(Member::from(self).tainted(Some(taint))?.into())
    }

    /// As text: a container's members.
    fn text(&self) -> Result<Value, Failure> {
        match self {
            Self::Text(value) => Ok(value.clone()),
            // How long it would be is told by no limit.
            Self::Container(container) => {
                (container.text()).map_err(|fault| Failure::from(fault).by(container.taint.clone()))
            }
        }
    }
}

impl From<Member> for Item {
    fn from(member: Member) -> Self {
        match member {
            Member::Text(value) => Self::Text(value),
            Member::Container(container) => Self::Container(container),
        }
    }
}

impl From<Item> for Member {
    fn from(item: Item) -> Self {
        match item {
            Item::Text(value) => Self::Text(value),
            Item::Container(container) => Self::Container(container),
        }
    }
}

/// The statements that follow in the blocks around the present one.
struct Following<'s> {
    statements: &'s [Statement],
}

/// A script that runs.
struct Machine<'s, 'w> {
    script: &'s Script,
    world: &'w mut dyn World,
    memo: Memo<'w>,
    frames: Vec<Frame>,
    /// The taint of the conditions around.
    within: Option<Taint>,
    /// The header of the outermost of them.
    header: Option<Span>,
    /// For each call, the blocks that go on.
    following: Vec<Vec<Following<'s>>>,
    nested: usize,
    steps: u64,
    /// Clauses of the clusters around.
    cluster: Clauses,
    /// When the statements around have to be done, by the world's time.
    deadline: Option<Duration>,
    /// Where statements were refused.
    refused: Vec<Span>,
}

/// Runs a script to its end. `memo` gets a line for each statement.
pub fn run(script: &Script, world: &mut dyn World, memo: &mut dyn Write) -> Report {
    let mut machine = Machine {
        script,
        world,
        memo: Memo {
            file: memo,
            error: None,
        },
        frames: vec![Frame::new(script, Vec::new())],
        within: None,
        header: None,
        following: vec![Vec::new()],
        nested: 0,
        steps: 0,
        cluster: Clauses::default(),
        deadline: None,
        refused: Vec::new(),
    };
    let ended = machine.block(&script.body, false);
    machine.within = None;
    let is_by_secret = match &ended {
        Ok(()) => false,
        Err(Stop::Done { is_secret, .. }) => *is_secret,
        Err(Stop::Failed(failure)) => failure.is_secret,
    };
    let (ending, diagnostic) = match ended {
        Ok(()) => {
            machine.tell(
                Level::Failure,
                Tags::default(),
                "the script ended without success",
                false,
            );
            let message = "the script ended without `success`";
            let end = u32::try_from(script.source.text().trim_end().len()).unwrap_or(u32::MAX);
            let span = Span {
                start: end.saturating_sub(1),
                end,
            };
            let told = Diagnostic::error("no-success", message, span)
                .hint("end it with `success`, or with `failure` and why");
            (Ending::Failure, Some(told))
        }
        Err(Stop::Done {
            is_success: true, ..
        }) => (Ending::Success, None),
        Err(Stop::Done { .. }) => (Ending::Failure, None),
        Err(Stop::Failed(failure)) => {
            let ending = match failure.is_refusal {
                true => Ending::Refused,
                false => Ending::Failure,
            };
            (
                ending,
                Some(failure.told(machine.header, &machine.script.source)),
            )
        }
    };
    Report {
        ending,
        diagnostic,
        is_by_secret,
        refused: machine.refused,
        memo_error: machine.memo.error,
    }
}

impl<'s> Machine<'s, '_> {
    fn block(&mut self, block: &'s Block, is_loop: bool) -> Result<(), Stop> {
        if self.nested == MAX_NESTED {
            let message = format!("more than {MAX_NESTED} blocks and calls within each other");
            return Err(Failure::new("too-deep", message).into());
        }
        self.nested += 1;
        let mut ended = Ok(());
        for (at, statement) in block.statements.iter().enumerate() {
            // The body of a loop goes round: what stands before follows as well.
            let statements = match is_loop {
                true => &block.statements[..],
                false => &block.statements[at + 1..],
            };
            if let Some(following) = self.following.last_mut() {
                following.push(Following { statements });
            }
            ended = self.statement(statement);
            if let Some(following) = self.following.last_mut() {
                following.pop();
            }
            if ended.is_err() {
                break;
            }
        }
        self.nested -= 1;
        ended
    }

    fn line_of(&self, span: Span) -> u32 {
        u32::try_from(self.script.source.line(span.start)).unwrap_or(u32::MAX)
    }

    fn statement(&mut self, statement: &'s Statement) -> Result<(), Stop> {
        self.one_step()
            .map_err(|failure| failure.at(statement.span))?;
        self.in_time()?;
        if statement.signatures.on.is_some_and(|os| os != Os::Linux) {
            return Ok(());
        }
        let is_plain = is_plain(&statement.command);
        let mut clauses = statement.clauses;
        if is_plain {
            clauses.safe = clauses.safe.or(self.cluster.safe);
            clauses.sensitive = clauses.sensitive.or(self.cluster.sensitive);
        }
        let mut present = Present {
            statement,
            phrase: &statement.phrase,
            clauses,
            site: Site {
                line: self.line_of(statement.span),
                is_secret: self.within.is_some(),
            },
            operands: Vec::new(),
            is_sensitive: clauses.sensitive.is_some(),
            came_to: None,
            began: self.world.now(),
            warning: None,
            failed: None,
        };
        let ran = self.execute(&mut present);
        let is_within = self.within.is_some();
        match ran {
            Ok(()) => {
                if !matches!(
                    statement.command,
                    Command::Define(_) | Command::Cluster { .. }
                ) {
                    self.tell_end(&present);
                }
                self.tell_signatures(&present);
                Ok(())
            }
            Err(Stop::Done {
                is_success,
                value,
                is_secret,
            }) => {
                if matches!(
                    statement.command,
                    Command::Success { .. } | Command::Failure { .. }
                ) {
                    let level = match is_success {
                        true => Level::Success,
                        false => Level::Failure,
                    };
                    self.tell_of(level, &present);
                    self.tell_signatures(&present);
                }
                Err(Stop::Done {
                    is_success,
                    value,
                    is_secret,
                })
            }
            Err(Stop::Failed(mut failure)) => {
                failure.span.get_or_insert(statement.span);
                failure.owner.get_or_insert(statement.span);
                failure.is_secret |= is_within;
                self.failed(&mut present, failure)
            }
        }
    }

    /// A statement failed, by itself or by one within it.
    fn failed(&mut self, present: &mut Present<'s>, failure: Box<Failure>) -> Result<(), Stop> {
        // Spans are equal to each other, so that trees are; their ends are compared.
        let ends = |span: Span| (span.start, span.end);
        let is_own = failure.owner.map(ends) == Some(ends(present.statement.span));
        if is_own && failure.is_refusal && self.refused.len() < MAX_REFUSED {
            self.refused.extend(self.header.or(failure.span));
        }
        // The time of a statement around is over: none within goes on.
        let is_over = (failure.deadline.as_deref().zip(self.deadline.as_ref()))
            .is_some_and(|(was, own)| own <= was);
        let is_safe = present.clauses.safe.is_some() && !is_over;
        let is_caught = match (is_safe, failure.is_secret) {
            (false, _) => false,
            // Whoever catches it elsewhere would go on in one case alone, and that would be seen.
            (true, true) => is_own,
            (true, false) => is_own || matches!(present.statement.command, Command::Invoke { .. }),
        };
        if !is_caught {
            if is_own {
                self.tell_of(Level::Error, present);
            }
            return Err(Stop::Failed(failure));
        }
        // What fails from here on does so in no block on a secret, whichever way the last one went.
        if self.within.is_none() {
            self.header = None;
        }
        self.left_unset(present, &failure)?;
        match failure.is_secret {
            // As if it had not failed.
            true => self.tell_of(Level::Info, present),
            false => {
                self.tell_of(Level::Warning, present);
                if self.within.is_none() && present.statement.signatures.silent.is_none() {
                    let message = failure.message.clone();
                    self.world.warn(&format!("  {message}"));
                }
            }
        }
        self.tell_signatures(present);
        Ok(())
    }

    fn execute(&mut self, present: &mut Present<'s>) -> Result<(), Stop> {
        let statement = present.statement;
        let (operands, failed) = self.evaluate_each(&statement.phrase);
        present.operands = operands;
        present.hide_kept();
        match failed {
            // Every secret brings it.
            Some(failure) if !failure.is_secret => return Err(failure.into()),
            failed => present.failed = failed,
        }
        match statement.signatures.timeout {
            Some(delay) => self.timed(present, delay),
            None => self.admitted(present),
        }
    }

    /// Refuses by what the operands derive from, and does what the command says.
    fn admitted(&mut self, present: &mut Present<'s>) -> Result<(), Stop> {
        self.ways_out(present)?;
        let is_safe = present.clauses.safe.is_some() && present.statement.risk.is_none();
        match &present.statement.command {
            // They take their own way with it.
            Command::Repeat { .. } | Command::While { .. } | Command::Iterate { .. } => {
                self.command(present)
            }
            // What these do is seen: they do it with an empty text as well.
            Command::Say { .. }
            | Command::Ask { .. }
            | Command::Invoke { .. }
            | Command::Success { .. }
            | Command::Failure { .. }
                if is_safe =>
            {
                self.command(present)?;
                present
                    .failed
                    .take()
                    .map_or(Ok(()), |failure| Err(failure.into()))
            }
            _ => {
                if let Some(failure) = present.failed.take() {
                    return Err(failure.into());
                }
                let may_lack = is_safe && may_lack(&present.statement.phrase, &present.operands);
                self.command(present).map_err(|stop| match stop {
                    // It came to this because a secret let it.
                    Stop::Failed(failure) if may_lack && failure.owner.is_none() => {
                        failure.secret_if(true).into()
                    }
                    other => other,
                })
            }
        }
    }
}

/// The statement that is executed.
struct Present<'s> {
    statement: &'s Statement,
    /// Its own, or that of the condition that was looked at last.
    phrase: &'s Phrase,
    clauses: Clauses,
    site: Site,
    operands: Vec<Evaluated>,
    /// Whether a clause, or an operand, says so.
    is_sensitive: bool,
    /// What it assigned, for a trace.
    came_to: Option<Value>,
    /// When it began, by the world's time.
    began: Duration,
    /// What it did not find, where it goes on without.
    warning: Option<String>,
    /// Why an operand has no value, which depends on a secret.
    failed: Option<Failure>,
}
