//! Tables of comma-separated values, read where they stand.
//!
//! A cell in quotes may hold commas, line breaks and `""` for a quote; any other cell ends at the
//! next comma or line break. The first row names the columns. A cell is a place in the locked
//! document until it is asked for.
//!
//! Source: RFC 4180; a line may end with LF alone, as all exporters have it.

use subrosa_crypto::{MemoryError, SecretBuf};

use super::entry::{Place, Wrong};

/// Most columns of a table.
pub const COLUMNS_MAX: usize = 64;
/// Most rows of a table: each costs memory beside the document.
pub const ROWS_MAX: usize = 200_000;

/// A cell, as it stands in the document.
#[derive(Clone, Copy)]
pub struct Cell<'a> {
    /// Without the quotes around it.
    raw: &'a [u8],
    /// Whether `""` stands for a quote.
    quoted: bool,
}

impl std::fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cell(***)")
    }
}

/// A row and the line that it begins on.
#[derive(Debug)]
pub struct Row<'a> {
    /// From 1.
    pub line: usize,
    /// As many as there are columns.
    pub cells: Vec<Cell<'a>>,
}

/// A whole table.
#[derive(Debug)]
pub struct Table<'a> {
    /// The first row. In a file that is no table, values may stand there: they are compared where
    /// they stand.
    pub columns: Vec<Cell<'a>>,
    /// All rows but the first.
    pub rows: Vec<Row<'a>>,
}

impl Cell<'_> {
    /// The cell, in locked memory.
    ///
    /// # Errors
    /// [`MemoryError`] when the system does not lock that much.
    pub fn secret(&self) -> Result<SecretBuf, MemoryError> {
        let mut secret = SecretBuf::with_capacity(self.raw.len())?;
        let mut rest = self.raw;
        if self.quoted {
            while let Some(at) = rest.iter().position(|byte| *byte == b'"') {
                secret.extend(&rest[..=at])?;
                rest = rest.get(at + 2..).unwrap_or_default();
            }
        }
        secret.extend(rest)?;
        Ok(secret)
    }

    /// The cell as a name. It is then in ordinary memory: never for a value.
    #[must_use]
    pub fn name(&self) -> String {
        let text = String::from_utf8_lossy(self.raw);
        match self.quoted {
            true => text.replace("\"\"", "\""),
            false => text.into_owned(),
        }
    }

    /// Whether it is this name of a column, however it is written.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.raw.trim_ascii().eq_ignore_ascii_case(name.as_bytes())
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }
}

/// The first row alone, of a document that may be no table at all.
#[must_use]
pub fn head(document: &[u8]) -> Option<Table<'_>> {
    const LONG: usize = 4096;
    let mut lines = document.split_inclusive(|byte| *byte == b'\n');
    lines
        .next()
        .filter(|line| line.len() <= LONG)
        .and_then(|line| parse(line).ok())
}

/// Reads a whole table.
///
/// # Errors
/// [`Wrong`] with the line, and no part of its content.
pub fn parse(document: &[u8]) -> Result<Table<'_>, Wrong> {
    let text = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    if let Err(error) = std::str::from_utf8(text) {
        let line = 1 + count_lines(&text[..error.valid_up_to()]);
        return Err(Wrong::at(
            Place::Line(line),
            "this is not UTF-8; save the file as UTF-8",
        ));
    }
    let mut reader = Reader {
        rest: text,
        line: 1,
    };
    let Some(first) = reader.row()? else {
        return Err(Wrong::at(Place::Line(1), "there is no row"));
    };
    let columns = first.cells;
    let mut rows = Vec::new();
    while let Some(row) = reader.row()? {
        if rows.len() == ROWS_MAX {
            let reason = format!("there are more than {ROWS_MAX} rows");
            return Err(Wrong::at(Place::Line(row.line), reason));
        }
        if row.cells.len() != columns.len() {
            let reason = format!(
                "this row has {} cells, and the first line names {}",
                row.cells.len(),
                columns.len()
            );
            return Err(Wrong::at(Place::Line(row.line), reason));
        }
        rows.push(row);
    }
    Ok(Table { columns, rows })
}

impl<'a> Table<'a> {
    /// Which column has one of these names.
    #[must_use]
    pub fn column(&self, names: &[&str]) -> Option<usize> {
        let any = |column: &Cell<'_>| names.iter().any(|name| column.is(name));
        self.columns.iter().position(any)
    }

    /// Whether it has a column of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.column(&[name]).is_some()
    }
}

impl<'a> Row<'a> {
    /// A cell, unless it is empty or there is no such column.
    #[must_use]
    pub fn cell(&self, column: Option<usize>) -> Option<Cell<'a>> {
        let cell = self.cells.get(column?)?;
        (!cell.is_empty()).then_some(*cell)
    }

    /// A name in a cell; empty without the column.
    #[must_use]
    pub fn name(&self, column: Option<usize>) -> String {
        self.cell(column)
            .map(|cell| cell.name())
            .unwrap_or_default()
    }
}

