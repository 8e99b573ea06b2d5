//! Sealed records: nothing opens but what was sealed, with the associated data it was sealed with.
//!
//! Input: a byte for the kind of damage, one for its place, one for the bits; then the plaintext,
//! which stands for a foreign record too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_crypto::{Aad, Key, Rng};

struct Fixed;

impl Rng for Fixed {
    fn fill(&self, out: &mut [u8]) {
        out.fill(0x5a);
    }
}

fuzz_target!(|data: &[u8]| {
    let [kind, place, bits, plain @ ..] = data else {
        return;
    };
    let key = Key::from_bytes(&[7; 32]).expect("32 bytes of locked memory");
    let aad = Aad::new("fuzz").bytes(&[*place]);
    let sealed = key.seal(&Fixed, &aad, plain);
    let opened = key.open(&aad, &sealed).expect("what was sealed opens");
    assert_eq!(opened.as_slice(), plain);

    let mut damaged = sealed.clone();
    let index = usize::from(*place) % damaged.len();
    match kind % 4 {
        0 => damaged[index] ^= bits | 1,
        1 => damaged.truncate(index),
        2 => damaged.insert(index, *bits),
        _ => damaged = plain.to_vec(),
    }
    if damaged != sealed {
        assert!(key.open(&aad, &damaged).is_err(), "a damaged record opens");
    }
    let other = Aad::new("fuzz").bytes(&[place ^ 1]);
    assert!(
        key.open(&other, &sealed).is_err(),
        "other associated data opens"
    );
});
