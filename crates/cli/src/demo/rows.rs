//! The rows of the red-team table, from the one place that has them.

use serde::Deserialize;

use crate::failure::Failure;

const ROWS: &str = include_str!("../../../../tests/redteam/rows.toml");

/// The part of the project that this program is of.
pub(super) const PART: u8 = 3;

/// One row.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Row {
    pub(super) number: u8,
    pub(super) attack: String,
    /// The part that brings the defence.
    pub(super) part: u8,
}

#[derive(Deserialize)]
struct Table {
    row: Vec<Row>,
}

/// All rows, ascending.
pub(super) fn all() -> Result<Vec<Row>, Failure> {
    let table: Table = toml::from_str(ROWS).map_err(|error| {
        Failure::new(
            "bug",
            format!("the table of attacks cannot be read: {error}"),
        )
    })?;
    let mut rows = table.row;
    rows.sort_by_key(|row| row.number);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_there_once() {
        let rows = all().unwrap();
        let numbers: Vec<u8> = rows.iter().map(|row| row.number).collect();
        assert_eq!(numbers, (1..=48).collect::<Vec<u8>>());
        assert!(rows.iter().any(|row| row.part == PART));
    }
}
