//! The end of a stream, as far as it is still needed.

use zeroize::Zeroizing;

/// The last bytes of a stream; they are numbered from its beginning on.
///
/// A buffer that grows is copied to a new one, and the old one is wiped: growing in place would
/// leave a copy behind.
#[derive(Default)]
pub(crate) struct Window {
    bytes: Zeroizing<Vec<u8>>,
    /// What lies before is moved away when it is at least half of the buffer, so that a long run
    /// that is held back does not cost its length with each byte.
    head: usize,
    /// The number of the byte at `head`.
    base: u64,
}

impl Window {
    /// The kept bytes.
    pub(crate) fn text(&self) -> &[u8] {
        &self.bytes[self.head..]
    }

    /// The number of the first kept byte.
    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// The number of the byte that comes next.
    pub(crate) fn end(&self) -> u64 {
        self.base + self.text().len() as u64
    }

    /// The kept bytes between two numbers.
    pub(crate) fn range(&self, from: u64, to: u64) -> &[u8] {
        &self.text()[self.index(from)..self.index(to)]
    }

    /// Where a kept byte stands in [`Window::text`].
    pub(crate) fn index(&self, number: u64) -> usize {
        usize::try_from(number - self.base).unwrap_or(usize::MAX)
    }

    /// Appends bytes.
    pub(crate) fn append(&mut self, more: &[u8]) {
        self.room(more.len());
        self.bytes.extend_from_slice(more);
    }

    /// Appends one byte.
    pub(crate) fn push(&mut self, byte: u8) {
        self.room(1);
        self.bytes.push(byte);
    }

    /// Sees to it that so many bytes may come.
    fn room(&mut self, more: usize) {
        let length = self.bytes.len() + more;
        if self.bytes.capacity() < length {
            let size = match self.bytes.capacity() {
                0 => length,
                _ => 2 * length,
            };
            let mut larger = Zeroizing::new(Vec::with_capacity(size));
            larger.extend_from_slice(self.text());
            self.bytes = larger;
            self.head = 0;
        }
    }

    /// Has no use for the bytes before this one.
    pub(crate) fn forget(&mut self, before: u64) {
        self.head += self.index(before).min(self.text().len());
        self.base = before;
        if self.head >= self.bytes.len() / 2 {
            let left = self.bytes.len() - self.head;
            self.bytes.copy_within(self.head.., 0);
            self.bytes.truncate(left);
            self.head = 0;
        }
    }

    /// Bytes come that are not kept; none is.
    pub(crate) fn pass(&mut self, count: usize) {
        self.base += count as u64;
    }

    /// Takes the kept bytes away.
    pub(crate) fn take(&mut self) -> Zeroizing<Vec<u8>> {
        self.forget(self.base);
        std::mem::take(&mut self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_keep_their_numbers() {
        let mut window = Window::default();
        window.append(b"abcdef");
        window.forget(2);
        assert_eq!(
            (window.text(), window.base(), window.end()),
            (&b"cdef"[..], 2, 6)
        );
        window.append(&[b'x'; 1000]);
        window.push(b'!');
        assert_eq!(window.range(1004, 1007), b"xx!");
        window.forget(1005);
        assert_eq!((window.text(), window.end()), (&b"x!"[..], 1007));
        window.forget(1007);
        window.pass(10);
        assert_eq!((window.text(), window.end()), (&b""[..], 1017));
    }
}
