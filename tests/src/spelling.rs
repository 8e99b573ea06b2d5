//! The spellings in which a value might show.

/// A value in the forms that a program may have put it into.
pub struct Needles(Vec<(&'static str, Vec<u8>)>);

impl Needles {
    /// All spellings of `value`: as it is, base64 in each of the three offsets, hex in both cases,
    /// reversed, UTF-16, and as a list of decimal numbers, which is how `Debug` prints bytes.
    #[must_use]
    pub fn of(value: &[u8]) -> Self {
        let mut all = vec![("as it is", value.to_vec())];
        for offset in 0..3 {
            all.push(("base64", base64_inside(value, offset)));
        }
        let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        all.push(("hex", hex.to_uppercase().into_bytes()));
        all.push(("hex", hex.into_bytes()));
        all.push(("reversed", value.iter().rev().copied().collect()));
        all.push(("UTF-16", value.iter().flat_map(|byte| [*byte, 0]).collect()));
        let numbers: Vec<String> = value.iter().map(u8::to_string).collect();
        all.push(("numbers", numbers.join(", ").into_bytes()));
        Self(all)
    }

    /// The spelling in which the value is in `text`, if it is there.
    #[must_use]
    pub fn find(&self, text: &[u8]) -> Option<&'static str> {
        let found = self
            .0
            .iter()
            .find(|(_, needle)| positions(text, needle).next().is_some());
        found.map(|(name, _)| *name)
    }
}

/// Where `needle` stands in `text`.
pub fn positions<'a>(text: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let first = needle[0];
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(at) = text[from..].iter().position(|byte| *byte == first) {
            let at = from + at;
            from = at + 1;
            if text[at..].starts_with(needle) {
                return Some(at);
            }
        }
        None
    })
}

/// The base64 digits that depend on `value` alone when `offset` other bytes stand before it.
fn base64_inside(value: &[u8], offset: usize) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let skipped = (3 - offset) % 3;
    value[skipped..]
        .chunks_exact(3)
        .flat_map(|three| {
            let word = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
            [18, 12, 6, 0].map(|shift| DIGITS[(word >> shift) as usize & 63])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Needles;

    #[test]
    fn every_spelling_is_found() {
        let needles = Needles::of(b"canary-17");
        for (text, spelling) in [
            ("a canary-17 b", Some("as it is")),
            ("Y2FuYXJ5LTE3", Some("base64")),
            ("OmNhbmFyeS0xNw==", Some("base64")),
            ("Ojpjb2FuYXJ5LTE3", None),
            ("Ojpj YW5hcnktMTc", Some("base64")),
            ("x63616e6172792d3137", Some("hex")),
            ("71-yranac", Some("reversed")),
            ("[99, 97, 110, 97, 114, 121, 45, 49, 55]", Some("numbers")),
            ("canary-1", None),
        ] {
            assert_eq!(needles.find(text.as_bytes()), spelling, "{text}");
        }
    }
}
