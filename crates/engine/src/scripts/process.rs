//! Processes that a script starts.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use subrosa_crypto::SecretBuf;
use subrosa_egress::{Lent, Released, Sensitive, Sink, SinkError, kind};
use subrosa_model::{Destination, Outcome, ProcessLimits, VarName};
use subrosa_redact::KnownSet;
use subrosa_runner::{
    Command, Console, Ending, Environment, Limits, Outlet, ProcessSink, RunError, Running,
    SearchPath, run_without_secrets,
};
use subrosa_script::world::{Ended, Given, Order, Output, Processes, Site, Typed, WorldError};

use super::{Variable, World, failed};
use crate::started::complete;

const SHELL: &str = "/bin/sh";
/// Has a shell execute its arguments, where the name of the program is a value.
const EXECUTE: &str = "exec \"$@\"";
/// What stands in an argument until it is released.
const LATER: &str = "********";
/// The status of a process that ran out of time.
const LATE: u8 = 124;
/// Most bytes of output that come back to a script.
const CAPTURED: usize = 16 * 1024 * 1024;

impl Processes for World {
    fn run(
        &mut self,
        site: Site,
        order: Order<'_>,
        output: Output,
        timeout: Option<Duration>,
    ) -> Result<Ended, WorldError> {
        self.flush()?;
        let (name, words) = words(order);
        let captured = Captured::default();
        let started = self.start(site, (&name, &words), output, timeout, &captured);
        let (running, released) = started?;
        let clock = Arc::clone(&self.effects.clock);
        let report = running.pump(&*clock);
        complete(released, self.store.gate(), report.as_ref());
        let report = report.map_err(|error| broken(&name, &error))?;
        Ok(Ended {
            status: match report.ending {
                Ending::Exited(status) => u8::try_from(status & 0xff).unwrap_or(u8::MAX),
                Ending::Signalled(signal) => u8::try_from(128 + (signal & 0x7f)).unwrap_or(u8::MAX),
                _ => LATE,
            },
            is_late: matches!(report.ending, Ending::Limited(_)),
            output: captured.take(output)?,
        })
    }

    fn set(&mut self, site: Site, name: &str, value: Given<'_>) -> Result<(), WorldError> {
        let checked: VarName = name
            .parse()
            .map_err(|error| failed(format!("into environment {name:?}"), error))?;
        let variable = match value {
            Given::Public(text) => Variable::Public(text.into()),
            Given::Secret(value) => {
                // It moves when a process is started; that it may is decided and recorded here.
                let mut sink = LaterSink(format!("environment {checked}"));
                self.hand_over(site, &[("value", value)], &mut sink)?;
                Variable::Secret(Arc::clone(value))
            }
        };
        self.set.insert(checked.to_string(), variable);
        Ok(())
    }

    fn hands_on_secrets(&self) -> bool {
        self.set
            .values()
            .any(|variable| matches!(variable, Variable::Secret(..)))
    }
}

/// A process, and the receipt for the values that it was given.
type Started = (Running, Option<Released>);

