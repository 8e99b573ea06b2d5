//! `run`: a command that uses secrets, whose output shows none of them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use subrosa_crypto::{Aad, SecretBuf, random};
use subrosa_egress::kind::{Environment as EnvironmentKind, File as FileKind, Stdin as StdinKind};
use subrosa_egress::{Document, DocumentForm, Facts, Kind, Permit, Released, Sensitive, Sink};
use subrosa_model::{
    Action, CommandLine, Digest, Inject, ProcessLimits, RequestId, SinkKind, UseRequest, VarName,
    Verdict,
};
use subrosa_policy::{Effect, RuleRef};
use subrosa_runner::{
    Command, Console, Environment, EnvironmentSink, FileSink, Inherited, Limits, Resolved, Running,
    SearchPath, StdinSink, run_without_secrets,
};

use crate::select::Selected;
use crate::started::{RunOutcome, StartedRun, complete};
use crate::{EngineError, Session, import};

/// Longest `.env` file that is looked through, in bytes.
const ENV_FILE_MAX: usize = 1024 * 1024;

/// Where the commands of an agent are looked for: folders that only an administrator writes.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Most bytes of output that an agent gets of one command.
const AGENT_OUTPUT: u64 = 16 * 1024 * 1024;

/// What to run, and with what.
#[derive(Debug)]
pub struct RunOptions {
    /// The command's name and its arguments.
    pub command: Vec<OsString>,
    /// Secrets to use: keys, `key#field`, globs, references.
    pub patterns: Vec<String>,
    /// Variables that are bound to a secret by name.
    pub binds: Vec<(VarName, String)>,
    /// Files whose references are resolved; `None` where whoever wants the run has read them, and
    /// nobody else is to.
    pub env_files: Option<Vec<PathBuf>>,
    /// How values reach the command; `None` takes the way that the policy allows.
    pub inject: Option<Inject>,
    /// Variables of ours that the command inherits beside the usual ones.
    pub pass: Vec<VarName>,
    /// Bounds that the user asked for; a rule's stricter ones win.
    pub limits: ProcessLimits,
    /// Our own variables, from which the command's are chosen.
    pub variables: Vec<(OsString, OsString)>,
    /// The folder in which it runs.
    pub directory: PathBuf,
    /// The umask of whoever it runs for; `None` where that is this process.
    pub mask: Option<u32>,
    /// Its resource limits and priority; `None` where that is this process.
    pub inherited: Option<Inherited>,
}

impl RunOptions {
    /// The references and placeholders in the files that are named, or in `.env` where nothing is. Read by whoever
    /// wants the run: a descriptor or a pipe among them is its own.
    ///
    /// # Errors
    /// [`EngineError::Import`] with the line that cannot be read.
    pub fn references(&self) -> Result<Vec<(VarName, String)>, EngineError> {
        let Some(named) = &self.env_files else {
            return Ok(Vec::new());
        };
        let implicit = self.patterns.is_empty() && self.binds.is_empty() && named.is_empty();
        let usual = self.directory.join(".env");
        let files = if implicit && usual.is_file() {
            std::slice::from_ref(&usual)
        } else {
            named
        };
        let mut found = Vec::new();
        for file in files {
            found.extend(references_in(file)?);
        }
        Ok(found)
    }
}

impl Session {
    /// Runs a command with secrets.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when policy does not allow it; then nothing was started.
    pub fn run(
        &mut self,
        options: RunOptions,
        console: Console,
    ) -> Result<RunOutcome, EngineError> {
        self.start_run(options, console)?.finish()
    }

