//! Known answers, limits and the scaling of the cost.

use argon2::{AssociatedData, ParamsBuilder};

use super::*;

const SALT: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

#[test]
fn argon2id_gives_the_answer_of_rfc_9106() {
    // §5.3; its 32 KiB are below our floor, so this asks the library itself.
    let params = ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(AssociatedData::new(&[4; 12]).unwrap())
        .build()
        .unwrap();
    let mut tag = [0; 32];
    Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params)
        .unwrap()
        .hash_password_into(&[1; 32], &[2; 16], &mut tag)
        .unwrap();
    assert_eq!(
        hex::encode(tag),
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    );
}

#[test]
fn a_passphrase_gives_the_key_that_openssl_gives() {
    let floor = Argon2Params::FLOOR;
    let wide = Argon2Params {
        passes: 4,
        lanes: 4,
        ..floor
    };
    for (params, expected) in [
        (
            floor,
            "0d1a3c6523c8f06e4e0af9c515aa5b5448cfebd6838f2d52c3d8b6ef8ddc3c2e",
        ),
        (
            wide,
            "bd259c80a02d89057da140fef5bc4e8886318bbd32b4d6913b1b40d0ab2bd306",
        ),
    ] {
        let key = passphrase_key(b"correct horse battery staple", &SALT, params).unwrap();
        assert_eq!(hex::encode(key.danger_expose()), expected);
    }
}

#[test]
fn stored_costs_outside_the_limits_are_refused() {
    let (floor, ceiling) = (Argon2Params::FLOOR, Argon2Params::CEILING);
    assert_eq!(floor.validate().unwrap(), floor);
    assert_eq!(ceiling.validate().unwrap(), ceiling);

    let weak = [
        Argon2Params {
            memory_kib: floor.memory_kib - 1,
            ..floor
        },
        Argon2Params { passes: 2, ..floor },
        Argon2Params { lanes: 0, ..floor },
    ];
    for params in weak {
        assert!(matches!(params.validate(), Err(KdfError::Weak)));
        let outcome = passphrase_key(b"passphrase", &SALT, params);
        assert!(matches!(outcome, Err(KdfError::Weak)), "before any work");
    }
    let excessive = [
        Argon2Params {
            memory_kib: ceiling.memory_kib + 1,
            ..floor
        },
        Argon2Params {
            passes: u32::MAX,
            ..floor
        },
        Argon2Params { lanes: 17, ..floor },
    ];
    for params in excessive {
        assert!(matches!(params.validate(), Err(KdfError::Excessive)));
        let outcome = passphrase_key(b"passphrase", &SALT, params);
        assert!(
            matches!(outcome, Err(KdfError::Excessive)),
            "before any work"
        );
    }
}

#[test]
fn an_empty_passphrase_is_refused() {
    let outcome = passphrase_key(b"", &SALT, Argon2Params::FLOOR);
    assert!(matches!(outcome, Err(KdfError::Empty)));
}

#[test]
fn the_cost_follows_the_target_within_its_limits() {
    let ms = Duration::from_millis;
    let scaled = Argon2Params::scaled;
    assert_eq!(scaled(ms(100), ms(0)), Argon2Params::FLOOR);
    assert_eq!(scaled(ms(100), ms(100)), Argon2Params::FLOOR);
    assert_eq!(
        scaled(ms(900), ms(500)),
        Argon2Params::FLOOR,
        "a slow machine"
    );
    let twice = scaled(ms(100), ms(200));
    assert_eq!((twice.memory_kib, twice.passes), (128 * 1024, 3));
    let eightfold = scaled(ms(100), ms(800));
    assert_eq!(
        (eightfold.memory_kib, eightfold.passes),
        (CALIBRATED_MEMORY_KIB, 6)
    );
    for (took, target) in [
        (Duration::ZERO, Duration::MAX),
        (ms(1), Duration::MAX),
        (Duration::MAX, ms(1)),
        (ms(70), ms(71)),
    ] {
        assert!(scaled(took, target).validate().is_ok());
    }
}

#[test]
fn calibration_here_stays_within_the_limits() {
    let params = Argon2Params::calibrate(Duration::from_millis(1));
    assert_eq!(params, Argon2Params::FLOOR);
}

#[test]
fn high_entropy_input_follows_the_formula() {
    let key = high_entropy_key(b"sixteen bytes ok", &SALT, "slot/key-file").unwrap();
    assert_eq!(
        hex::encode(key.danger_expose()),
        "c5bb8a3b65feba885eed9ff719802ba24929a4ebc6751f0abe23102c7ee7f6dc"
    );
    let other = high_entropy_key(b"sixteen bytes ok", &SALT, "slot/recovery").unwrap();
    assert_ne!(key.danger_expose(), other.danger_expose());
    let other = high_entropy_key(b"sixteen bytes ok", &[1; 16], "slot/key-file").unwrap();
    assert_ne!(key.danger_expose(), other.danger_expose());
}

#[test]
fn low_entropy_input_is_refused() {
    let outcome = high_entropy_key(b"fifteen bytes..", &SALT, "slot/key-file");
    assert!(matches!(outcome, Err(KdfError::TooShort { got: 15 })));
}
