//! Slots: ways to open the vault. Each wraps the root key under a key of its own.
//!
//! Source: spec/vault.md, "Slots".

use subrosa_crypto::{
    Aad, Argon2Params, Identity, Key, Recipient, Rng, SigningKey, VerifyingKey, ct_eq, random,
};
use subrosa_model::{SlotId, Timestamp, VaultId};

use crate::codec::{Decoder, Encoder, Malformed};
use crate::keys::{RootKeys, slot_key};
use crate::port::Record;
use crate::{SlotKind, Unlock, VaultError};

/// Longest label of a slot, in bytes.
pub const LABEL_MAX: usize = 64;

/// Longest envelope of a slot, in bytes: an RSA key of 8,192 bits needs a quarter of it.
pub const ENVELOPE_MAX: usize = 4096;

/// A slot as users see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotInfo {
    /// Its id.
    pub id: SlotId,
    /// What opens it; `None` for a kind of a later program.
    pub kind: Option<SlotKind>,
    /// Its name.
    pub label: String,
    /// When it was added.
    pub created: Timestamp,
    /// Its secret, encrypted for somebody; empty for most kinds.
    pub envelope: Vec<u8>,
}

/// A slot's record, decoded.
///
/// The root key is wrapped to a public key that only the slot's secret can open, so that a new
/// root key can be wrapped for slots whose secrets are not at hand. Since anyone can wrap to a
/// public key, the slot's secret also vouches for the vault's lineage key (`binding`), and the
/// lineage key signs what is wrapped.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) info: SlotInfo,
    kind: u8,
    params: Argon2Params,
    salt: [u8; 16],
    recipient: Recipient,
    lineage: VerifyingKey,
    binding: [u8; 32],
    wrapped: Vec<u8>,
    signature: [u8; 64],
}

/// What an opened slot gives.
pub(crate) struct Opened {
    pub(crate) root: RootKeys,
    pub(crate) lineage: VerifyingKey,
}

const FORMAT: u8 = 1;

impl Slot {
    /// A new slot that `unlock` opens.
    ///
    /// `params` matter to passphrases only and are stored with every slot.
    pub(crate) fn seal(
        (root, lineage): (&RootKeys, &SigningKey),
        rng: &dyn Rng,
        unlock: &Unlock,
        (label, created): (&str, Timestamp),
        params: Argon2Params,
    ) -> Result<Self, VaultError> {
        let salt = random(rng);
        let secret = SlotSecret::new(unlock, &salt, params)?;
        let mut slot = Self {
            info: SlotInfo {
                id: SlotId::from_bytes(random(rng)),
                kind: Some(unlock.kind()),
                label: label.to_owned(),
                created,
                envelope: unlock.envelope().to_vec(),
            },
            kind: unlock.kind().number(),
            params,
            salt,
            recipient: secret.identity.recipient(),
            lineage: lineage.public(),
            binding: [0; 32],
            wrapped: Vec::new(),
            signature: [0; 64],
        };
        slot.binding = secret.binding.mac(&slot.aad(root.vault()));
        slot.rewrap(root, lineage, rng)?;
        Ok(slot)
    }

    /// Wraps a root key to this slot, without its secret.
    pub(crate) fn rewrap(
        &mut self,
        root: &RootKeys,
        lineage: &SigningKey,
        rng: &dyn Rng,
    ) -> Result<(), VaultError> {
        let aad = self.aad(root.vault());
        self.wrapped = root
            .wrap(rng, &self.recipient, &aad)
            .map_err(VaultError::opening("the public key of a slot"))?;
        self.signature = lineage.sign(&self.signed(root.vault()));
        Ok(())
    }

