//! The meeting: what was found, what is asked, what became of it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use subrosa_engine::import::{Conflict, ImportForm, ImportOptions, Source, World};
use subrosa_engine::meeting::{
    Sighting, SightingKind, State, TakeOptions, Taken, Versioned, look, versioned,
};
use subrosa_engine::providers::Providers;
use subrosa_engine::{EngineError, Session};

use super::Init;
use crate::commands::import;
use crate::context::Context;
use crate::failure::Failure;
use crate::files;
use crate::prompt::Terminal;
use crate::table::Table;
use crate::text::{count, plain, shell_word, some_of};

/// Most variables of a file that are shown.
const SHOWN: usize = 40;

/// What is to be done, and with what.
pub(super) struct Meeting {
    providers: Providers,
    found: Vec<Sighting>,
    /// Files that were named, instead of what would be found.
    named: Vec<PathBuf>,
    folder: PathBuf,
    home: Option<PathBuf>,
    terminal: Option<Terminal>,
    options: TakeOptions,
}

/// A file whose secrets are in the vault now.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    file: String,
    #[serde(flatten)]
    taken: Taken,
    /// Whether git knows the file.
    git: Versioned,
    /// What puts the values back.
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: Option<String>,
}

impl Meeting {
    /// Looks around, where a person is there or `--yes` stands for one.
    pub(super) fn new(context: &Context, init: &Init) -> Result<Self, Failure> {
        let folder = context.directory()?;
        let home = context.variables().into_iter();
        let home = home.filter(|(name, _)| name == "HOME");
        let home = home.map(|(_, value)| PathBuf::from(value)).next();
        let global = &context.global;
        let scripted = global.passphrase_fd.is_some() || global.recovery_fd.is_some();
        let asks = !scripted && !init.no_scan && init.import.is_empty() && !init.yes;
        let terminal = match asks && context.out.shows_progress() {
            true => Terminal::open(),
            false => None,
        };
        for file in &init.import {
            // A name that was mistyped is told before a passphrase is.
            drop(files::source(context, file)?);
            if init.replace && is_json(file) {
                return Err(Failure::usage(format!(
                    "--replace changes .env files, and {} is none",
                    file.display()
                ))
                .remedy("import it by itself: subrosa import FILE"));
            }
        }
        let providers = Providers::built_in();
        let found = match init.yes || terminal.is_some() {
            true => look(&folder, home.as_deref(), &providers),
            false => Vec::new(),
        };
        Ok(Self {
            providers,
            found,
            named: init.import.clone(),
            folder,
            home,
            terminal,
            options: TakeOptions {
                prefix: init.prefix.clone(),
                conflict: Conflict::from(init.conflict),
                all: init.all,
                replace: init.yes || init.replace,
                dry_run: false,
            },
        })
    }

    /// Whether there is anything to do for a vault that is there already.
    pub(super) fn has_work(&self) -> bool {
        !self.named.is_empty() || self.found.iter().any(|one| one.secrets() > 0)
    }

    /// What was found.
    pub(super) fn found(&self) -> &[Sighting] {
        &self.found
    }

    /// Shows what was found, asks, and does what it is told.
    pub(super) fn hold(
        &mut self,
        context: &Context,
        session: &mut Session,
    ) -> Result<Vec<Done>, Failure> {
        let mut done = Vec::new();
        for path in self.named.clone() {
            let options = self.options.clone();
            done.push(self.take(context, session, &path, &options)?);
        }
        if !self.found.is_empty() {
            context.out.done(&self.shown());
        }
        let found: Vec<(PathBuf, SightingKind, usize)> = self
            .found
            .iter()
            .map(|one| (one.path.clone(), one.kind, one.secrets()))
            .filter(|(_, _, secrets)| *secrets > 0)
            .collect();
        for (path, kind, secrets) in found {
            let name = self.short(&path);
            let these = match secrets {
                1 => "the secret".to_owned(),
                more => format!("the {more} secrets"),
            };
            if !self.yes(&format!("Store {these} of {name} in the vault? [Y/n] "))? {
                continue;
            }
            let mut options = self.options.clone();
            let there = format!("Put placeholders in their place in {name}? [Y/n] ");
            options.replace = kind == SightingKind::Env && self.yes(&there)?;
            done.push(self.take(context, session, &path, &options)?);
        }
        Ok(done)
    }

    /// Without a terminal the answer was given before.
    fn yes(&mut self, question: &str) -> Result<bool, Failure> {
        match &mut self.terminal {
            Some(terminal) => terminal.yes(question),
            None => Ok(true),
        }
    }

    fn take(
        &self,
        context: &Context,
        session: &mut Session,
        path: &Path,
        options: &TakeOptions,
    ) -> Result<Done, Failure> {
        let name = self.name(path);
        let taken = match is_json(path) {
            false => session.take(path, options, &self.providers),
            true => import_json(context, session, path, options),
        };
        let taken = taken.map_err(|error| match error {
            error @ EngineError::Conflicts { .. } => Failure::from(error).remedy(
                "keep them apart: --prefix NAME/; or choose: --conflict skip, --conflict replace",
            ),
            error => error.into(),
        })?;
        let replaced = !taken.replaced_by_placeholders.is_empty();
        let done = Done {
            undo: replaced.then(|| format!("subrosa export --undo {}", shell_word(&name))),
            git: versioned(path),
            file: name,
            taken,
        };
        done.tell(context);
        Ok(done)
    }

    /// A path as a person would type it here.
    fn name(&self, path: &Path) -> String {
        let here = path.strip_prefix(&self.folder).ok();
        here.unwrap_or(path).display().to_string()
    }