    /// Starts a command with secrets. Whoever finishes the run needs no open vault for that.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn start_run(
        &mut self,
        options: RunOptions,
        console: Console,
    ) -> Result<StartedRun, EngineError> {
        let selected = self.plan(&options)?;
        self.demand_use_by_agent(&selected)?;
        self.recall()?;
        self.name_for_caller(&selected)?;
        let (options, console) = self.as_for_caller(options, console);
        let (name, words) = options
            .command
            .split_first()
            .ok_or_else(|| EngineError::usage("there is no command to run"))?;
        let path = search_path(&options.variables);
        let resolved = path.resolve(name, &options.directory)?;
        let environment = Environment::inherit(options.variables.clone(), &options.pass, &path)?;
        let wide = Limits::new(options.limits, console.on_terminal());
        let digest = if self.gate.policy().pins_executables() {
            Some(content_digest(&resolved)?)
        } else {
            None
        };
        let mut command = Command::new(
            resolved,
            words.to_vec(),
            &options.directory,
            environment,
            wide,
        )?;
        if let Some(mask) = options.mask {
            command.set_mask(mask);
        }
        if let Some(inherited) = options.inherited {
            command.set_inherited(inherited);
        }
        let spawner = Arc::clone(&self.setting.effects.spawner);
        if selected.is_empty() {
            self.heed_denials(&command, digest)?;
            let known = self.gate.known();
            let running = run_without_secrets(command, console, &*spawner, &known)?;
            let mut started = self.started(running, None);
            started.warnings = self.masking_warnings();
            return Ok(started);
        }
        let line = command.line(digest);
        let inject = self.choose_inject(options.inject, &command, &line, &selected)?;
        let facts = Facts {
            surroundings: Some(self.surroundings(&command)),
            ..Facts::default()
        };
        let request = self.request(&command, line, inject, &selected);
        let on_terminal = console.on_terminal();
        let limit = |command: &mut Command, rule: ProcessLimits| {
            command.set_limits(Limits::new(strictest(options.limits, rule), on_terminal));
        };
        let mut started = match inject {
            Inject::Env => {
                let permit = self
                    .gate
                    .authorize::<EnvironmentKind>(request, facts)
                    .wait()?;
                limit(&mut command, permit.limits());
                let sink = EnvironmentSink::new(command, console, &*spawner)?;
                self.deliver(permit, &selected, sink, EnvironmentSink::finish)?
            }
            Inject::File => {
                let permit = self.gate.authorize::<FileKind>(request, facts).wait()?;
                limit(&mut command, permit.limits());
                let sink = FileSink::new(command, console, &*spawner, &memory_folders(&options))?;
                self.deliver(permit, &selected, sink, FileSink::finish)?
            }
            Inject::Stdin => {
                let permit = self.gate.authorize::<StdinKind>(request, facts).wait()?;
                limit(&mut command, permit.limits());
                let sink = StdinSink::new(command, console, &*spawner)?;
                self.deliver_document(permit, &selected, sink)?
            }
            _ => return Err(not_built()),
        };
        started.used = selected.iter().map(Selected::name).collect();
        started.warnings = self.masking_warnings();
        Ok(started)
    }

    /// An agent has commands run here for the secrets in them, none of which it could guess: one
    /// without any is its own to run, in whatever holds it.
    fn demand_use_by_agent(&mut self, selected: &[Selected]) -> Result<(), EngineError> {
        if self.caller.kind.agent().is_none() {
            return Ok(());
        }
        if selected.is_empty() {
            let reason = "an agent runs a command here to have it use secrets: name them with -k";
            return Err(self.refuse(EngineError::usage(reason)));
        }
        let values = self.open_all(selected)?;
        if values.iter().any(Sensitive::is_guessable) {
            let error = subrosa_egress::ReleaseError::Guessable;
            return Err(self.refuse(error.into()));
        }
        Ok(())
    }

    /// An agent gets output when the command is over, and a bounded amount of it: what is held back
    /// meanwhile, and when it comes, would tell it of the values (attack 43).
    fn as_for_caller(&self, mut options: RunOptions, console: Console) -> (RunOptions, Console) {
        if self.caller.kind.agent().is_none() {
            return (options, console);
        }
        // Where the caller says that programs are, it could have put its own.
        options.variables.retain(|(name, _)| name != "PATH");
        options.variables.push(("PATH".into(), SYSTEM_PATH.into()));
        let most = options.limits.output.unwrap_or(AGENT_OUTPUT);
        options.limits.output = Some(most.min(AGENT_OUTPUT));
        (options, console.until_the_end())
    }

    /// Has masks name to an agent what is within its reach, and nothing else.
    fn name_for_caller(&mut self, selected: &[Selected]) -> Result<(), EngineError> {
        let mut named = self.nameable()?;
        if let Some(named) = &mut named {
            named.extend(selected.iter().map(|one| one.wanted.label.secret));
        }
        self.gate.name_only(named);
        Ok(())
    }

    fn started(&self, running: Running, released: Option<Released>) -> StartedRun {
        let clock = Arc::clone(&self.setting.effects.clock);
        StartedRun::new(running, released, (self.gate.clone(), clock))
    }

    /// Refuses a command that the policy denies by name. One that uses no secret needs nobody's
    /// leave, but who wrote a denial meant every run.
    fn heed_denials(
        &mut self,
        command: &Command,
        digest: Option<Digest>,
    ) -> Result<(), EngineError> {
        let request = self.request(command, command.line(digest), Inject::Env, &[]);
        let explained = self.gate.policy().explain(&request);
        let denied = explained.steps.iter().any(|step| {
            step.applies
                && step.effect == Effect::Deny
                && matches!(step.rule, RuleRef::DeniedCommand(_) | RuleRef::Rule { .. })
        });
        if denied && explained.decision.verdict == Verdict::Deny {
            let facts = Facts {
                surroundings: Some(self.surroundings(command)),
                ..Facts::default()
            };
            drop(
                self.gate
                    .authorize::<EnvironmentKind>(request, facts)
                    .wait()?,
            );
        }
        Ok(())
    }

    /// Decides what [`Session::run`] would be told, and starts nothing.
    ///
    /// # Errors
    /// As [`Session::run`], without the refusal.
    pub fn explain_run(
        &mut self,
        options: &RunOptions,
    ) -> Result<subrosa_policy::Explanation, EngineError> {
        let selected = self.plan(options)?;
        let (name, words) = options
            .command
            .split_first()
            .ok_or_else(|| EngineError::usage("there is no command to explain"))?;
        let path = search_path(&options.variables);
        let resolved = path.resolve(name, &options.directory)?;
        let environment = Environment::inherit(Vec::new(), &[], &path)?;
        let digest = if self.gate.policy().pins_executables() {
            Some(content_digest(&resolved)?)
        } else {
            None
        };
        let limits = Limits::new(options.limits, false);
        let command = Command::new(
            resolved,
            words.to_vec(),
            &options.directory,
            environment,
            limits,
        )?;
        let line = command.line(digest);
        let inject = match options.inject {
            Some(inject) => inject,
            None => {
                let request = self.request(&command, line.clone(), Inject::Env, &selected);
                self.gate.policy().usual_inject(&request)
            }
        };
        let inject = if inject == Inject::Placeholder {
            Inject::Env
        } else {
            inject
        };
        let request = self.request(&command, line, inject, &selected);
        Ok(self.gate.policy().explain(&request))
    }

    /// All secrets that the options name, one a variable.
    fn plan(&mut self, options: &RunOptions) -> Result<Vec<Selected>, EngineError> {
        let mut plan: BTreeMap<VarName, Selected> = BTreeMap::new();
        let mut add = |selected: Selected| match plan.get(&selected.variable) {
            Some(first) if first.wanted != selected.wanted => Err(EngineError::Collision {
                variable: selected.variable.clone(),
                first: first.name(),
                second: selected.name(),
            }),
            _ => {
                plan.insert(selected.variable.clone(), selected);
                Ok(())
            }
        };
        for pattern in &options.patterns {
            for selected in self.select(pattern)? {
                add(selected)?;
            }
        }
        let mut binds = options.binds.clone();
        binds.extend(options.references()?);
        for (variable, what) in binds {
            let selected = self.select(&what);
            let selected = selected.map_err(|error| error.about_variable(&variable));
            let mut selected = selected?.into_iter();
            match (selected.next(), selected.next()) {
                (Some(one), None) => add(Selected { variable, ..one })?,
                _ => {
                    let reason =
                        format!("{what} is more than one value; name a field: {what}#FIELD");
                    return Err(EngineError::usage(reason));
                }
            }
        }
        Ok(plan.into_values().collect())
    }

    fn choose_inject(
        &self,
        asked: Option<Inject>,
        command: &Command,
        line: &CommandLine,
        selected: &[Selected],
    ) -> Result<Inject, EngineError> {
        match asked {
            Some(Inject::Placeholder) => Err(not_built()),
            Some(inject) => Ok(inject),
            None => {
                let request = self.request(command, line.clone(), Inject::Env, selected);
                match self.gate.policy().usual_inject(&request) {
                    // Nothing allows a value: the refusal of the plainest way says what would.
                    Inject::Placeholder => Ok(Inject::Env),
                    inject => Ok(inject),
                }
            }
        }
    }

    fn request(
        &self,
        command: &Command,
        line: CommandLine,
        inject: Inject,
        selected: &[Selected],
    ) -> UseRequest {
        UseRequest {
            id: RequestId::from_bytes(random(&*self.setting.effects.rng)),
            caller: self.caller.clone(),
            action: Action::Run,
            secrets: selected
                .iter()
                .map(|selected| selected.wanted.clone())
                .collect(),
            sink: match inject {
                Inject::File => SinkKind::File,
                Inject::Stdin => SinkKind::Stdin,
                _ => SinkKind::Environment,
            },
            destination: command.destination(inject),
            place: None,
            command: Some(line),
            capability: None,
            time: self.now(),
        }
    }

    fn surroundings(&self, command: &Command) -> Digest {
        let parts = command
            .environment()
            .iter()
            .fold(Aad::new("subrosa/environment/v1"), |aad, (name, value)| {
                aad.bytes(name.as_bytes()).bytes(value.as_bytes())
            });
        self.gate.surroundings(&parts)
    }

    pub(crate) fn open_all(
        &mut self,
        selected: &[Selected],
    ) -> Result<Vec<Sensitive>, EngineError> {
        let mut values = Vec::new();
        for one in selected {
            let field = &one.wanted.label.field;
            values.push(self.vault.open_value(
                &mut self.journal,
                &one.located,
                field,
                one.version,
            )?);
        }
        Ok(values)
    }

    fn deliver<S: Sink>(
        &mut self,
        permit: Permit<S::Kind>,
        selected: &[Selected],
        mut sink: S,
        finish: fn(S) -> Result<Running, subrosa_runner::RunError>,
    ) -> Result<StartedRun, EngineError>
    where
        S::Kind: Kind,
    {
        self.remember(selected)?;
        let values = self.open_all(selected)?;
        let lent: Vec<(&str, &Sensitive)> = selected
            .iter()
            .map(|one| one.variable.as_str())
            .zip(&values)
            .collect();
        let released = self.gate.release(permit, &lent, &mut sink);
        // They are the command's now; ours are wiped before it has run for long.
        drop(values);
        self.settle(released, sink, finish)
    }

    /// Standard input takes one value: a single secret as it is, several as dotenv lines.
    fn deliver_document(
        &mut self,
        permit: Permit<StdinKind>,
        selected: &[Selected],
        mut sink: StdinSink,
    ) -> Result<StartedRun, EngineError> {
        self.remember(selected)?;
        let values = self.open_all(selected)?;
        let released = match values.as_slice() {
            [one] => self.gate.release(permit, &[("stdin", one)], &mut sink),
            several => {
                // The parts must be known to the redactor, not only the document of them.
                self.gate.learn(several.iter())?;
                let names: Vec<String> = selected
                    .iter()
                    .map(|one| one.variable.to_string())
                    .collect();
                // And each as the document writes it, with what it escapes.
                let lines: Vec<Sensitive> = names
                    .iter()
                    .zip(several)
                    .map(|(name, value)| {
                        let line = Document::new(DocumentForm::Dotenv, vec![name.clone()]);
                        Sensitive::derive(&line, &[value])
                    })
                    .collect::<Result<_, _>>()?;
                self.gate.learn(lines.iter())?;
                let document = Document::new(DocumentForm::Dotenv, names);
                let inputs: Vec<&Sensitive> = several.iter().collect();
                let whole = Sensitive::derive(&document, &inputs)?;
                self.gate.release(permit, &[("stdin", &whole)], &mut sink)
            }
        };
        drop(values);
        self.settle(released, sink, StdinSink::finish)
    }

    /// What a sink started, with what its completion needs.
    fn settle<S>(
        &self,
        released: Result<Released, subrosa_egress::ReleaseError>,
        sink: S,
        finish: fn(S) -> Result<Running, subrosa_runner::RunError>,
    ) -> Result<StartedRun, EngineError> {
        let released = match released {
            Ok(released) => released,
            // The runner knows more of why, and with which status to exit.
            Err(error @ subrosa_egress::ReleaseError::Sink(_)) => {
                finish(sink)?;
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        };
        match finish(sink) {
            Ok(running) => Ok(self.started(running, Some(released))),
            Err(error) => {
                complete(Some(released), &self.gate, Err(&error));
                Err(error.into())
            }
        }
    }
}