impl World {
    fn start(
        &mut self,
        site: Site,
        (name, words): (&OsStr, &[Given<'_>]),
        output: Output,
        timeout: Option<Duration>,
        captured: &Captured,
    ) -> Result<Started, WorldError> {
        let refused = |error: RunError| broken(name, &error);
        let console = self.console(output, captured)?;
        let command = self.command(name, words, timeout).map_err(refused)?;
        let slots: Vec<String> = (1..=words.len())
            .map(|at| format!("argument:{at}"))
            .collect();
        let names: Vec<(String, Arc<Sensitive>)> = self
            .set
            .iter()
            .filter_map(|(name, variable)| match variable {
                Variable::Secret(value) => Some((format!("variable:{name}"), Arc::clone(value))),
                Variable::Public(_) => None,
            })
            .collect();
        let mut values: Vec<(&str, &Sensitive)> = Vec::new();
        for (slot, word) in slots.iter().zip(words) {
            if let Given::Secret(value) = word {
                values.push((slot, value));
            }
        }
        values.extend(names.iter().map(|(slot, value)| (slot.as_str(), &**value)));
        let spawner = Arc::clone(&self.effects.spawner);
        if values.is_empty() {
            let known = self.store.gate().known();
            let known = match output {
                Output::AsItIs => KnownSet::empty(),
                _ => known,
            };
            let running =
                run_without_secrets(command, console, &*spawner, &known).map_err(refused)?;
            return Ok((running, None));
        }
        let purpose = format!("process {}", command.resolved().executable().display());
        let is_masked = matches!(output, Output::Masked | Output::Captured);
        let mut sink =
            ProcessSink::new(command, console, &*spawner, purpose, is_masked).map_err(refused)?;
        let released = self.let_out(site, &values, &mut sink);
        match (released, sink.finish()) {
            (Ok(released), Ok(running)) => Ok((running, Some(released))),
            (Ok(released), Err(error)) => {
                let reason = error.to_string();
                released.complete(self.store.gate(), Outcome::Failed { reason }, 0);
                Err(refused(error))
            }
            (Err(WorldError::Failed { .. }), Err(error)) => Err(refused(error)),
            (Err(error), _) => Err(error),
        }
    }

    /// The command with something else in the place of what is secret.
    fn command(
        &self,
        name: &OsStr,
        words: &[Given<'_>],
        timeout: Option<Duration>,
    ) -> Result<Command, RunError> {
        let path = self.variable("PATH");
        let path = path.map_or_else(SearchPath::default, |path| SearchPath::parse(&path));
        let resolved = path.resolve(name, &self.directory)?;
        let mut environment = Environment::whole(self.variables.iter().cloned())?;
        for (name, variable) in &self.set {
            if let Variable::Public(value) = variable {
                environment.set_any(OsStr::new(name), value.clone())?;
            }
        }
        let limits = ProcessLimits {
            timeout,
            ..ProcessLimits::default()
        };
        let words = words.iter().map(|word| match word {
            Given::Public(text) => OsString::from(text),
            Given::Secret(_) => OsString::from(LATER),
        });
        // Without bounds of our own: whoever runs a script is there to end it.
        let limits = Limits::new(limits, true);
        Command::new(resolved, words, &self.directory, environment, limits)
    }

    /// What a child inherits under this name.
    fn variable(&self, name: &str) -> Option<OsString> {
        let set = match self.set.get(name) {
            Some(Variable::Public(value)) => Some(value.clone()),
            _ => None,
        };
        let inherited = || {
            let found = self.variables.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        set.or_else(inherited)
    }

    fn console(&self, output: Output, captured: &Captured) -> Result<Console, WorldError> {
        let console = Console::system().map_err(|error| failed("starting a process", error))?;
        Ok(match output {
            Output::Masked | Output::AsItIs => console,
            Output::Captured | Output::Kept => {
                console.with_output(Outlet::writer(captured.clone()))
            }
        })
    }
}

/// The command and its words. Where its name is a value, a shell is to execute it.
fn words<'a>(order: Order<'a>) -> (OsString, Vec<Given<'a>>) {
    match order {
        Order::Shell(line) => (SHELL.into(), vec![Given::Public("-c"), line]),
        Order::Program([Given::Public(name), words @ ..]) => ((*name).into(), words.to_vec()),
        Order::Program(words) => {
            let shell = ["-c", EXECUTE, "sh"].map(Given::Public);
            (SHELL.into(), shell.iter().chain(words).copied().collect())
        }
    }
}

fn broken(name: &OsStr, error: &RunError) -> WorldError {
    match error {
        // They say which program.
        RunError::NotFound { .. } | RunError::NotExecutable { .. } => {
            failed("starting a process", error)
        }
        _ => failed(name.display().to_string(), error),
    }
}

/// What a process writes that comes back to the script.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Written>>);

#[derive(Default)]
struct Written {
    /// In locked memory.
    text: SecretBuf,
    /// It was more than comes back: a part would pass for all of it.
    is_over: bool,
}

impl Captured {
    /// All of it, without the line ends at its end, as a shell takes what a command says.
    fn take(self, output: Output) -> Result<Option<Typed>, WorldError> {
        if matches!(output, Output::Masked | Output::AsItIs) {
            return Ok(None);
        }
        let written = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if written.is_over {
            let why = format!("it is more than {} MiB", CAPTURED >> 20);
            return Err(failed("its output", why));
        }
        let mut text = written.text;
        while text.as_slice().last() == Some(&b'\n') {
            text.truncate(text.len() - 1);
        }
        if output == Output::Kept {
            return Ok(Some(Typed::Secret(Sensitive::input(text))));
        }
        match std::str::from_utf8(text.as_slice()) {
            Ok(text) => Ok(Some(Typed::Public(text.to_owned()))),
            Err(_) => Err(failed("its output", "it is no text in UTF-8")),
        }
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if written.text.len() + bytes.len() > CAPTURED {
            written.is_over = true;
            return Err(io::Error::other("it wrote more than a script takes back"));
        }
        written.text.extend(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A value that waits for the processes that will be started, sealed from everybody meanwhile.
pub(super) struct LaterSink(pub(super) String);

impl Sink for LaterSink {
    type Kind = kind::Client;

    fn destination(&self) -> Destination {
        Destination::Client {
            purpose: self.0.clone(),
        }
    }

    fn accept(&mut self, _: Lent<'_>) -> Result<(), SinkError> {
        Ok(())
    }
}
