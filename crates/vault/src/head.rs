//! A secret without its values: everything that `ls` and `show` tell.
//!
//! Source: spec/vault.md, "Heads".

use std::collections::BTreeMap;

use subrosa_crypto::{Aad, Key, Rng};
use subrosa_model::limits::{FIELDS_MAX, TAGS_MAX, VERSIONS_KEPT};
use subrosa_model::{
    FieldName, GroupName, KeyName, Pin, ProviderId, SecretId, Tag, Timestamp, VarName, VaultId,
    WorkspaceId,
};

use crate::VaultError;
use crate::codec::{Decoder, Encoder, Malformed};

/// What is known of a field beside its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// A word for what it is (`password`, `pem`), or nothing.
    pub kind: String,
    /// Whether its value is a secret. A field that is not may be shown.
    pub sensitive: bool,
    /// Help for whoever fills it in, or nothing.
    pub hint: String,
    /// Other names that it answers to.
    pub aliases: Vec<FieldName>,
    /// Whether it was stored although the redactor would not search for it unasked.
    pub forced: bool,
    /// Whether the redactor searches for it.
    pub searched: bool,
}

impl Default for Field {
    fn default() -> Self {
        Self {
            kind: String::new(),
            sensitive: true,
            hint: String::new(),
            aliases: Vec::new(),
            forced: false,
            searched: true,
        }
    }
}

/// Where the value of a field stands: written once, in the version that it names, and shared by
/// the later versions that did not change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueRef {
    /// The id of its record.
    pub(crate) id: [u8; 16],
    /// The version in which it was written.
    pub written: u32,
}

/// One state of a secret's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Counts from 1, without gaps while versions are kept.
    pub number: u32,
    /// When it was made.
    pub created: Timestamp,
    /// The fields that have a value in it.
    pub values: BTreeMap<FieldName, ValueRef>,
}

/// A secret without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The secret, through renames and versions.
    pub id: SecretId,
    /// The group in the workspace, if it is in one.
    pub group: Option<GroupName>,
    /// The key.
    pub key: KeyName,
    /// The only provider that it may reach.
    pub pin: Option<Pin>,
    /// When it was created.
    pub created: Timestamp,
    /// When anything of it last changed.
    pub modified: Timestamp,
    /// After this it is refused everywhere.
    pub expires: Option<Timestamp>,
    /// When it was removed; it can be brought back until it is purged.
    pub removed: Option<Timestamp>,
    /// Words that the user hung on it, ascending.
    pub tags: Vec<Tag>,
    /// A note, or nothing.
    pub note: String,
    /// Where it is from or used, or nothing.
    pub url: String,
    /// Its fields.
    pub fields: BTreeMap<FieldName, Field>,
    /// Environment variables that stand for fields.
    pub bindings: BTreeMap<FieldName, VarName>,
    /// Its versions, ascending; the last is current. At least one.
    pub versions: Vec<Version>,
}

impl Head {
    /// The current version.
    #[must_use]
    pub fn current(&self) -> &Version {
        self.versions
            .last()
            .expect("a head has at least one version: decoding and patching see to it")
    }

    /// What a list tells of it.
    #[must_use]
    pub fn brief(&self) -> Brief {
        let current = self.current();
        Brief {
            group: self.group.clone(),
            key: self.key.clone(),
            provider: self.pin.as_ref().map(|pin| pin.provider.clone()),
            modified: self.modified,
            expires: self.expires,
            removed: self.removed,
            tags: self.tags.clone(),
            fields: current.values.keys().cloned().collect(),
            version: current.number,
        }
    }

    /// A version by its number.
    #[must_use]
    pub fn version(&self, number: u32) -> Option<&Version> {
        self.versions
            .iter()
            .find(|version| version.number == number)
    }

    /// The field that `name` names, aliases included.
    #[must_use]
    pub fn resolve_field(&self, name: &FieldName) -> Option<(&FieldName, &Field)> {
        self.fields.get_key_value(name).or_else(|| {
            self.fields
                .iter()
                .find(|(_, field)| field.aliases.contains(name))
        })
    }

