//! Known answers and what strict verification refuses.

use super::*;

fn unhex<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

#[test]
fn signatures_are_those_of_rfc_8032() {
    // §7.1, tests 1 to 3.
    let cases = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555\
             fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ];
    for (seed, public, message, signature) in cases {
        let seed = Key::from_bytes(&unhex::<32>(seed)).unwrap();
        let key = SigningKey::from_seed(&seed).unwrap();
        let message = hex::decode(message).unwrap();
        let signature = unhex::<64>(signature);
        assert_eq!(key.public(), VerifyingKey(unhex(public)));
        assert_eq!(key.sign_bytes(&message), signature);
        assert!(key.public().verify_bytes(&message, &signature));
        assert!(!key.public().verify_bytes(b"another", &signature));
    }
}

#[test]
fn a_list_is_signed_in_its_encoding() {
    let seed: Vec<u8> = (0..32).collect();
    let key = SigningKey::from_seed(&Key::from_bytes(&seed).unwrap()).unwrap();
    let message = Aad::new("subrosa/test/v1").text("field");
    let signature = key.sign(&message);
    // Computed with OpenSSL over the encoding.
    assert_eq!(
        hex::encode(signature),
        "ac9cbdcce5a0f26dcac3a478a2c4044f0f4cfb18fe2456f7e9cd3a64e607fd1b\
         78b7fcafe3eba5a22a8641e7be982597f8f3380d981de041c606ee056cc0bd0f"
    );
    assert!(key.public().verify(&message, &signature));
    let moved = Aad::new("subrosa/test/v1f").text("ield");
    assert!(!key.public().verify(&moved, &signature));
}

#[test]
fn a_flipped_bit_of_a_signature_or_key_is_refused() {
    let seed = Key::from_bytes(&[9; 32]).unwrap();
    let key = SigningKey::from_seed(&seed).unwrap();
    let message = Aad::new("subrosa/test/v1");
    let signature = key.sign(&message);
    // Every seventh bit reaches each byte and each place in a byte; all of them
    // would take many seconds without optimisation.
    for bit in (0..512).step_by(7) {
        let mut changed = signature;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!key.public().verify(&message, &changed), "bit {bit}");
    }
    for bit in (0..256).step_by(7) {
        let mut changed = key.public();
        changed.0[bit / 8] ^= 1 << (bit % 8);
        assert!(!changed.verify(&message, &signature), "key bit {bit}");
    }
}

#[test]
fn a_key_of_small_order_verifies_nothing() {
    // The neutral element as key and as signature point, scalar zero: valid
    // for every message unless verification is strict.
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    assert!(!VerifyingKey(identity).verify(&Aad::new("any"), &signature));
}

#[test]
fn an_unreduced_scalar_is_refused() {
    // S + L satisfies the equation too; RFC 8032 §5.1.7 asks to refuse it.
    let order = unhex::<32>("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let key = SigningKey::from_seed(&Key::from_bytes(&[3; 32]).unwrap()).unwrap();
    let message = Aad::new("subrosa/test/v1");
    let mut signature = key.sign(&message);
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert!(!key.public().verify(&message, &signature));
}
