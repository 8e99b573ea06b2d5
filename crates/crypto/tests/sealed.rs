//! Sealed records: vectors, round trips, and everything that must not open.

use proptest::prelude::*;
use serde::Deserialize;
use subrosa_crypto::{Aad, Key, OpenError, Rng, SEAL_OVERHEAD, SystemRng, commitment};

#[derive(Deserialize)]
struct Vectors {
    format: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    key: String,
    nonce: String,
    aad: Vec<String>,
    plaintext: String,
    sealed: String,
}

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

/// Gives the bytes it was made with, once.
struct Fixed(Vec<u8>);

impl Rng for Fixed {
    fn fill(&self, out: &mut [u8]) {
        out.copy_from_slice(&self.0);
    }
}

/// A list of fields out of raw ones.
fn aad_of(fields: &[Vec<u8>]) -> Aad {
    let (domain, rest) = fields.split_first().unwrap();
    let domain = Aad::new(std::str::from_utf8(domain).unwrap());
    rest.iter().fold(domain, |aad, field| aad.bytes(field))
}

/// The vectors were computed by a second implementation (Python's `hmac`,
/// OpenSSL's ChaCha20-Poly1305, HChaCha20 written out), not by this crate.
#[test]
fn records_are_those_of_the_vectors() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/seal.json");
    let text = std::fs::read_to_string(path).unwrap();
    let vectors: Vectors = serde_json::from_str(&text).unwrap();
    assert_eq!(vectors.format, "subrosa/seal/v1");
    assert!(vectors.cases.len() >= 6);
    for case in &vectors.cases {
        let key = Key::from_bytes(&unhex(&case.key)).unwrap();
        let fields: Vec<_> = case.aad.iter().map(|field| unhex(field)).collect();
        let aad = aad_of(&fields);
        let plaintext = unhex(&case.plaintext);
        let sealed = key.seal(&Fixed(unhex(&case.nonce)), &aad, &plaintext);
        assert_eq!(hex::encode(&sealed), case.sealed, "{}", case.name);
        assert_eq!(key.open(&aad, &sealed).unwrap().as_slice(), plaintext);
    }
}

fn record() -> (Key, Aad, Vec<u8>) {
    let key = Key::from_bytes(&[7; 32]).unwrap();
    let aad = Aad::new("subrosa/test/v1").text("name").u64(3);
    let sealed = key.seal(
        &SystemRng,
        &aad,
        b"forty bytes of plaintext, more or less..",
    );
    (key, aad, sealed)
}

/// Opens both ways and returns the error, which must be the same.
fn refusal(key: &Key, aad: &Aad, sealed: &[u8]) -> OpenError {
    let mut out = b"what was here before".to_vec();
    let public = key.open_public(aad, sealed, &mut out).unwrap_err();
    assert!(
        out.is_empty(),
        "nothing is left of a record that did not open"
    );
    let secret = key.open(aad, sealed).unwrap_err();
    assert_eq!(
        std::mem::discriminant(&public),
        std::mem::discriminant(&secret)
    );
    secret
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let (key, aad, sealed) = record();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let error = refusal(&key, &aad, &changed);
        // Nonce and commitment say which key; ciphertext and tag say what.
        match bit / 8 {
            0..56 => assert!(matches!(error, OpenError::WrongKey), "bit {bit}"),
            _ => assert!(matches!(error, OpenError::Tampered), "bit {bit}"),
        }
    }
}

#[test]
fn no_flipped_bit_of_a_key_goes_unnoticed() {
    let (_, aad, sealed) = record();
    for bit in 0..256 {
        let mut bytes = [7; 32];
        bytes[bit / 8] ^= 1 << (bit % 8);
        let other = Key::from_bytes(&bytes).unwrap();
        assert!(matches!(
            refusal(&other, &aad, &sealed),
            OpenError::WrongKey
        ));
    }
}

#[test]
fn no_change_of_the_associated_data_goes_unnoticed() {
    let (key, _, sealed) = record();
    let others = [
        Aad::new("subrosa/test/v2").text("name").u64(3),
        Aad::new("subrosa/test/v1").text("nam").u64(3),
        Aad::new("subrosa/test/v1").text("name").u64(4),
        Aad::new("subrosa/test/v1").text("name").u32(3),
        Aad::new("subrosa/test/v1").text("name").u64(3).text(""),
        Aad::new("subrosa/test/v1").u64(3).text("name"),
        Aad::new("subrosa/test/v1").text("name"),
    ];
    for aad in others {
        assert!(matches!(refusal(&key, &aad, &sealed), OpenError::Tampered));
    }
}