    /// The environment variable that stands for a field.
    #[must_use]
    pub fn variable(&self, field: &FieldName) -> VarName {
        self.bindings
            .get(field)
            .cloned()
            .unwrap_or_else(|| self.key.default_variable(field))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        Encoder::new()
            .fixed(self.id.as_bytes())
            .option(self.group.as_ref(), |e, group| e.text(group.as_str()))
            .text(self.key.as_str())
            .option(self.pin.as_ref(), |e, pin| {
                e.text(pin.provider.as_str()).fixed(pin.hosts.as_bytes())
            })
            .time(self.created)
            .time(self.modified)
            .option(self.expires, Encoder::time)
            .option(self.removed, Encoder::time)
            .list(self.tags.iter(), |e, tag| e.text(tag.as_str()))
            .text(&self.note)
            .text(&self.url)
            .list(self.fields.iter(), |e, (name, field)| {
                e.text(name.as_str())
                    .text(&field.kind)
                    .u8(u8::from(field.sensitive))
                    .text(&field.hint)
                    .list(field.aliases.iter(), |e, alias| e.text(alias.as_str()))
                    .u8(u8::from(field.forced))
                    .u8(u8::from(field.searched))
            })
            .list(self.bindings.iter(), |e, (field, variable)| {
                e.text(field.as_str()).text(variable.as_str())
            })
            .list(self.versions.iter(), |e, version| {
                e.u32(version.number)
                    .time(version.created)
                    .list(version.values.iter(), |e, (field, value)| {
                        e.text(field.as_str()).fixed(&value.id).u32(value.written)
                    })
            })
            .finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut d = Decoder::new(bytes);
        let head = Self {
            id: SecretId::from_bytes(d.fixed()?),
            group: d.option(Decoder::name)?,
            key: d.name()?,
            pin: d.option(decode_pin)?,
            created: d.time()?,
            modified: d.time()?,
            expires: d.option(Decoder::time)?,
            removed: d.option(Decoder::time)?,
            tags: d.list(TAGS_MAX, Decoder::name)?,
            note: d.text()?.to_owned(),
            url: d.text()?.to_owned(),
            fields: d.map(FIELDS_MAX, decode_field)?,
            bindings: d.map(FIELDS_MAX, |d| Ok((d.name()?, d.name()?)))?,
            versions: d.list(VERSIONS_KEPT, decode_version)?,
        };
        d.end()?;
        if head.versions.is_empty() {
            Err(Malformed)
        } else {
            Ok(head)
        }
    }

    /// Seals this and the sealed value keys into the body of a record.
    pub(crate) fn seal(
        &self,
        place: &HeadPlace,
        key: &Key,
        rng: &dyn Rng,
        value_keys: &[u8],
    ) -> Vec<u8> {
        let meta = key.seal(rng, &place.meta_aad(), &self.encode());
        Encoder::new().bytes(&meta).bytes(value_keys).finish()
    }
}

fn decode_pin(d: &mut Decoder<'_>) -> Result<Pin, Malformed> {
    Ok(Pin {
        provider: d.name()?,
        hosts: subrosa_model::Digest::from_bytes(d.fixed()?),
    })
}

fn decode_field(d: &mut Decoder<'_>) -> Result<(FieldName, Field), Malformed> {
    let name = d.name()?;
    let field = Field {
        kind: d.text()?.to_owned(),
        sensitive: d.flag()?,
        hint: d.text()?.to_owned(),
        aliases: d.list(FIELDS_MAX, Decoder::name)?,
        forced: d.flag()?,
        searched: d.flag()?,
    };
    Ok((name, field))
}

fn decode_version(d: &mut Decoder<'_>) -> Result<Version, Malformed> {
    Ok(Version {
        number: d.u32()?,
        created: d.time()?,
        values: d.map(FIELDS_MAX, |d| {
            let field = d.name()?;
            let value = ValueRef {
                id: d.fixed()?,
                written: d.u32()?,
            };
            Ok((field, value))
        })?,
    })
}

/// What a list tells of a secret. A list of 100,000 is read without the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// The group in the workspace, if it is in one.
    pub group: Option<GroupName>,
    /// The key.
    pub key: KeyName,
    /// The provider that it is pinned to.
    pub provider: Option<ProviderId>,
    /// When anything of it last changed.
    pub modified: Timestamp,
    /// After this it is refused everywhere.
    pub expires: Option<Timestamp>,
    /// When it was removed.
    pub removed: Option<Timestamp>,
    /// Words that the user hung on it, ascending.
    pub tags: Vec<Tag>,
    /// The fields that have a value in the current version, ascending.
    pub fields: Vec<FieldName>,
    /// The number of the current version.
    pub version: u32,
}

impl Brief {
    /// Reads what [`Head::encode`] writes.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut d = Decoder::new(bytes);
        let _id: [u8; 16] = d.fixed()?;
        let group = d.option(Decoder::name)?;
        let key = d.name()?;
        let provider = d.option(decode_pin)?.map(|pin| pin.provider);
        let _created = d.time()?;
        let (modified, expires) = (d.time()?, d.option(Decoder::time)?);
        let removed = d.option(Decoder::time)?;
        let tags = d.list(TAGS_MAX, Decoder::name)?;
        let (_note, _url) = (d.text()?, d.text()?);
        d.each(FIELDS_MAX, |d| {
            let (_name, _kind, _sensitive, _hint) = (d.text()?, d.text()?, d.flag()?, d.text()?);
            d.each(FIELDS_MAX, |d| d.text().map(drop))?;
            let (_forced, _searched) = (d.flag()?, d.flag()?);
            Ok(())
        })?;
        d.each(FIELDS_MAX, |d| {
            let (_field, _variable) = (d.text()?, d.text()?);
            Ok(())
        })?;
        let (mut version, mut names) = (None, Vec::new());
        d.each(VERSIONS_KEPT, |d| {
            version = Some(d.u32()?);
            let _created = d.time()?;
            names.clear();
            d.each(FIELDS_MAX, |d| {
                names.push(d.text()?);
                let (_id, _written): ([u8; 16], u32) = (d.fixed()?, d.u32()?);
                Ok(())
            })
        })?;
        d.end()?;
        let fields = names.into_iter().map(FieldName::new);
        Ok(Self {
            group,
            key,
            provider,
            modified,
            expires,
            removed,
            tags,
            fields: fields.collect::<Result<_, _>>().map_err(|_| Malformed)?,
            version: version.ok_or(Malformed)?,
        })
    }
}

