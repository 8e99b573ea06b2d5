//! Lists in columns.

/// Rows under a header, each column as wide as its widest cell; the last one is not padded.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

/// Blanks between columns.
const GAP: usize = 2;

impl Table {
    pub(crate) fn new(header: &[&str]) -> Self {
        Self {
            rows: vec![header.iter().map(|cell| (*cell).to_owned()).collect()],
        }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Whether there is nothing under the header.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// The text, one line a row. Columns that are empty in every row are left out.
    pub(crate) fn render(&self) -> String {
        let columns = self.rows[0].len();
        let used: Vec<usize> = (0..columns)
            .filter(|column| self.rows.iter().skip(1).any(|row| !row[*column].is_empty()))
            .collect();
        let width = |column: usize| {
            self.rows
                .iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for column in &used {
                let cell = &row[*column];
                line.push_str(cell);
                let padding = widths[*column] - cell.chars().count() + GAP;
                line.extend(std::iter::repeat_n(' ', padding));
            }
            text.push_str(line.trim_end());
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
        table.row(vec!["api/key".into(), String::new(), "1".into()]);
        table.row(vec!["db".into(), String::new(), "12".into()]);
        assert_eq!(
            table.render(),
            "KEY      VERSION\napi/key  1\ndb       12\n"
        );
    }
}
