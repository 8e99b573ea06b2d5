//! A world that notes what it sees.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use subrosa_egress::{Labels, Sensitive};
use subrosa_script::world::{
    Cabinet, Calls, Console, Ended, Entries, Given, Order, Output, Processes, Site, Time, Typed,
    WorldError, Writing,
};
use subrosa_testkit::label;

pub(crate) struct Recorded {
    /// What anybody sees, in order.
    pub(crate) seen: Vec<String>,
    /// How often a secret came.
    pub(crate) let_out: usize,
    /// The lines of statements that came to it.
    pub(crate) reached: BTreeSet<usize>,
    values: BTreeMap<String, Arc<Sensitive>>,
    files: BTreeMap<String, String>,
    secrets_set: bool,
    names: BTreeSet<String>,
    /// What is masked in the output of processes.
    masked: BTreeSet<String>,
    /// How many steps it lets a script take.
    pub(crate) steps_left: u64,
}

fn labels(name: &str) -> Labels {
    Labels::from([label(name)])
}

impl Recorded {
    pub(crate) fn new(entries: &[(&str, &str)]) -> Self {
        let value = |(name, text): &(&str, &str)| {
            let value = Sensitive::public(text.as_bytes(), labels(name)).expect("memory");
            ((*name).to_owned(), Arc::new(value))
        };
        Self {
            seen: Vec::new(),
            let_out: 0,
            reached: BTreeSet::new(),
            values: entries.iter().map(value).collect(),
            files: BTreeMap::from([("there".to_owned(), "content".to_owned())]),
            secrets_set: false,
            names: BTreeSet::new(),
            masked: BTreeSet::new(),
            steps_left: u64::MAX,
        }
    }

    fn come(&mut self, site: Site) {
        self.reached
            .insert(usize::try_from(site.line).expect("small"));
    }

    fn see(&mut self, what: &str, given: &[Given<'_>]) -> String {
        let mut text = what.to_owned();
        for one in given {
            match one {
                Given::Public(public) => text.push_str(&format!(" {public:?}")),
                Given::Secret(_) => {
                    self.let_out += 1;
                    text.push_str(" SECRET");
                }
            }
        }
        self.seen.push(text.clone());
        text
    }
}

impl Entries for Recorded {
    fn fetch(&mut self, name: &str) -> Result<Arc<Sensitive>, WorldError> {
        let found = self.values.get(name).cloned();
        found.ok_or_else(|| WorldError::Missing {
            name: name.to_owned(),
        })
    }

    fn has(&mut self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    fn keep(&mut self, site: Site, name: &str, value: Given<'_>) -> Result<(), WorldError> {
        if let Given::Public(text) = value
            && !site.is_secret
        {
            self.masked.insert(text.to_owned());
        }
        let value = match value {
            Given::Public(text) => Sensitive::public(text.as_bytes(), labels(name)),
            Given::Secret(value) => Ok(value.tainted(&labels(name))),
        };
        self.values
            .insert(name.to_owned(), Arc::new(value.expect("memory")));
        // Which entries there are is seen by whoever lists them.
        self.names.insert(name.to_owned());
        Ok(())
    }

    fn import(&mut self, glob: &str) -> Result<usize, WorldError> {
        self.see("import", &[Given::Public(glob)]);
        Ok(0)
    }
}

impl Console for Recorded {
    fn write(&mut self, site: Site, text: Given<'_>) -> Result<(), WorldError> {
        self.come(site);
        self.see("console", &[text]);
        Ok(())
    }

    fn read(&mut self, is_hidden: bool, is_secret: bool) -> Result<Option<Typed>, WorldError> {
        self.see(if is_hidden { "read hidden" } else { "read" }, &[]);
        Ok(Some(match is_secret {
            true => Typed::Secret(Sensitive::public(b"typed", Labels::new()).expect("memory")),
            false => Typed::Public("typed".to_owned()),
        }))
    }