fn count_lines(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}

struct Reader<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Reader<'a> {
    /// The next row; lines with nothing on them are passed over.
    fn row(&mut self) -> Result<Option<Row<'a>>, Wrong> {
        while let Some(rest) = end_of_line(self.rest) {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let line = self.line;
        let mut cells = Vec::new();
        loop {
            if cells.len() == COLUMNS_MAX {
                let reason = format!("there are more than {COLUMNS_MAX} columns");
                return Err(Wrong::at(Place::Line(line), reason));
            }
            cells.push(self.cell()?);
            if let Some(rest) = self.rest.strip_prefix(b",") {
                self.rest = rest;
            } else if let Some(rest) = end_of_line(self.rest) {
                self.rest = rest;
                self.line += 1;
                break;
            } else {
                break;
            }
        }
        Ok(Some(Row { line, cells }))
    }

    fn cell(&mut self) -> Result<Cell<'a>, Wrong> {
        let Some(inside) = self.rest.strip_prefix(b"\"") else {
            let end = self
                .rest
                .iter()
                .position(|byte| matches!(byte, b',' | b'\n'));
            let (mut raw, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
            if rest.first() != Some(&b',') {
                raw = raw.strip_suffix(b"\r").unwrap_or(raw);
            }
            self.rest = &self.rest[raw.len()..];
            return Ok(Cell { raw, quoted: false });
        };
        let mut at = 0;
        loop {
            match inside[at..].iter().position(|byte| *byte == b'"') {
                None => {
                    return Err(Wrong::at(
                        Place::Line(self.line),
                        "the quote that opens here is never closed",
                    ));
                }
                Some(more) if inside.get(at + more + 1) == Some(&b'"') => at += more + 2,
                Some(more) => {
                    at += more;
                    break;
                }
            }
        }
        let (raw, rest) = inside.split_at(at);
        self.line += count_lines(raw);
        self.rest = &rest[1..];
        if !self.rest.is_empty() && !self.rest.starts_with(b",") && end_of_line(self.rest).is_none()
        {
            return Err(Wrong::at(
                Place::Line(self.line),
                "something follows the closing quote",
            ));
        }
        Ok(Cell { raw, quoted: true })
    }
}

/// What follows the end of a line that stands here.
fn end_of_line(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"\r\n")
        .or_else(|| text.strip_prefix(b"\n"))
        .or_else(|| (text == b"\r").then_some(&[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Vec<String>> {
        let table = parse(text.as_bytes()).unwrap();
        let shown = |cell: &Cell<'_>| {
            let secret = cell.secret().unwrap();
            let text = String::from_utf8(secret.as_slice().to_vec()).unwrap();
            assert_eq!(cell.name(), text);
            text
        };
        table
            .rows
            .iter()
            .map(|row| row.cells.iter().map(shown).collect())
            .collect()
    }

    #[test]
    fn cells_are_what_is_written() {
        let text = "\u{feff}A, b ,C\r\n1,\"x,\"\"y\"\"\nz\",\r\n\n\"\"\"\",a\"b, c \n,,\"\"";
        assert_eq!(
            read(text),
            [["1", "x,\"y\"\nz", ""], ["\"", "a\"b", " c "], ["", "", ""]]
        );
        let table = parse(text.as_bytes()).unwrap();
        assert_eq!(
            ["c", "A", "b", "d"].map(|name| table.column(&[name])),
            [Some(2), Some(0), Some(1), None]
        );
        assert_eq!(head(text.as_bytes()).unwrap().columns.len(), 3);
    }

    #[test]
    fn rows_know_their_line() {
        let text = "a,b\n\"1\n2\",3\n\n4,5\n";
        let lines: Vec<usize> = parse(text.as_bytes())
            .unwrap()
            .rows
            .iter()
            .map(|row| row.line)
            .collect();
        assert_eq!(lines, [2, 5]);
    }

    #[test]
    fn errors_name_the_line_and_no_content() {
        for (text, line) in [
            (&b""[..], 1),
            (b"a,b\nhunter2\n", 2),
            (b"a,b\n\n1,2,hunter2\n", 3),
            (b"a,b\n1,\"hunter2\n\n", 2),
            (b"a,b\n\"1\n\"hunter2,2\n", 3),
            (b"a,b\n1,hunter2\xe9\n", 2),
            (b"a,b\n1,2\n\xff\xfe", 3),
        ] {
            let wrong = parse(text).unwrap_err();
            let said = format!("{wrong:?}");
            assert!(said.contains(&format!("Line({line})")), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
        let wide = "x,".repeat(COLUMNS_MAX + 1);
        assert!(parse(wide.as_bytes()).is_err());
        let long = format!("a\n{}", "1\n".repeat(ROWS_MAX + 1));
        assert!(format!("{:?}", parse(long.as_bytes()).unwrap_err()).contains("rows"));
    }
}
