//! Reads ARCHITECTURE.md: the arrows and the tables that rules compare with.
//!
//! ```text
//! F0 model ->
//! F2 egress -> model crypto policy audit redact
//! F1 wire -> model crypto @ part 2
//! ```
//!
//! A line with `@ part N` is planned: a room that has no other line is not there yet, and one
//! that has gets these arrows later.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::tree::Tree;

/// The file's name.
pub(super) const FILE: &str = "ARCHITECTURE.md";
const RULE: &str = "architecture";

/// What ARCHITECTURE.md says.
#[derive(Debug, Default)]
pub(super) struct Architecture {
    /// Rooms that stand, by name.
    pub(super) rooms: BTreeMap<String, Room>,
    /// Rooms that are planned, with the part that builds them.
    pub(super) planned: BTreeMap<String, String>,
    tables: BTreeMap<String, Vec<Entry>>,
}

/// A room's line in the arrows.
#[derive(Debug)]
pub(super) struct Room {
    /// Floor, from 0.
    pub(super) floor: u32,
    /// Rooms it may use.
    pub(super) uses: BTreeSet<String>,
    /// Line in ARCHITECTURE.md.
    pub(super) line: usize,
}

/// A row of a table, cells stripped of code marks.
#[derive(Debug)]
pub(super) struct Entry {
    /// Line in ARCHITECTURE.md.
    pub(super) line: usize,
    cells: Vec<String>,
}

impl Entry {
    /// A cell, empty where the row is short.
    pub(super) fn cell(&self, index: usize) -> &str {
        self.cells.get(index).map_or("", String::as_str)
    }
}

impl Architecture {
    /// Reads the file; what cannot be read is a problem.
    pub(super) fn read(tree: &Tree) -> (Self, Vec<Problem>) {
        let mut this = Self::default();
        let Some(text) = tree.text(FILE) else {
            return (
                this,
                vec![Problem::new(RULE, FILE, 0, "the file is missing")],
            );
        };
        let mut problems = Vec::new();
        let mut heading = String::new();
        let mut in_arrows = false;
        let mut in_code = false;
        let mut seen = false;
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            if line.starts_with("```") {
                in_arrows = !in_code && line.trim() == "```arrows";
                seen |= in_arrows;
                in_code = !in_code;
            } else if in_arrows {
                if let Err(why) = this.arrow(line, number) {
                    problems.push(Problem::new(RULE, FILE, number, why));
                }
            } else if in_code {
            } else if let Some(title) = line.strip_prefix('#') {
                heading = title.trim_start_matches('#').trim().to_lowercase();
            } else if line.starts_with('|') {
                this.row(&heading, line, number);
            }
        }
        if !seen {
            problems.push(Problem::new(RULE, FILE, 0, "no block ```arrows"));
        }
        // A table's first two rows are its heading and the rule below it.
        for entries in this.tables.values_mut() {
            entries.drain(..entries.len().min(2));
        }
        (this, problems)
    }

    /// Rows of the table below a heading; none when there is no such table.
    pub(super) fn table(&self, heading: &str) -> &[Entry] {
        self.tables
            .get(&heading.to_lowercase())
            .map_or(&[], Vec::as_slice)
    }

    fn row(&mut self, heading: &str, line: &str, number: usize) {
        let cells = line.trim().trim_matches('|').split('|');
        let cells = cells
            .map(|cell| cell.trim().trim_matches('`').to_owned())
            .collect();
        self.tables
            .entry(heading.to_owned())
            .or_default()
            .push(Entry {
                line: number,
                cells,
            });
    }

    fn arrow(&mut self, line: &str, number: usize) -> Result<(), String> {
        if line.trim().is_empty() {
            return Ok(());
        }
        let wrong = || format!("`{line}` is not `F<floor> <room> -> <rooms> [@ part N]`");
        let (drawn, part) = match line.split_once('@') {
            Some((drawn, part)) => (drawn, Some(part.trim().to_owned())),
            None => (line, None),
        };
        let (from, to) = drawn.split_once("->").ok_or_else(wrong)?;
        let mut from = from.split_whitespace();
        let floor = from
            .next()
            .and_then(|word| word.strip_prefix('F'))
            .ok_or_else(wrong)?;
        let floor: u32 = floor.parse().map_err(|_| wrong())?;
        let (Some(room), None) = (from.next(), from.next()) else {
            return Err(wrong());
        };
        if let Some(part) = part {
            self.planned.insert(room.to_owned(), part);
            return Ok(());
        }
        let uses = to.split_whitespace().map(str::to_owned).collect();
        if self
            .rooms
            .insert(
                room.to_owned(),
                Room {
                    floor,
                    uses,
                    line: number,
                },
            )
            .is_some()
        {
            return Err(format!("`{room}` is drawn twice"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Architecture;
    use crate::tidy::testing::{map, said, tree};

    #[test]
    fn arrows_and_tables_are_read() {
        let text = map(
            "F0 model ->\nF2 egress -> model crypto\nF1 wire -> model @ part 2",
            "## Sinks\n\n| Sink | Room |\n| --- | --- |\n| `PipeSink` | `runner` |\n",
        );
        let (architecture, problems) = Architecture::read(&tree(&[("ARCHITECTURE.md", &text)]));
        assert_eq!(said(&problems), "");
        let egress = &architecture.rooms["egress"];
        assert_eq!((egress.floor, egress.uses.len()), (2, 2));
        assert_eq!(architecture.planned["wire"], "part 2");
        let sinks = architecture.table("Sinks");
        assert_eq!(
            (sinks.len(), sinks[0].cell(0), sinks[0].cell(1)),
            (1, "PipeSink", "runner")
        );
        assert_eq!(sinks[0].cell(7), "");
    }

    #[test]
    fn a_missing_or_broken_map_is_a_problem() {
        for text in [
            "# House\n",
            &map("model crypto", ""),
            &map("F0 a ->\nF0 a ->", ""),
        ] {
            let (_, problems) = Architecture::read(&tree(&[("ARCHITECTURE.md", text)]));
            assert_eq!(problems.len(), 1, "{text}");
        }
        assert_eq!(Architecture::read(&tree(&[("a", "")])).1.len(), 1);
    }
}
