//! No text that this crate makes holds a secret.

use std::error::Error;
use std::fmt::Debug;

use subrosa_crypto::{
    Aad, Argon2Params, Key, SecretBuf, SigningKey, SystemRng, ct_eq, high_entropy_key,
    passphrase_key,
};

const CANARY: &[u8; 32] = b"canary-7Qx2-canary-7Qx2-canary!!";

/// Every way in which bytes could show in a text.
fn assert_clean(text: &str) {
    let spellings = [
        String::from_utf8_lossy(&CANARY[..11]).into_owned(),
        hex::encode(&CANARY[..8]),
        hex::encode_upper(&CANARY[..8]),
        "99, 97, 110, 97, 114, 121".to_owned(),
    ];
    for spelling in spellings {
        assert!(!text.contains(&spelling), "{spelling} in {text}");
    }
}

fn assert_masked(value: &impl Debug, expected: &str) {
    assert_eq!(format!("{value:?}"), expected);
    assert_clean(&format!("{value:#?}"));
}

fn assert_clean_error(error: &dyn Error) {
    let mut next = Some(error);
    while let Some(error) = next {
        assert_clean(&error.to_string());
        assert_clean(&format!("{error:?}"));
        assert_clean(&format!("{error:#?}"));
        next = error.source();
    }
}

#[test]
fn debug_forms_are_constant() {
    let key = Key::from_bytes(CANARY).unwrap();
    assert_masked(&SecretBuf::copy_from(CANARY).unwrap(), "SecretBuf(***)");
    assert_masked(&SecretBuf::new(), "SecretBuf(***)");
    assert_masked(&key, "Key(***)");
    assert_masked(&SigningKey::from_seed(&key).unwrap(), "SigningKey(***)");
    assert_clean(&format!("{:?}", Aad::new("d").bytes(CANARY)));
}

#[test]
fn errors_carry_no_bytes() {
    let key = Key::from_bytes(CANARY).unwrap();
    let aad = Aad::new("d").bytes(CANARY);
    let sealed = key.seal(&SystemRng, &aad, CANARY);
    let other = Key::generate(&SystemRng).unwrap();

    assert_clean_error(&Key::from_bytes(&CANARY[..31]).unwrap_err());
    assert_clean_error(&other.open(&aad, &sealed).unwrap_err());
    assert_clean_error(&key.open(&Aad::new("d"), &sealed).unwrap_err());
    assert_clean_error(&key.open(&aad, &CANARY[..]).unwrap_err());
    assert_clean_error(
        &key.unwrap_key(&aad, &key.seal(&SystemRng, &aad, b"x"))
            .unwrap_err(),
    );
    assert_clean_error(&high_entropy_key(&CANARY[..15], &[0; 16], "d").unwrap_err());
    let weak = Argon2Params {
        passes: 0,
        ..Argon2Params::FLOOR
    };
    assert_clean_error(&passphrase_key(CANARY, &[0; 16], weak).unwrap_err());
    let read = SecretBuf::read_to_end(&mut &CANARY[..], 31).unwrap_err();
    assert_clean_error(&read);
}

#[test]
fn comparison_is_by_contents_and_length() {
    assert!(ct_eq(CANARY, CANARY));
    assert!(ct_eq(b"", b""));
    assert!(!ct_eq(CANARY, &CANARY[..31]));
    for bit in 0..256 {
        let mut other = *CANARY;
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(!ct_eq(CANARY, &other));
    }
}

#[test]
fn secrets_may_move_between_threads() {
    fn both<T: Send + Sync>() {}
    both::<SecretBuf>();
    both::<Key>();
    both::<SigningKey>();
}
