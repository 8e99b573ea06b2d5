//! Tables: what is read, written again with quotes around every cell, is read as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_engine::import::csv::{Cell, head, parse};

fuzz_target!(|data: &[u8]| {
    let Ok(table) = parse(data) else {
        return;
    };
    let mut written = line(&table.columns);
    for row in &table.rows {
        assert_eq!(row.cells.len(), table.columns.len());
        written.extend(line(&row.cells));
    }
    let again = parse(&written).expect("its own writing parses");
    same(&table.columns, &again.columns);
    assert_eq!(table.rows.len(), again.rows.len());
    for (one, other) in table.rows.iter().zip(&again.rows) {
        same(&one.cells, &other.cells);
    }
    if let Some(head) = head(data) {
        assert!(head.columns.len() <= table.columns.len());
    }
});

fn same(cells: &[Cell<'_>], others: &[Cell<'_>]) {
    assert_eq!(cells.len(), others.len());
    for (one, other) in cells.iter().zip(others) {
        let (one, other) = (
            one.secret().expect("locked memory"),
            other.secret().expect("locked memory"),
        );
        assert_eq!(one.as_slice(), other.as_slice());
    }
}

/// A row, with quotes around every cell.
fn line(cells: &[Cell<'_>]) -> Vec<u8> {
    let mut text = Vec::new();
    for cell in cells {
        let secret = cell.secret().expect("locked memory");
        assert_eq!(cell.name().as_bytes(), secret.as_slice());
        assert_eq!(cell.is_empty(), secret.is_empty());
        text.push(b'"');
        for byte in secret.as_slice() {
            text.extend(std::iter::repeat_n(
                *byte,
                if *byte == b'"' { 2 } else { 1 },
            ));
        }
        text.extend(b"\",");
    }
    text.pop();
    text.push(b'\n');
    text
}
