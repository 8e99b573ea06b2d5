//! A world for scripts, in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use subrosa_egress::{Labels, Sensitive};
use subrosa_model::{FieldName, KeyName, Label, SecretId, WorkspaceId};
use subrosa_script::run::{Ending, Report};
use subrosa_script::syntax::Source;
use subrosa_script::world::{
    Cabinet, Calls, Console, Ended, Entries, Given, Order, Output, Processes, Site, Time, Typed,
    WorldError, Writing,
};

/// Statements and turns of loops in one run.
const STEPS: u32 = 3000;
/// Bytes that one run may show and keep.
const BYTES: usize = 4 << 20;
/// How long one run may take: a statement may move much that nobody sees.
const TIME: Duration = Duration::from_millis(500);

/// What anybody sees of a run.
#[derive(Debug, PartialEq, Eq)]
pub struct Shown {
    /// What came to the world, a line each.
    pub seen: String,
    /// The memo.
    pub memo: String,
    /// How it ended.
    pub ending: Ending,
    /// Whether a secret decided that.
    pub is_by_secret: bool,
    /// Whether it ran out of steps, bytes or time.
    pub is_over: bool,
    /// The lines by which secrets left.
    pub let_out: Vec<usize>,
    /// The names of the entries that were not in the vault before.
    pub entries: Vec<String>,
    /// Its files.
    pub files: BTreeMap<String, String>,
}

/// It has any entry but those that begin with `NO`, all with one secret, which is also what is typed
/// where that is to be one.
pub struct World {
    secret: String,
    seen: String,
    let_out: Vec<usize>,
    entries: BTreeMap<String, Arc<Sensitive>>,
    files: BTreeMap<String, String>,
    hands_on_secrets: bool,
    reads: usize,
    steps: u32,
    bytes: usize,
    began: Instant,
    is_over: bool,
}

fn sensitive(text: &str, labels: Labels) -> Sensitive {
    Sensitive::public(text.as_bytes(), labels).expect("memory")
}

/// The label of an entry, where it may have that name.
fn labels(name: &str) -> Result<Labels, WorldError> {
    let missing = |_| WorldError::Missing {
        name: name.to_owned(),
    };
    let key = KeyName::new(name).map_err(missing)?;
    let mut id = [0_u8; 16];
    for (at, byte) in name.bytes().enumerate() {
        id[at % 16] = byte.wrapping_add(id[at % 16].rotate_left(3));
    }
    Ok(Labels::from([Label {
        workspace: WorkspaceId::from_bytes([1; 16]),
        secret: SecretId::from_bytes(id),
        key,
        field: FieldName::default_field(),
        version: 1,
        pin: None,
    }]))
}

fn failed(what: &str, reason: &str) -> WorldError {
    WorldError::Failed {
        what: what.to_owned(),
        reason: reason.to_owned(),
    }
}

impl World {
    /// One whose entries hold this.
    pub fn new(secret: &str) -> Self {
        Self {
            secret: secret.to_owned(),
            seen: String::new(),
            let_out: Vec::new(),
            entries: BTreeMap::new(),
            files: BTreeMap::from([("there".to_owned(), "content".to_owned())]),
            hands_on_secrets: false,
            reads: 0,
            steps: 0,
            bytes: 0,
            began: Instant::now(),
            is_over: false,
        }
    }

    /// What it came to.
    pub fn shown(mut self, memo: Vec<u8>, report: &Report, source: &Source) -> Shown {
        if let Some(diagnostic) = &report.diagnostic {
            self.seen.push_str(&diagnostic.render(source));
        }
        Shown {
            seen: self.seen,
            memo: String::from_utf8(memo).expect("a text"),
            ending: report.ending,
            is_by_secret: report.is_by_secret,
            is_over: self.is_over,
            let_out: self.let_out,
            // The others are there in any case.
            entries: (self.entries.into_keys())
                .filter(|name| name.starts_with("NO"))
                .collect(),
            files: self.files,
        }
    }

