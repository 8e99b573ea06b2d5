//! Dotenv files: what is read and exported again is read as the same names and values, and each
//! value stands where it is said to stand.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_crypto::SecretBuf;
use subrosa_egress::{Document, DocumentForm, Escapes, Filling, Gap, Transform};
use subrosa_engine::import::dotenv;

fuzz_target!(|data: &[u8]| {
    let content = SecretBuf::copy_from(data).expect("a fuzz input fits into locked memory");
    let Ok(entries) = dotenv::parse("fuzz", &content) else {
        return;
    };
    places(&content, &entries);
    let names = entries.iter().map(|entry| entry.name.clone()).collect();
    let values: Vec<&[u8]> = entries.iter().map(|entry| entry.value.as_slice()).collect();
    let mut written = SecretBuf::with_capacity(64).expect("locked memory");
    Document::new(DocumentForm::Dotenv, names)
        .run(&values, &mut written)
        .expect("it fits into locked memory");
    let again = match dotenv::parse("fuzz", &written) {
        Ok(again) => again,
        Err(error) => panic!("its own export does not parse: {error}"),
    };
    assert_eq!(again.len(), entries.len());
    for (one, other) in entries.iter().zip(&again) {
        assert_eq!(one.name, other.name);
        assert_eq!(one.value.as_slice(), other.value.as_slice());
    }
});

/// Puts every value back where it stood: where it can be written as it was, nothing changes, and
/// else the file is read as the same values.
fn places(content: &SecretBuf, entries: &[dotenv::Entry]) {
    let mut same = true;
    let mut gaps = Vec::new();
    for entry in entries {
        let place = entry.place.clone();
        let escapes = match entry.quote {
            Some(b'"') => {
                let raw = &content.as_slice()[place.start + 1..place.end - 1];
                Escapes::of(raw, entry.value.as_slice()).expect("locked memory")
            }
            _ => Some(Escapes::default()),
        };
        same &= escapes.is_some();
        gaps.push(Gap {
            place,
            quote: entry.quote,
            escapes: escapes.unwrap_or(Escapes::ALL),
        });
    }
    let text = SecretBuf::copy_from(content.as_slice()).expect("locked memory");
    let filling = Filling::new(text, gaps).expect("places ascend and are in the file");
    let values: Vec<&[u8]> = entries.iter().map(|entry| entry.value.as_slice()).collect();
    let mut written = SecretBuf::with_capacity(64).expect("locked memory");
    filling.run(&values, &mut written).expect("locked memory");
    if same {
        assert_eq!(written.as_slice(), content.as_slice());
    }
    let again = dotenv::parse("fuzz", &written).expect("a filled file parses");
    assert_eq!(again.len(), entries.len());
    for (one, other) in entries.iter().zip(&again) {
        assert_eq!(one.value.as_slice(), other.value.as_slice());
    }
}
