//! Known answers for the parts, and the derivations against an independent
//! computation.

use super::*;
use crate::SystemRng;

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

/// The key `00 01 … 1f`, for which the answers below were computed with
/// Python's `hmac` from the formulas in the module documentation.
fn counting_key() -> Key {
    let bytes: Vec<u8> = (0..32).collect();
    Key::from_bytes(&bytes).unwrap()
}

#[test]
fn hkdf_gives_the_answers_of_rfc_5869() {
    let cases = [
        // A.1
        (
            vec![0x0b; 22],
            (0x00..=0x0c).collect::<Vec<u8>>(),
            (0xf0..=0xf9).collect::<Vec<u8>>(),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf\
             34007208d5b887185865",
        ),
        // A.2
        (
            (0x00..=0x4f).collect(),
            (0x60..=0xaf).collect(),
            (0xb0..=0xff).collect(),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c\
             59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71\
             cc30c58179ec3e87c14c01d5c1f3434f1d87",
        ),
        // A.3
        (
            vec![0x0b; 22],
            Vec::new(),
            Vec::new(),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d\
             9d201395faa4b61a96c8",
        ),
    ];
    for (ikm, salt, info, okm) in cases {
        let expected = unhex(okm);
        let mut out = vec![0; expected.len()];
        let (_, expand) = Hkdf::<Sha256>::extract(Some(&salt), &ikm);
        expand.expand(&info, &mut out).unwrap();
        assert_eq!(out, expected);
    }
}

#[test]
fn the_cipher_gives_the_answer_of_the_xchacha_draft() {
    // draft-irtf-cfrg-xchacha-03, A.3.1
    let key: Vec<u8> = (0x80..=0x9f).collect();
    let nonce: [u8; 24] = std::array::from_fn(|n| 0x40 + n as u8);
    let aad = unhex("50515253c0c1c2c3c4c5c6c7");
    let plaintext = b"Ladies and Gentlemen of the class of '99: If I could offer you \
                      only one tip for the future, sunscreen would be it.";
    let mut out = vec![0; plaintext.len()];
    let tag = XChaCha20Poly1305::new_from_slice(&key)
        .unwrap()
        .encrypt_inout_detached(
            &XNonce::from(nonce),
            &aad,
            InOutBuf::new(plaintext, &mut out).unwrap(),
        )
        .unwrap();
    let expected = "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb\
                    731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452\
                    2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9\
                    21f9664c97637da9768812f615c68b13b52e";
    assert_eq!(hex::encode(out), expected);
    assert_eq!(hex::encode(tag), "c0875924c1c7987947deafd8780acf49");
}

#[test]
fn subkeys_follow_the_formulas() {
    let key = counting_key();
    assert_eq!(
        hex::encode(key.derive("vault/names").unwrap().danger_expose()),
        "94eb26d6ea4ee1a69e528f9d3299e8b9ea16a3459aa35c805d7b91063443a585"
    );
    let fields = Aad::new("subrosa/test/v1").text("field");
    assert_eq!(
        hex::encode(key.mac(&fields)),
        "38682a895a8f1616df9b48e86e4e1fa53f8872aa84b9e5efdb4a9bcb5f435ff7"
    );
    let prf = unhex("3eb70ce23fbe20b7c34804d52f02822cd875aeed654e8cdbdec8914d8254d8c1");
    assert_eq!(hex::encode(key.state.get().prf), hex::encode(&prf));
    let prf: [u8; 32] = prf.try_into().unwrap();
    assert_eq!(
        key.prf(b"name"),
        *blake3::keyed_hash(&prf, b"name").as_bytes()
    );
}

#[test]
fn blake3_gives_its_published_keyed_answer() {
    // BLAKE3 test vectors, input of no bytes.
    let hash = blake3::keyed_hash(b"whats the Elvish word for friend", b"");
    assert_eq!(
        hash.to_hex().as_str(),
        "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26"
    );
}

#[test]
fn the_written_out_info_is_a_list_of_fields() {
    let nonce = [7; NONCE_LEN];
    let listed = Aad::new("subrosa/seal/v1").bytes(&nonce);
    assert_eq!([&SEAL_INFO[..], &nonce[..]].concat(), listed.encoded());
}

#[test]
fn a_right_tag_does_not_make_up_for_a_wrong_commitment() {
    // What an attacker who knows both keys could build: a body that is valid
    // under `other`, dressed as a record of `key`.
    let (key, other) = (counting_key(), Key::generate(&SystemRng).unwrap());
    let aad = Aad::new("subrosa/test/v1");
    let mut sealed = other.seal(&SystemRng, &aad, b"partition");
    let nonce = *sealed.first_chunk::<NONCE_LEN>().unwrap();
    sealed[NONCE_LEN..BODY].copy_from_slice(key.record_keys(&nonce).commitment());

    assert!(matches!(key.open(&aad, &sealed), Err(OpenError::Tampered)));
    // The tag is valid here; only the commitment speaks against it.
    assert!(matches!(
        other.open(&aad, &sealed),
        Err(OpenError::WrongKey)
    ));
}

#[test]
fn the_key_itself_never_equals_a_key_it_yields() {
    let key = counting_key();
    let derived = key.derive("").unwrap();
    assert_ne!(key.danger_expose(), derived.danger_expose());
    assert_ne!(key.state.get().prf, *derived.danger_expose());
    assert_ne!(
        key.derive("a").unwrap().danger_expose(),
        key.derive("b").unwrap().danger_expose()
    );
}