    /// Notes what leaves; what of it is public, and `None` where there is a secret.
    fn see(&mut self, site: Site, what: &str, given: &[Given<'_>]) -> Option<String> {
        let mut public = Some(String::new());
        self.seen.push_str(what);
        for one in given {
            match one {
                Given::Public(text) => {
                    self.spend(text.len());
                    self.seen.push_str(&format!(" {text:?}"));
                    if let Some(public) = &mut public {
                        public.push_str(text);
                    }
                }
                Given::Secret(_) => {
                    self.let_out
                        .push(usize::try_from(site.line).expect("small"));
                    self.seen.push_str(" SECRET");
                    public = None;
                }
            }
        }
        self.seen.push('\n');
        public
    }

    fn spend(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.is_over |= self.bytes > BYTES;
    }

    fn typed(&self, is_secret: bool, text: &str) -> Typed {
        match is_secret {
            true => Typed::Secret(sensitive(&self.secret, Labels::new())),
            false => Typed::Public(text.to_owned()),
        }
    }

    /// A path, where it is of a file that is there or not, as it should be.
    fn path(&self, path: Option<String>, is_there: bool) -> Result<String, WorldError> {
        let path = path.ok_or_else(|| failed("a file", "it has no such path"))?;
        match self.files.contains_key(&path) == is_there {
            true => Ok(path),
            false if is_there => Err(failed(&path, "it is not there")),
            false => Err(failed(&path, "it is there")),
        }
    }
}

impl Entries for World {
    fn fetch(&mut self, name: &str) -> Result<Arc<Sensitive>, WorldError> {
        if let Some(value) = self.entries.get(name) {
            return Ok(Arc::clone(value));
        }
        match name.starts_with("NO") {
            true => Err(WorldError::Missing {
                name: name.to_owned(),
            }),
            false => Ok(Arc::new(sensitive(&self.secret, labels(name)?))),
        }
    }

    fn has(&mut self, name: &str) -> bool {
        self.fetch(name).is_ok()
    }

    fn keep(&mut self, _: Site, name: &str, value: Given<'_>) -> Result<(), WorldError> {
        let labels = labels(name)?;
        let value = match value {
            Given::Public(text) => {
                self.spend(text.len());
                sensitive(text, labels)
            }
            Given::Secret(value) => value.tainted(&labels),
        };
        self.entries.insert(name.to_owned(), Arc::new(value));
        Ok(())
    }

    fn import(&mut self, glob: &str) -> Result<usize, WorldError> {
        let site = Site {
            line: 0,
            is_secret: false,
        };
        self.see(site, "import", &[Given::Public(glob)]);
        if !glob.contains('*') {
            return Ok(0);
        }
        let value = sensitive(&self.secret, labels("VARIABLE")?);
        self.entries.insert("VARIABLE".to_owned(), Arc::new(value));
        Ok(1)
    }
}

impl Console for World {
    fn write(&mut self, site: Site, text: Given<'_>) -> Result<(), WorldError> {
        self.see(site, "console", &[text]);
        Ok(())
    }

    fn read(&mut self, is_hidden: bool, is_secret: bool) -> Result<Option<Typed>, WorldError> {
        self.seen
            .push_str(if is_hidden { "read hidden\n" } else { "read\n" });
        self.reads += 1;
        let texts = ["typed", "", "7"];
        let text = texts.get(self.reads % 4);
        Ok(text.map(|text| self.typed(is_secret, text)))
    }

    fn warn(&mut self, line: &str) {
        self.spend(line.len());
        self.seen.push_str(&format!("error {line}\n"));
    }
}

impl Cabinet for World {
    fn write_file(
        &mut self,
        site: Site,
        path: Given<'_>,
        content: Given<'_>,
        writing: Writing,
    ) -> Result<(), WorldError> {
        self.see(site, &format!("{writing:?}"), &[path, content]);
        if let (Given::Public(path), Given::Public(content)) = (path, content) {
            let file = self.files.entry(path.to_owned()).or_default();
            if writing == Writing::Replace {
                file.clear();
            }
            file.push_str(content);
        }
        Ok(())
    }