    /// The same for reading, with `~`.
    fn short(&self, path: &Path) -> String {
        let home = self.home.as_ref();
        match home.and_then(|home| path.strip_prefix(home).ok()) {
            Some(rest) if !path.starts_with(&self.folder) => format!("~/{}", rest.display()),
            _ => self.name(path),
        }
    }

    /// What was found, as a person reads it: names, and never a value.
    fn shown(&self) -> String {
        let mut text = String::new();
        let mut table = Table::new(&["FILE", "VARIABLE", "SEEMS", "PROVIDER", "GOES TO"]);
        let mut claimed = false;
        for one in &self.found {
            let file = self.short(&one.path);
            for (index, variable) in one.variables.iter().take(SHOWN).enumerate() {
                let seems = match variable.state {
                    State::Secret => "a secret",
                    State::Plain => "a setting",
                    State::Replaced => "replaced",
                };
                claimed |= variable.provider.is_some();
                let once = Some(plain(&file)).filter(|_| index == 0);
                table.row(&[
                    once.unwrap_or_default().into_owned(),
                    plain(&variable.name).into_owned(),
                    seems.to_owned(),
                    variable.provider.clone().unwrap_or_default(),
                    some_of(&variable.hosts),
                ]);
            }
            if let Some(more) = one.variables.len().checked_sub(SHOWN + 1) {
                let _ = writeln!(text, "{}: {} more", plain(&file), more + 1);
            }
            if let Some(problem) = &one.problem {
                let _ = writeln!(text, "not read: {}", plain(problem));
            }
        }
        let agents: Vec<String> = self
            .found
            .iter()
            .filter_map(|one| {
                Some(format!(
                    "{} ({})",
                    one.agent?,
                    plain(&self.short(&one.path))
                ))
            })
            .collect();
        if !agents.is_empty() {
            let _ = writeln!(text, "Agents: {}", some_of(&agents));
        }
        let mut shown = String::from("\n");
        if !table.is_empty() {
            shown.push_str(&table.render());
        }
        shown.push_str(&text);
        if claimed {
            shown.push_str(
                "Nothing is pinned yet: what is pinned to a provider goes to its hosts alone, through a \
                 broker that is not built (part 6).\n",
            );
        }
        shown
    }

    /// What to type next.
    pub(super) fn next(&self, done: &[Done]) -> String {
        let key = done.iter().find_map(|one| {
            let imported = &one.taken.imported;
            let lists = [&imported.created, &imported.replaced, &imported.unchanged];
            lists.into_iter().flatten().next()
        });
        let Some(key) = key else {
            return "Next:\n  subrosa set api/key                  store a secret\n  \
                    subrosa run -k api/key -- COMMAND    use it"
                .to_owned();
        };
        let use_it = match done.iter().find(|one| one.undo.is_some()) {
            Some(one) if one.file == ".env" => "subrosa run -- COMMAND".to_owned(),
            Some(one) => format!(
                "subrosa run --env-file {} -- COMMAND",
                shell_word(&one.file)
            ),
            None => format!("subrosa run -k {} -- COMMAND", shell_word(key.as_str())),
        };
        let wide = use_it.len().max(16);
        format!(
            "Next:\n  {:wide$}    what is in the vault\n  {use_it:wide$}    use it; where no rule allows \
             it yet, it says which would\n  {:wide$}    write that rule",
            "subrosa ls", "subrosa policy edit"
        )
    }
}

impl Done {
    /// What became of the file.
    fn tell(&self, context: &Context) {
        let out = &context.out;
        let (taken, file) = (&self.taken, plain(&self.file));
        if out.json {
            return;
        }
        out.done(&format!("{file}:"));
        import::stored(context, &taken.imported, false);
        let replaced = &taken.replaced_by_placeholders;
        if !replaced.is_empty() {
            let names: Vec<&str> = replaced.iter().map(|one| one.variable.as_str()).collect();
            out.done(&format!(
                "{} in {file}: {}",
                count(names.len(), "placeholder"),
                some_of(&names)
            ));
        }
        for kept in &taken.kept {
            out.notice(&format!(
                "line {}: {} kept its value: {}",
                kept.line, kept.variable, kept.reason
            ));
        }
        if let Some(undo) = &self.undo {
            out.done(&format!("Undo: {}", plain(undo)));
        }
        let touched = !taken.imported.created.is_empty() || !replaced.is_empty();
        match self.git {
            Versioned::Yes if touched => out.warn(&format!(
                "{file} is in git, and so are its values, in every commit that had them: replace them at \
                 their providers"
            )),
            Versioned::Perhaps if touched => out.notice(&format!(
                "if {file} was ever committed, git still has the values: then replace them at their \
                 providers"
            )),
            _ => {}
        }
        if replaced.is_empty() && touched {
            out.notice("the file still holds the values");
        }
    }
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "json")
}

fn import_json(
    context: &Context,
    session: &mut Session,
    path: &Path,
    options: &TakeOptions,
) -> Result<Taken, EngineError> {
    let what = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|source| EngineError::Io {
        what: format!("{what} cannot be read"),
        source,
    })?;
    let options = ImportOptions {
        form: Some(ImportForm::Mcp),
        what,
        prefix: options.prefix.clone(),
        conflict: options.conflict,
        dry_run: false,
        all: options.all,
        world: World {
            variables: context.variables(),
            directory: PathBuf::new(),
        },
    };
    let imported = session.import(Source::File(file, path), &options)?;
    Ok(Taken {
        imported,
        ..Taken::default()
    })
}
