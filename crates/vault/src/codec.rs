//! The one byte encoding of everything that is sealed.
//!
//! Integers are little-endian and of fixed width; byte strings and lists carry a `u32` length in
//! front; an option is a byte 0, or 1 and the content. Nothing is skipped: a reader that does not
//! end exactly at the end of its input refuses it.
//!
//! Source: spec/vault.md, "Encoding".

use std::collections::BTreeMap;

use subrosa_model::Timestamp;

/// Appends values to a growing buffer.
#[derive(Debug, Default)]
pub(crate) struct Encoder(Vec<u8>);

impl Encoder {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(crate) fn u32(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn u64(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn time(mut self, value: Timestamp) -> Self {
        self.0.extend_from_slice(&value.as_micros().to_le_bytes());
        self
    }

    /// Bytes of a length that the format fixes.
    pub(crate) fn fixed<const N: usize>(mut self, bytes: &[u8; N]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        // Every encoded string was bounded long before it came here.
        let length = u32::try_from(bytes.len()).expect("encoded strings are far below 4 GiB");
        let mut this = self.u32(length);
        this.0.extend_from_slice(bytes);
        this
    }

    /// What is encoded already.
    pub(crate) fn verbatim(mut self, encoded: &[u8]) -> Self {
        self.0.extend_from_slice(encoded);
        self
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn option<T>(self, value: Option<T>, put: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => put(self.u8(1), value),
            None => self.u8(0),
        }
    }

    pub(crate) fn list<T>(
        self,
        items: impl ExactSizeIterator<Item = T>,
        put: impl FnMut(Self, T) -> Self,
    ) -> Self {
        let count = u32::try_from(items.len()).expect("encoded lists are far below 2^32");
        items.fold(self.u32(count), put)
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// The input is not an encoding of what was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads values off the front of a slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.fixed::<1>()?[0])
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Malformed> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.fixed().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.fixed().map(u64::from_le_bytes)
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, Malformed> {
        self.fixed()
            .map(i64::from_le_bytes)
            .map(Timestamp::from_micros)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u32()?;
        self.take(usize::try_from(length).map_err(|_| Malformed)?)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }

    /// A name of the model, checked again: a sealed record may come from a faulty program.
    pub(crate) fn name<N: TryFrom<String>>(&mut self) -> Result<N, Malformed> {
        N::try_from(self.text()?.to_owned()).map_err(|_| Malformed)
    }

    pub(crate) fn option<T>(
        &mut self,
        get: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        if self.flag()? {
            get(self).map(Some)
        } else {
            Ok(None)
        }
    }

    /// A list of at most `limit` items.
    pub(crate) fn list<T>(
        &mut self,
        limit: usize,
        mut get: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        // No reservation by a count that the input claims.
        let mut items = Vec::new();
        self.each(limit, |d| {
            items.push(get(d)?);
            Ok(())
        })?;
        Ok(items)
    }

    /// A list of at most `limit` keys with what belongs to each; of a key that comes again, the last.
    pub(crate) fn map<K: Ord, V>(
        &mut self,
        limit: usize,
        mut get: impl FnMut(&mut Self) -> Result<(K, V), Malformed>,
    ) -> Result<BTreeMap<K, V>, Malformed> {
        let mut map = BTreeMap::new();
        self.each(limit, |d| {
            let (key, value) = get(d)?;
            map.insert(key, value);
            Ok(())
        })?;
        Ok(map)
    }

    /// The items of a list of at most `limit`, one by one.
    pub(crate) fn each(
        &mut self,
        limit: usize,
        mut get: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let count = usize::try_from(self.u32()?).map_err(|_| Malformed)?;
        if count > limit {
            return Err(Malformed);
        }
        (0..count).try_for_each(|_| get(self))
    }

    /// Demands that everything was read.
    pub(crate) fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }
}
