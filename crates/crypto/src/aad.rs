//! Associated data: what is authenticated beside a ciphertext.

/// A list of fields in an injective encoding.
///
/// Two different lists never encode to the same bytes, so a record cannot be
/// passed off as another by moving bytes between neighbouring fields. The
/// first field is a domain string that names the kind of record.
///
/// Each field is its length as a 32-bit little-endian number, then its bytes.
/// The kind of a field is not encoded: the domain fixes how many fields follow
/// and what they are. [`Aad::optional`] is the one place where their number
/// varies, and it writes a presence field first.
///
/// The contents are not treated as secret: they live in ordinary memory.
///
/// ```
/// use subrosa_crypto::Aad;
/// let aad = Aad::new("a").bytes(b"bc");
/// assert_eq!(aad.encoded(), b"\x01\0\0\0a\x02\0\0\0bc");
/// assert_ne!(aad, Aad::new("ab").bytes(b"c"));
/// ```
///
/// Source: spec/vault.md, "Associated data".
#[derive(Clone, PartialEq, Eq)]
pub struct Aad {
    encoded: Vec<u8>,
}

impl Aad {
    /// Starts a list with its domain, such as `subrosa/vault/record/v1`.
    pub fn new(domain: &str) -> Aad {
        // Room for a typical record's fields, so that building one allocates once.
        let encoded = Vec::with_capacity(160);
        Aad { encoded }.text(domain)
    }

    /// Appends a field of bytes.
    ///
    /// # Panics
    /// When the field is 4 GiB or longer, which no bounded input reaches.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Aad {
        let length = u32::try_from(bytes.len())
            .expect("invariant: a field of associated data is shorter than 4 GiB");
        self.encoded.extend_from_slice(&length.to_le_bytes());
        self.encoded.extend_from_slice(bytes);
        self
    }

    /// Appends a field of text, as its UTF-8 bytes.
    #[must_use]
    pub fn text(self, text: &str) -> Aad {
        self.bytes(text.as_bytes())
    }

    /// Appends a number as a field of 8 little-endian bytes.
    #[must_use]
    pub fn u64(self, number: u64) -> Aad {
        self.bytes(&number.to_le_bytes())
    }

    /// Appends a number as a field of 4 little-endian bytes.
    #[must_use]
    pub fn u32(self, number: u32) -> Aad {
        self.bytes(&number.to_le_bytes())
    }

    /// Appends a field that may be absent: a presence field of one byte (0 or
    /// 1), then, if present, the field itself. Absent and empty differ.
    #[must_use]
    pub fn optional(self, bytes: Option<&[u8]>) -> Aad {
        match bytes {
            None => self.bytes(&[0]),
            Some(bytes) => self.bytes(&[1]).bytes(bytes),
        }
    }

    /// The encoding of all fields so far.
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }
}

/// Prints the size only: fields may hold names, which logs need not show.
impl std::fmt::Debug for Aad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Aad({} bytes)", self.encoded.len())
    }
}
