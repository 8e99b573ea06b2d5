//! The root fingerprint of each vault folder, remembered outside of it.

use subrosa_store::FileError;
use subrosa_store::pins::{PinRecord, Pins, PinsHeld};
use subrosa_vault::{SlotKind, Unlock, Unverified};

use crate::{EngineError, Home, Setting};

/// Writes a pin.
pub(crate) fn write(home: &Home, record: &PinRecord) -> Result<(), EngineError> {
    let folder = home.pins.as_ref().ok_or_else(|| EngineError::Home {
        reason: "no home folder was found for the pins of root fingerprints".to_owned(),
    })?;
    Ok(Pins::at(folder)?.set(&home.data, record)?)
}

/// What is pinned for the vault's folder, if anything can be read.
pub(crate) fn known(home: &Home) -> Option<PinRecord> {
    Pins::at(home.pins.as_ref()?).ok()?.get(&home.data).ok()?
}

/// Keeps other processes from changing pins. Without a place for pins there is nothing to hold, and
/// what is wrong with the place is told by whoever uses it.
pub(crate) fn hold(home: &Home) -> Option<PinsHeld> {
    Pins::at(home.pins.as_ref()?).ok()?.hold().ok()
}

/// Whether the pin says exactly this root key, and no rotation is under way.
pub(crate) fn agrees(home: &Home, unverified: &Unverified) -> bool {
    known(home).is_some_and(|pin| pin.current == unverified.fingerprint() && pin.next.is_none())
}

/// What to tell when a pin cannot be written.
pub(crate) fn notice(error: &EngineError) -> String {
    format!(
        "the root fingerprint could not be pinned, so a forged vault in this folder would not be noticed: {error}"
    )
}

/// Compares the root fingerprint with the pinned one, settles what a killed rotation left open, and
/// pins a root on first sight when a person has proved to know the vault's secret. The pins are to
/// be held, from before the vault was read.
pub(crate) fn settle(
    setting: &Setting,
    (unverified, unlock): (&Unverified, &Unlock),
    notices: &mut Vec<String>,
) -> Result<(), EngineError> {
    let fingerprint = unverified.fingerprint();
    let kind = unverified.slot().and_then(|slot| slot.kind);
    let present = kind.is_some_and(SlotKind::vouches);
    let known = match &setting.home.pins {
        None => None,
        Some(folder) => match Pins::at(folder).and_then(|pins| pins.get(&setting.home.data)) {
            Ok(known) => known,
            // A pin that is there and cannot be trusted is no reason to trust the vault.
            Err(
                error @ (FileError::Damaged { .. }
                | FileError::Unsafe { .. }
                | FileError::TooLong { .. }),
            ) => {
                return Err(error.into());
            }
            Err(_) => None,
        },
    };
    let fresh = PinRecord {
        vault: unverified.id(),
        current: fingerprint,
        next: None,
    };
    let remember = |notices: &mut Vec<String>| match write(&setting.home, &fresh) {
        Ok(()) => {}
        Err(error) => notices.push(notice(&error)),
    };
    match known {
        Some(pin) if pin.current == fingerprint && pin.next.is_none() => Ok(()),
        // A rotation was under way: whichever root key the vault has now was announced.
        Some(pin) if pin.current == fingerprint || pin.next == Some(fingerprint) => {
            remember(notices);
            Ok(())
        }
        Some(_) if setting.accept_root && present => {
            remember(notices);
            Ok(())
        }
        Some(_) => Err(EngineError::Forged {
            path: setting.home.data.clone(),
        }),
        None if present => {
            remember(notices);
            Ok(())
        }
        None => Err(EngineError::Unpinned {
            path: setting.home.data.clone(),
            kind: unlock.kind(),
        }),
    }
}
