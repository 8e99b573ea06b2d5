//! Files and folders of a script.

use std::path::{Path, PathBuf};

use subrosa_egress::Sensitive;
use subrosa_runner::{FileChange, PathSink, ReadSink, WriteSink};
use subrosa_script::world::{Cabinet, Given, Site, Typed, WorldError, Writing};

use super::{World, failed};

impl Cabinet for World {
    fn write_file(
        &mut self,
        site: Site,
        path: Given<'_>,
        content: Given<'_>,
        writing: Writing,
    ) -> Result<(), WorldError> {
        let is_added = writing == Writing::Append;
        if let (Given::Public(path), Given::Public(content)) = (path, content) {
            let written = self
                .files
                .write(Path::new(path), content.as_bytes(), is_added);
            return written.map_err(|error| failed(path, error));
        }
        let content_of = |given: Given<'_>| match given {
            Given::Public(text) => Some(text.as_bytes().to_vec()),
            Given::Secret(_) => None,
        };
        let mut sink = WriteSink::new(
            self.files.clone(),
            public(Some(path)),
            content_of(content),
            is_added,
        );
        let values = values(&[("path", Some(path)), ("content", Some(content))]);
        self.hand_over(site, &values, &mut sink)
    }

    fn read_file(
        &mut self,
        site: Site,
        path: Given<'_>,
        limit: usize,
    ) -> Result<Typed, WorldError> {
        match path {
            Given::Public(path) => {
                let text = self.files.read(Path::new(path), limit);
                text.map(Typed::Public).map_err(|error| failed(path, error))
            }
            Given::Secret(path) => {
                let mut sink = ReadSink::new(self.files.clone(), limit);
                self.hand_over(site, &[("path", path)], &mut sink)?;
                let text = sink
                    .take()
                    .ok_or_else(|| failed("cabinet read", "nothing was read"))?;
                Ok(Typed::Secret(text))
            }
        }
    }

    fn create(&mut self, site: Site, path: Given<'_>) -> Result<(), WorldError> {
        self.change(site, FileChange::Create, path, None)
    }

    fn delete(&mut self, site: Site, path: Given<'_>) -> Result<(), WorldError> {
        self.change(site, FileChange::Delete, path, None)
    }

    fn rename(&mut self, site: Site, from: Given<'_>, to: Given<'_>) -> Result<(), WorldError> {
        self.change(site, FileChange::Rename, from, Some(to))
    }

    fn copy(&mut self, site: Site, from: Given<'_>, to: Given<'_>) -> Result<(), WorldError> {
        self.change(site, FileChange::Copy, from, Some(to))
    }

    fn list(&mut self, path: &str) -> Result<Vec<String>, WorldError> {
        let names = self.files.list(Path::new(path));
        names.map_err(|error| failed(path, error))
    }
}

impl World {
    fn change(
        &mut self,
        site: Site,
        change: FileChange,
        path: Given<'_>,
        to: Option<Given<'_>>,
    ) -> Result<(), WorldError> {
        let given = [("path", Some(path)), ("to", to)];
        let values = values(&given);
        let mut sink = PathSink::new(self.files.clone(), change, public(Some(path)), public(to));
        if values.is_empty() {
            return sink.change().map_err(|error| {
                // It is where it should go that something is.
                let is_there = error.kind() == std::io::ErrorKind::AlreadyExists;
                match to.filter(|_| is_there).unwrap_or(path) {
                    Given::Public(path) => failed(path, error),
                    Given::Secret(_) => failed("", error),
                }
            });
        }
        self.hand_over(site, &values, &mut sink)
    }
}

fn public(given: Option<Given<'_>>) -> Option<PathBuf> {
    match given {
        Some(Given::Public(text)) => Some(text.into()),
        _ => None,
    }
}

/// The values among what is given, with their slots.
fn values<'a>(given: &[(&'a str, Option<Given<'a>>)]) -> Vec<(&'a str, &'a Sensitive)> {
    let value = |(slot, given): &(&'a str, Option<Given<'a>>)| match given {
        Some(Given::Secret(value)) => Some((*slot, &***value)),
        _ => None,
    };
    given.iter().filter_map(value).collect()
}