#[test]
fn a_cut_or_lengthened_record_does_not_open() {
    let (key, aad, sealed) = record();
    for len in 0..SEAL_OVERHEAD {
        assert!(matches!(
            refusal(&key, &aad, &sealed[..len]),
            OpenError::Truncated
        ));
        assert_eq!(commitment(&sealed[..len]), None);
    }
    for len in SEAL_OVERHEAD..sealed.len() {
        assert!(matches!(
            refusal(&key, &aad, &sealed[..len]),
            OpenError::Tampered
        ));
    }
    let longer = [&sealed[..], &[0]].concat();
    assert!(matches!(refusal(&key, &aad, &longer), OpenError::Tampered));
}

#[test]
fn the_same_plaintext_never_gives_the_same_record() {
    let (key, aad, first) = record();
    let second = key.seal(
        &SystemRng,
        &aad,
        b"forty bytes of plaintext, more or less..",
    );
    assert_ne!(first[..24], second[..24], "nonce");
    assert_ne!(commitment(&first), commitment(&second));
    assert_ne!(first[56..], second[56..], "body");
}

#[test]
fn the_commitment_depends_on_key_and_nonce_alone() {
    let (key, aad, sealed) = record();
    let nonce = Fixed(sealed[..24].to_vec());
    assert_eq!(
        commitment(&sealed).as_ref().map(<[u8; 32]>::as_slice),
        Some(&sealed[24..56])
    );
    let same = key.seal(&nonce, &Aad::new("other"), b"other");
    assert_eq!(commitment(&same), commitment(&sealed));
    let other = Key::generate(&SystemRng).unwrap().seal(&nonce, &aad, b"");
    assert_ne!(commitment(&other), commitment(&sealed));
}

#[test]
fn a_wrapped_key_comes_back_the_same() {
    let (outer, inner) = (
        Key::generate(&SystemRng).unwrap(),
        Key::generate(&SystemRng).unwrap(),
    );
    let aad = Aad::new("subrosa/test/wrap/v1");
    let wrapped = outer.wrap(&SystemRng, &aad, &inner);
    let back = outer.unwrap_key(&aad, &wrapped).unwrap();
    assert_eq!(back.danger_expose(), inner.danger_expose());

    let short = outer.seal(&SystemRng, &aad, &[1; 31]);
    assert!(matches!(
        outer.unwrap_key(&aad, &short),
        Err(OpenError::NotAKey)
    ));
    assert!(matches!(
        inner.unwrap_key(&aad, &wrapped),
        Err(OpenError::WrongKey)
    ));
}

#[test]
fn a_copy_of_a_key_opens_what_the_key_sealed() {
    let (key, aad, sealed) = record();
    let copy = key.try_clone().unwrap();
    drop(key);
    assert_eq!(
        copy.open(&aad, &sealed).unwrap().as_slice(),
        b"forty bytes of plaintext, more or less.."
    );
}

#[test]
fn a_key_is_32_bytes() {
    for len in [0, 16, 31, 33, 64] {
        assert!(Key::from_bytes(&vec![1; len]).is_err(), "{len}");
    }
}

#[test]
fn one_key_serves_many_threads() {
    let (key, aad, sealed) = record();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut out = Vec::new();
                for _ in 0..200 {
                    key.open_public(&aad, &sealed, &mut out).unwrap();
                    assert_eq!(out, b"forty bytes of plaintext, more or less..");
                }
            });
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_sealed_opens(
        key in any::<[u8; 32]>(),
        field in prop::collection::vec(any::<u8>(), 0..64),
        plaintext in prop::collection::vec(any::<u8>(), 0..6000),
    ) {
        let key = Key::from_bytes(&key).unwrap();
        let aad = Aad::new("subrosa/test/v1").bytes(&field);
        let sealed = key.seal(&SystemRng, &aad, &plaintext);
        prop_assert_eq!(sealed.len(), plaintext.len() + SEAL_OVERHEAD);
        let opened = key.open(&aad, &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), &plaintext[..]);
        let mut out = vec![1; 10];
        key.open_public(&aad, &sealed, &mut out).unwrap();
        prop_assert_eq!(out, plaintext);
    }

    #[test]
    fn arbitrary_bytes_do_not_open(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let key = Key::from_bytes(&[7; 32]).unwrap();
        prop_assert!(key.open(&Aad::new("subrosa/test/v1"), &bytes).is_err());
    }
}