fn not_built() -> EngineError {
    EngineError::NotBuilt {
        what: "placeholders, which the broker swaps on the wire".to_owned(),
        part: 6,
    }
}

fn search_path(variables: &[(OsString, OsString)]) -> SearchPath {
    let path = variables
        .iter()
        .find(|(name, _)| name == "PATH")
        .map(|(_, value)| value);
    path.map_or_else(SearchPath::default, |path| SearchPath::parse(path))
}

fn memory_folders(options: &RunOptions) -> Vec<PathBuf> {
    let runtime = options
        .variables
        .iter()
        .find(|(name, _)| name == "XDG_RUNTIME_DIR");
    let runtime = runtime
        .map(|(_, value)| PathBuf::from(value))
        .filter(|path| path.is_absolute());
    runtime
        .into_iter()
        .chain([PathBuf::from("/dev/shm")])
        .collect()
}

fn strictest(asked: ProcessLimits, rule: ProcessLimits) -> ProcessLimits {
    fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
        match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
    ProcessLimits {
        timeout: least(asked.timeout, rule.timeout),
        output: least(asked.output, rule.output),
        memory: least(asked.memory, rule.memory),
        processes: least(asked.processes, rule.processes),
    }
}

/// SHA-256 of the file that will be executed, for rules that name one.
fn content_digest(resolved: &Resolved) -> Result<Digest, EngineError> {
    let what = || format!("reading {}", resolved.executable().display());
    let mut file = resolved.open().map_err(EngineError::io(what()))?;
    let digest = subrosa_crypto::sha256_reader(&mut file).map_err(EngineError::io(what()))?;
    Ok(Digest::from_bytes(digest))
}

/// The variables of a dotenv file that are references to secrets, or placeholders for them.
fn references_in(path: &std::path::Path) -> Result<Vec<(VarName, String)>, EngineError> {
    let what = path.display().to_string();
    let mut file = std::fs::File::open(path).map_err(EngineError::io(format!("opening {what}")))?;
    let text = SecretBuf::read_to_end(&mut file, ENV_FILE_MAX)?;
    let mut found = Vec::new();
    for entry in import::dotenv::parse(&what, &text)? {
        if let Some(reference) = entry.reference() {
            found.push((VarName::new(entry.name)?, reference));
        }
    }
    Ok(found)
}
