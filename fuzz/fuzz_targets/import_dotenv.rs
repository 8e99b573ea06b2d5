//! Dotenv files: what is read and exported again is read as the same names and values.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_crypto::SecretBuf;
use subrosa_egress::{Document, DocumentForm, Transform};
use subrosa_engine::import::dotenv;

fuzz_target!(|data: &[u8]| {
    let content = SecretBuf::copy_from(data).expect("a fuzz input fits into locked memory");
    let Ok(entries) = dotenv::parse("fuzz", &content) else {
        return;
    };
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