    fn warn(&mut self, line: &str) {
        self.seen.push(format!("error {line}"));
    }
}

impl Cabinet for Recorded {
    fn write_file(
        &mut self,
        site: Site,
        path: Given<'_>,
        content: Given<'_>,
        writing: Writing,
    ) -> Result<(), WorldError> {
        self.come(site);
        self.see(&format!("{writing:?}"), &[path, content]);
        if let (Given::Public(path), Given::Public(content)) = (path, content) {
            self.files.insert(path.to_owned(), content.to_owned());
        }
        Ok(())
    }

    fn read_file(&mut self, site: Site, path: Given<'_>, _: usize) -> Result<Typed, WorldError> {
        self.come(site);
        match path {
            Given::Public(path) => {
                let text = self.files.get(path).cloned();
                text.map(Typed::Public).ok_or_else(|| WorldError::Failed {
                    what: path.to_owned(),
                    reason: "not there".to_owned(),
                })
            }
            Given::Secret(_) => {
                self.let_out += 1;
                Ok(Typed::Public(String::new()))
            }
        }
    }

    fn create(&mut self, site: Site, path: Given<'_>) -> Result<(), WorldError> {
        self.come(site);
        self.see("create", &[path]);
        Ok(())
    }

    fn delete(&mut self, site: Site, path: Given<'_>) -> Result<(), WorldError> {
        self.come(site);
        self.see("delete", &[path]);
        Ok(())
    }

    fn rename(&mut self, site: Site, from: Given<'_>, to: Given<'_>) -> Result<(), WorldError> {
        self.come(site);
        self.see("rename", &[from, to]);
        Ok(())
    }

    fn copy(&mut self, site: Site, from: Given<'_>, to: Given<'_>) -> Result<(), WorldError> {
        self.come(site);
        self.see("copy", &[from, to]);
        Ok(())
    }

    fn list(&mut self, _: &str) -> Result<Vec<String>, WorldError> {
        // Nobody sees what is read.
        Ok(self.files.keys().cloned().collect())
    }
}

impl Processes for Recorded {
    fn run(
        &mut self,
        site: Site,
        order: Order<'_>,
        output: Output,
        timeout: Option<Duration>,
    ) -> Result<Ended, WorldError> {
        self.come(site);
        let what = format!("process {output:?} {timeout:?}");
        match order {
            Order::Shell(line) => self.see(&what, &[line]),
            Order::Program(words) => self.see(&what, words),
        };
        for masked in &self.masked {
            if let Some(seen) = self.seen.last_mut().filter(|_| !masked.is_empty()) {
                *seen = seen.replace(masked, "[MASKED]");
            }
        }
        Ok(Ended {
            status: 0,
            is_late: false,
            output: match output {
                Output::Masked | Output::AsItIs => None,
                Output::Captured => Some(Typed::Public("printed".to_owned())),
                Output::Kept => Some(Typed::Secret(
                    Sensitive::public(b"printed", Labels::new()).expect("memory"),
                )),
            },
        })
    }

    fn set(&mut self, site: Site, name: &str, value: Given<'_>) -> Result<(), WorldError> {
        self.come(site);
        self.secrets_set |= value.is_secret();
        self.see(&format!("environment {name}"), &[value]);
        Ok(())
    }

    fn hands_on_secrets(&self) -> bool {
        self.secrets_set
    }
}

impl Calls for Recorded {
    fn call(
        &mut self,
        site: Site,
        capability: &str,
        with: Option<Given<'_>>,
    ) -> Result<Typed, WorldError> {
        self.come(site);
        let with: Vec<Given<'_>> = with.into_iter().collect();
        self.see(&format!("call {capability}"), &with);
        Ok(Typed::Public("answer".to_owned()))
    }
}

impl Time for Recorded {
    fn now(&mut self) -> Duration {
        // Time is a limit that is stated: it stands still.
        Duration::ZERO
    }

    fn wait(&mut self, _: Duration) {}

    fn is_over(&mut self) -> bool {
        let left = self.steps_left.checked_sub(1);
        self.steps_left = left.unwrap_or_default();
        left.is_none()
    }
}