    /// Tries to open the slot; `None` when the proof is not this slot's.
    pub(crate) fn open(
        &self,
        vault: VaultId,
        unlock: &Unlock,
    ) -> Result<Option<Opened>, VaultError> {
        if self.kind != unlock.kind().number() {
            return Ok(None);
        }
        let secret = SlotSecret::new(unlock, &self.salt, self.params)?;
        if secret.identity.recipient() != self.recipient {
            return Ok(None);
        }
        let aad = self.aad(vault);
        // First that this secret made this slot for this vault, then that the vault's own key
        // wrapped what is in it.
        let genuine = ct_eq(&secret.binding.mac(&aad), &self.binding)
            && self.lineage.verify(&self.signed(vault), &self.signature);
        if !genuine {
            return Err(VaultError::tampered("a slot"));
        }
        let root = secret
            .identity
            .unwrap_key(&aad, &self.wrapped)
            .map_err(VaultError::opening("a slot"))?;
        Ok(Some(Opened {
            root: RootKeys::new(vault, root)?,
            lineage: self.lineage,
        }))
    }

    /// Everything of the slot that its secret vouches for.
    fn aad(&self, vault: VaultId) -> Aad {
        Aad::new("subrosa/slot/v1")
            .bytes(vault.as_bytes())
            .bytes(self.info.id.as_bytes())
            .u32(u32::from(self.kind))
            .text(&self.info.label)
            .u64(self.info.created.as_micros().cast_unsigned())
            .u32(self.params.memory_kib)
            .u32(self.params.passes)
            .u32(self.params.lanes)
            .bytes(&self.salt)
            .bytes(&self.recipient.0)
            .bytes(&self.lineage.0)
            .bytes(&self.info.envelope)
    }

    /// Everything that the lineage key signs.
    fn signed(&self, vault: VaultId) -> Aad {
        Aad::new("subrosa/slot-signature/v1")
            .bytes(self.aad(vault).encoded())
            .bytes(&self.binding)
            .bytes(&self.wrapped)
    }

    pub(crate) fn record(&self, revision: u64) -> Record {
        let body = Encoder::new()
            .u8(FORMAT)
            .u8(self.kind)
            .text(&self.info.label)
            .time(self.info.created)
            .u32(self.params.memory_kib)
            .u32(self.params.passes)
            .u32(self.params.lanes)
            .fixed(&self.salt)
            .fixed(&self.recipient.0)
            .fixed(&self.lineage.0)
            .fixed(&self.binding)
            .bytes(&self.info.envelope)
            .bytes(&self.wrapped)
            .fixed(&self.signature)
            .finish();
        Record {
            key: slot_key(self.info.id),
            revision,
            body,
        }
    }

    pub(crate) fn decode(id: [u8; 16], body: &[u8]) -> Result<Self, Malformed> {
        let mut d = Decoder::new(body);
        if d.u8()? != FORMAT {
            return Err(Malformed);
        }
        let kind = d.u8()?;
        let label = d.text()?.to_owned();
        let created = d.time()?;
        let params = Argon2Params {
            memory_kib: d.u32()?,
            passes: d.u32()?,
            lanes: d.u32()?,
        };
        let (salt, recipient) = (d.fixed()?, Recipient(d.fixed()?));
        let (lineage, binding) = (VerifyingKey(d.fixed()?), d.fixed()?);
        let envelope = d.bytes()?.to_vec();
        let known = SlotKind::from_number(kind);
        let (least, most) = known.map_or((0, ENVELOPE_MAX), SlotKind::envelope_lengths);
        if envelope.len() < least || envelope.len() > most {
            return Err(Malformed);
        }
        let slot = Self {
            info: SlotInfo {
                id: SlotId::from_bytes(id),
                kind: known,
                label,
                created,
                envelope,
            },
            kind,
            params,
            salt,
            recipient,
            lineage,
            binding,
            wrapped: d.bytes()?.to_vec(),
            signature: d.fixed()?,
        };
        d.end()?;
        Ok(slot)
    }
}

/// What the proof of a slot is turned into.
struct SlotSecret {
    identity: Identity,
    binding: Key,
}

impl SlotSecret {
    fn new(unlock: &Unlock, salt: &[u8; 16], params: Argon2Params) -> Result<Self, VaultError> {
        let key = unlock.key(salt, params)?;
        Ok(Self {
            identity: Identity::from_seed(&key.derive("recipient")?)?,
            binding: key.derive("binding")?,
        })
    }
}
