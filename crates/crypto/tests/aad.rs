//! Different lists of fields never have the same encoding.

use proptest::prelude::*;
use subrosa_crypto::{Aad, sha256};

fn build(fields: &[Vec<u8>], domain: &str) -> Aad {
    fields.iter().fold(Aad::new(domain), |aad, f| aad.bytes(f))
}

/// Reads an encoding back. That this is a function of the bytes is what makes
/// the encoding injective.
fn decode(mut encoded: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut fields = Vec::new();
    while !encoded.is_empty() {
        let (length, rest) = encoded.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        fields.push(rest.get(..length)?.to_vec());
        encoded = &rest[length..];
    }
    Some(fields)
}

proptest! {
    #[test]
    fn an_encoding_reads_back_as_its_fields(
        domain in ".{0,20}",
        fields in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8),
    ) {
        let aad = build(&fields, &domain);
        let mut expected = vec![domain.into_bytes()];
        expected.extend(fields);
        prop_assert_eq!(decode(aad.encoded()), Some(expected));
    }

    /// Short fields over two letters meet each other often, so that a missing
    /// or ambiguous length would show.
    #[test]
    fn lists_are_equal_exactly_when_encodings_are(
        left in prop::collection::vec("[ab]{0,2}", 1..4),
        right in prop::collection::vec("[ab]{0,2}", 1..4),
    ) {
        let encode = |fields: &[String]| {
            let bytes: Vec<_> = fields[1..].iter().map(|f| f.clone().into_bytes()).collect();
            build(&bytes, &fields[0])
        };
        let (a, b) = (encode(&left), encode(&right));
        prop_assert_eq!(left == right, a.encoded() == b.encoded());
        prop_assert_eq!(left == right, sha256(&a) == sha256(&b));
    }

    #[test]
    fn an_absent_field_is_not_an_empty_one(bytes in prop::collection::vec(any::<u8>(), 0..4)) {
        let absent = Aad::new("d").optional(None);
        let present = Aad::new("d").optional(Some(&bytes));
        prop_assert_ne!(absent.encoded(), present.encoded());
        let followed = Aad::new("d").optional(None).bytes(&bytes);
        prop_assert_ne!(followed.encoded(), present.encoded());
    }
}

#[test]
fn the_encoding_is_the_documented_one() {
    let aad = Aad::new("d")
        .u32(1)
        .u64(2)
        .text("é")
        .optional(None)
        .optional(Some(b""));
    let expected = [
        &b"\x01\0\0\0d"[..],
        b"\x04\0\0\0\x01\0\0\0",
        b"\x08\0\0\0\x02\0\0\0\0\0\0\0",
        b"\x02\0\0\0\xc3\xa9",
        b"\x01\0\0\0\0",
        b"\x01\0\0\0\x01\0\0\0\0",
    ]
    .concat();
    assert_eq!(aad.encoded(), expected);
}

#[test]
fn the_digest_is_sha_256_over_the_encoding() {
    // Computed with Python's hashlib.
    assert_eq!(
        hex::encode(sha256(&Aad::new("subrosa/test/v1").text("field"))),
        "8e6510520acaa2150b1ce9d3c5b2902ef54a3f761e7a9e2f6b4d6a9a429712e9"
    );
}

#[test]
fn numbers_of_different_width_differ() {
    assert_ne!(
        Aad::new("d").u32(7).encoded(),
        Aad::new("d").u64(7).encoded()
    );
}