/// Where a head's record stands: all of it is bound into what is sealed there.
pub(crate) struct HeadPlace {
    pub(crate) vault: VaultId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) record: [u8; 16],
    pub(crate) revision: u64,
}

impl HeadPlace {
    fn aad(&self, domain: &str) -> Aad {
        Aad::new(domain)
            .bytes(self.vault.as_bytes())
            .bytes(self.workspace.as_bytes())
            .bytes(&self.record)
            .u64(self.revision)
    }

    pub(crate) fn meta_aad(&self) -> Aad {
        self.aad("subrosa/head/v1")
    }

    pub(crate) fn keys_aad(&self) -> Aad {
        self.aad("subrosa/head-keys/v1")
    }
}

/// The two sealed halves of a head's record.
pub(crate) struct HeadBody<'a> {
    pub(crate) meta: &'a [u8],
    pub(crate) keys: &'a [u8],
}

impl<'a> HeadBody<'a> {
    pub(crate) fn split(body: &'a [u8]) -> Result<Self, VaultError> {
        let mut d = Decoder::new(body);
        let split = (|| {
            let halves = Self {
                meta: d.bytes()?,
                keys: d.bytes()?,
            };
            d.end()?;
            Ok::<_, Malformed>(halves)
        })();
        split.map_err(|_| VaultError::tampered("the record of a secret"))
    }

    pub(crate) fn open<T>(
        &self,
        place: &HeadPlace,
        key: &Key,
        plain: &mut Vec<u8>,
        decode: impl FnOnce(&[u8]) -> Result<T, Malformed>,
    ) -> Result<T, VaultError> {
        key.open_public(&place.meta_aad(), self.meta, plain)
            .map_err(VaultError::opening("the record of a secret"))?;
        decode(plain).map_err(|_| VaultError::tampered("the record of a secret"))
    }
}

/// Binds a value to where it belongs, and to the pin under which it was stored.
pub(crate) fn value_aad(
    vault: VaultId,
    workspace: WorkspaceId,
    secret: SecretId,
    field: &FieldName,
    written: u32,
    pin: Option<&Pin>,
) -> Aad {
    let aad = Aad::new("subrosa/value/v1")
        .bytes(vault.as_bytes())
        .bytes(workspace.as_bytes())
        .bytes(secret.as_bytes())
        .text(field.as_str())
        .u32(written)
        .optional(pin.map(|pin| pin.provider.as_str().as_bytes()));
    aad.optional(pin.map(|pin| pin.hosts.as_bytes().as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name<T: TryFrom<String>>(text: &str) -> T {
        T::try_from(text.to_owned()).unwrap_or_else(|_| panic!("{text} is no name"))
    }

    fn full() -> Head {
        let value = |written| ValueRef {
            id: [7; 16],
            written,
        };
        let version = |number, fields: &[&str]| Version {
            number,
            created: Timestamp::from_micros(5),
            values: fields
                .iter()
                .map(|field| (name(field), value(number)))
                .collect(),
        };
        Head {
            id: SecretId::from_bytes([3; 16]),
            group: Some(name("team")),
            key: name("db/main"),
            pin: Some(Pin {
                provider: name("openai"),
                hosts: subrosa_model::Digest::from_bytes([9; 32]),
            }),
            created: Timestamp::from_micros(1),
            modified: Timestamp::from_micros(2),
            expires: Some(Timestamp::from_micros(3)),
            removed: Some(Timestamp::from_micros(4)),
            tags: vec![name("a"), name("b")],
            note: "a note".to_owned(),
            url: "https://example.com".to_owned(),
            fields: ["old", "password", "user"]
                .iter()
                .map(|field| (name(field), Field::default()))
                .collect(),
            bindings: BTreeMap::from([(name("user"), name("DB_USER"))]),
            versions: vec![version(4, &["old"]), version(5, &["password", "user"])],
        }
    }

    #[test]
    fn what_a_list_tells_is_what_the_head_holds() {
        let (full, mut bare) = (full(), full());
        (bare.group, bare.pin, bare.expires, bare.removed) = (None, None, None, None);
        bare.tags.clear();
        bare.versions.truncate(1);
        for head in [full, bare] {
            let bytes = head.encode();
            assert_eq!(Head::decode(&bytes), Ok(head.clone()));
            assert_eq!(Brief::decode(&bytes), Ok(head.brief()));
            for cut in 0..bytes.len() {
                assert_eq!(Brief::decode(&bytes[..cut]), Err(Malformed), "{cut}");
            }
            let longer = [&bytes[..], &[0]].concat();
            assert_eq!(Brief::decode(&longer), Err(Malformed));
        }
        let mut none = self::full();
        none.versions.clear();
        assert_eq!(Brief::decode(&none.encode()), Err(Malformed));
    }
}
