//! Lists in columns.

/// Rows under a header, each column as wide as its widest cell; the last one is not padded.
///
/// The cells stand in one text: a list may have 100,000 rows.
pub(crate) struct Table {
    text: String,
    /// Where each cell ends in the text, and how many characters it has.
    cells: Vec<(usize, usize)>,
    columns: usize,
}

/// Blanks between columns.
const GAP: usize = 2;

impl Table {
    pub(crate) fn new(header: &[&str]) -> Self {
        let mut table = Self {
            text: String::new(),
            cells: Vec::new(),
            columns: header.len(),
        };
        table.row(header);
        table
    }

    /// Adds a row: as many cells as the header has.
    pub(crate) fn row<C: AsRef<str>>(&mut self, cells: &[C]) {
        debug_assert_eq!(cells.len(), self.columns);
        for cell in cells {
            let cell = cell.as_ref();
            self.text.push_str(cell);
            self.cells.push((self.text.len(), cell.chars().count()));
        }
    }

    /// Whether there is nothing under the header.
    pub(crate) fn is_empty(&self) -> bool {
        self.cells.len() == self.columns
    }

    /// The text, one line a row. Columns that are empty in every row are left out.
    pub(crate) fn render(&self) -> String {
        let width = |column: usize, skipped: usize| {
            let cells = self.cells.chunks(self.columns).skip(skipped);
            cells.map(|row| row[column].1).max().unwrap_or(0)
        };
        // How many blanks make a cell as wide as its column; none where the column is left out.
        let widths: Vec<Option<usize>> = (0..self.columns)
            .map(|column| (width(column, 1) > 0).then(|| width(column, 0) + GAP))
            .collect();
        let mut text = String::with_capacity(self.text.len() * 2);
        let mut start = 0;
        for row in self.cells.chunks(self.columns) {
            for ((end, characters), width) in row.iter().zip(&widths) {
                if let Some(width) = width {
                    text.push_str(&self.text[start..*end]);
                    text.extend(std::iter::repeat_n(' ', width - characters));
                }
                start = *end;
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_empty_ones_left_out() {
        let mut table = Table::new(&["KEY", "TAGS", "VERSION"]);
        table.row(&["api/key", "", "1"]);
        table.row(&["db", "", "12"]);
        assert_eq!(
            table.render(),
            "KEY      VERSION\napi/key  1\ndb       12\n"
        );
    }
}
