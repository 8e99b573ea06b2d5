//! The vault as a script sees it.

use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use globset::Glob;
use subrosa_crypto::SecretBuf;
use subrosa_egress::Sensitive;
use subrosa_script::world::{Entries, Given, Site, WorldError};

use super::process::LaterSink;
use super::{World, failed};

impl Entries for World {
    fn fetch(&mut self, name: &str) -> Result<Arc<Sensitive>, WorldError> {
        let value = self.store.fetch(name)?.ok_or_else(|| WorldError::Missing {
            name: name.to_owned(),
        })?;
        Ok(Arc::new(value))
    }

    fn has(&mut self, name: &str) -> bool {
        self.store.has(name)
    }

    fn keep(&mut self, site: Site, name: &str, value: Given<'_>) -> Result<(), WorldError> {
        let no_memory = |error| failed(format!("vault {name:?}"), error);
        match value {
            Given::Secret(value) => {
                if !value.labels().is_empty() {
                    // Under another name other rules hold, and no pin: that is a way out like any.
                    let mut sink = LaterSink(format!("vault {name}"));
                    let values = [("value", &**value)];
                    match site.is_secret {
                        // What is handed out is masked, and that it is would tell that it was.
                        true => drop(self.permit(site, &values, &sink)?),
                        false => self.hand_over(site, &values, &mut sink)?,
                    }
                }
                self.store.keep(name, value, !site.is_secret)?;
            }
            Given::Public(text) => {
                let text = SecretBuf::copy_from(text.as_bytes()).map_err(no_memory)?;
                let text = Sensitive::input(text);
                self.store.keep(name, &text, !site.is_secret)?;
            }
        }
        match site.is_secret {
            true => Ok(()),
            false => self.learn(name),
        }
    }

    fn import(&mut self, glob: &str) -> Result<usize, WorldError> {
        let glob = Glob::new(glob).map_err(|error| failed("system filter", error))?;
        let glob = glob.compile_matcher();
        let (taken, left) = std::mem::take(&mut self.variables)
            .into_iter()
            .partition(|(name, _)| name.to_str().is_some_and(|name| glob.is_match(name)));
        self.variables = left;
        let taken: Vec<_> = taken;
        for (name, value) in &taken {
            let name = name.to_string_lossy();
            let value = SecretBuf::copy_from(value.as_bytes())
                .map_err(|error| failed(format!("vault {name:?}"), error))?;
            self.store.keep(&name, &Sensitive::input(value), true)?;
            self.learn(&name)?;
        }
        Ok(taken.len())
    }
}

impl World {
    /// What is in the vault is masked in what children print.
    fn learn(&mut self, name: &str) -> Result<(), WorldError> {
        let Some(value) = self.store.fetch(name)? else {
            return Ok(());
        };
        self.store
            .gate()
            .learn(std::iter::once(&value))
            .map_err(|error| failed(format!("vault {name:?}"), error))
    }
}
