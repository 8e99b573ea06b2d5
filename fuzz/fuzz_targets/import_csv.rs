//! Tables: what is read, written again with quotes around every cell, is read as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_engine::import::csv::{columns, parse};

fuzz_target!(|data: &[u8]| {
    let Ok(table) = parse(data) else {
        return;
    };
    let mut written = table
        .columns
        .iter()
        .map(|name| quoted(name.as_bytes()))
        .collect::<Vec<_>>()
        .join(&b","[..]);
    written.push(b'\n');
    for row in &table.rows {
        let cells = row.cells.iter().map(|cell| {
            let secret = cell.secret().expect("locked memory");
            assert_eq!(cell.name().as_bytes(), secret.as_slice());
            assert_eq!(cell.is_empty(), secret.is_empty());
            quoted(secret.as_slice())
        });
        written.extend(cells.collect::<Vec<_>>().join(&b","[..]));
        written.push(b'\n');
    }
    let again = parse(&written).expect("its own writing parses");
    assert_eq!(table.columns, again.columns);
    assert_eq!(table.rows.len(), again.rows.len());
    for (one, other) in table.rows.iter().zip(&again.rows) {
        assert_eq!(one.cells.len(), table.columns.len());
        for (one, other) in one.cells.iter().zip(&other.cells) {
            let (one, other) = (
                one.secret().expect("locked"),
                other.secret().expect("locked"),
            );
            assert_eq!(one.as_slice(), other.as_slice());
        }
    }
    if let Some(head) = columns(data) {
        assert!(head.len() <= table.columns.len());
    }
});

fn quoted(cell: &[u8]) -> Vec<u8> {
    let mut text = vec![b'"'];
    for byte in cell {
        text.extend(std::iter::repeat_n(
            *byte,
            if *byte == b'"' { 2 } else { 1 },
        ));
    }
    text.push(b'"');
    text
}