    fn read_file(
        &mut self,
        site: Site,
        path: Given<'_>,
        limit: usize,
    ) -> Result<Typed, WorldError> {
        // Nobody sees what is read.
        let Given::Public(path) = path else {
            self.see(site, "read file", &[path]);
            return Ok(self.typed(true, ""));
        };
        let path = self.path(Some(path.to_owned()), true)?;
        let text = self.files[&path].clone();
        self.spend(text.len());
        match text.len() > limit {
            true => Err(failed(&path, "it is too long")),
            false => Ok(Typed::Public(text)),
        }
    }

    fn create(&mut self, site: Site, path: Given<'_>) -> Result<(), WorldError> {
        let path = self.see(site, "create", &[path]);
        let path = self.path(path, false)?;
        self.files.insert(path, String::new());
        Ok(())
    }

    fn delete(&mut self, site: Site, path: Given<'_>) -> Result<(), WorldError> {
        let path = self.see(site, "delete", &[path]);
        let path = self.path(path, true)?;
        self.files.remove(&path);
        Ok(())
    }

    fn rename(&mut self, site: Site, from: Given<'_>, to: Given<'_>) -> Result<(), WorldError> {
        self.copy(site, from, to)?;
        self.delete(site, from)
    }

    fn copy(&mut self, site: Site, from: Given<'_>, to: Given<'_>) -> Result<(), WorldError> {
        let (from, to) = (self.see(site, "copy", &[from]), self.see(site, "to", &[to]));
        let (from, to) = (self.path(from, true)?, self.path(to, false)?);
        let content = self.files[&from].clone();
        self.spend(content.len());
        self.files.insert(to, content);
        Ok(())
    }

    fn list(&mut self, path: &str) -> Result<Vec<String>, WorldError> {
        // Nobody sees what is read.
        match path.is_empty() {
            true => Err(failed(path, "it is no folder")),
            false => Ok(self.files.keys().cloned().collect()),
        }
    }
}

impl Processes for World {
    fn run(
        &mut self,
        site: Site,
        order: Order<'_>,
        output: Output,
        timeout: Option<Duration>,
    ) -> Result<Ended, WorldError> {
        let what = format!("process {output:?}");
        let words = match order {
            Order::Shell(line) => self.see(site, &what, &[line]),
            Order::Program(words) => self.see(site, &what, words),
        };
        let words = words.unwrap_or_default();
        let printed = words.strip_prefix("echo").unwrap_or("printed");
        let output = match output {
            Output::Masked | Output::AsItIs => None,
            Output::Captured | Output::Kept => Some(self.typed(output == Output::Kept, printed)),
        };
        Ok(Ended {
            status: u8::from(words.starts_with("false")),
            is_late: timeout.is_some() && words.starts_with("sleep"),
            output,
        })
    }

    fn set(&mut self, site: Site, name: &str, value: Given<'_>) -> Result<(), WorldError> {
        self.hands_on_secrets |= value.is_secret();
        self.see(site, "environment", &[Given::Public(name), value]);
        match name.is_empty() || name.contains(['=', '\0']) {
            true => Err(failed("a variable", "none has that name")),
            false => Ok(()),
        }
    }

    fn hands_on_secrets(&self) -> bool {
        self.hands_on_secrets
    }
}

impl Calls for World {
    fn call(
        &mut self,
        site: Site,
        capability: &str,
        with: Option<Given<'_>>,
    ) -> Result<Typed, WorldError> {
        let given: Vec<Given<'_>> = [Given::Public(capability)]
            .into_iter()
            .chain(with)
            .collect();
        self.see(site, "call", &given);
        match capability {
            "" => Err(WorldError::NotBuilt { part: 6 }),
            _ => Ok(self.typed(capability.starts_with('s'), "answer")),
        }
    }
}

impl Time for World {
    fn now(&mut self) -> Duration {
        // How long something takes is shown, and no run takes as long as another.
        Duration::ZERO
    }

    fn wait(&mut self, _: Duration) {}

    fn is_over(&mut self) -> bool {
        self.steps += 1;
        self.is_over |= self.steps > STEPS || self.began.elapsed() > TIME;
        self.is_over
    }
}
