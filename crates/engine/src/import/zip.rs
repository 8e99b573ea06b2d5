//! One member of a ZIP archive, inflated from locked memory into locked memory.
//!
//! Only the directory and the member that is asked for are read: attachments stay in the file. The
//! directory says how long the member is; that much locked memory is taken, and a member that
//! gives more or less, or another checksum, is refused. So an archive cannot make itself large.
//!
//! Source: PKWARE APPNOTE 6.3.10 §4.3 (records), §4.5.3 (ZIP64); RFC 1951 by `miniz_oxide`.

use std::io::{Read, Seek, SeekFrom};

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use subrosa_crypto::{ReadError, SecretBuf};

use super::FILE_MAX;
use super::entry::Wrong;

/// Longest directory that is read, in bytes: some ten thousand members.
const DIRECTORY_MAX: u64 = 4 * 1024 * 1024;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END64: u32 = 0x0606_4b50;
const LOCATOR64: u32 = 0x0706_4b50;
const END_LENGTH: usize = 22;
const COMMENT_MAX: usize = 0xffff;

/// What an archive holds.
#[derive(Debug)]
pub struct Archive<R> {
    reader: R,
    length: u64,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    name: String,
    flags: u16,
    method: u16,
    checksum: u32,
    packed: u64,
    length: u64,
    offset: u64,
}

/// Whether a file that begins like this is an archive.
#[must_use]
pub fn is_archive(start: &[u8]) -> bool {
    start.starts_with(&LOCAL.to_le_bytes()) || start.starts_with(&END.to_le_bytes())
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory.
    ///
    /// # Errors
    /// [`Wrong`] when this is no archive, or only a part of one.
    pub fn open(mut reader: R) -> Result<Self, Wrong> {
        let length = reader.seek(SeekFrom::End(0)).map_err(Wrong::Io)?;
        let (count, size, offset) = end(&mut reader, length)?;
        if size > DIRECTORY_MAX {
            return Err(Wrong::whole(format!(
                "the archive's directory is longer than {DIRECTORY_MAX} bytes"
            )));
        }
        let directory = bytes(&mut reader, offset, size, length)?;
        let mut rest = directory.as_slice();
        let mut members = Vec::new();
        for _ in 0..count {
            members.push(member(&mut rest).ok_or_else(damaged)?);
        }
        Ok(Self {
            reader,
            length,
            members,
        })
    }

    /// Names of all members.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.name.as_str())
    }

    /// The content of a member; `None` when there is none of that name.
    ///
    /// # Errors
    /// [`Wrong`] when it is there twice, encrypted, too long, or not what the directory says.
    pub fn read(&mut self, name: &str) -> Result<Option<SecretBuf>, Wrong> {
        let mut found = self.members.iter().filter(|member| member.name == name);
        let Some(member) = found.next() else {
            return Ok(None);
        };
        let refused = |why: &str| Err(Wrong::whole(format!("{name} in the archive {why}")));
        if found.next().is_some() {
            return refused("is there twice");
        }
        if member.flags & 1 != 0 {
            return refused("is encrypted; export it anew without a password");
        }
        if member.length > FILE_MAX as u64 || member.packed > FILE_MAX as u64 {
            return refused(&format!("is longer than {FILE_MAX} bytes"));
        }
        let header = bytes(&mut self.reader, member.offset, 30, self.length)?;
        let header = header.as_slice();
        if u32_at(header, 0) != Some(LOCAL) {
            return Err(damaged());
        }
        let skipped = [26, 28].iter().map(|at| u16_at(header, *at).unwrap_or(0));
        let start = member.offset + 30 + skipped.map(u64::from).sum::<u64>();
        let packed = bytes(&mut self.reader, start, member.packed, self.length)?;
        let length = usize::try_from(member.length).map_err(|_| damaged())?;
        let content = match member.method {
            0 if member.packed == member.length => packed,
            8 => inflate(packed.as_slice(), length)?,
            _ => return refused("is packed in a way that is not known here; pack it with deflate"),
        };
        if crc32fast::hash(content.as_slice()) != member.checksum {
            return refused("is damaged: its checksum is another");
        }
        Ok(Some(content))
    }
}

fn damaged() -> Wrong {
    Wrong::whole("this is no ZIP archive, or only a part of one; export it anew")
}

/// Straight into its place: the output is its own window, so nothing is left in other memory.
fn inflate(packed: &[u8], length: usize) -> Result<SecretBuf, Wrong> {
    let mut content = SecretBuf::zeroed(length)?;
    let mut state = Box::<DecompressorOxide>::default();
    let out = content.as_mut_slice();
    let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, _, written) = decompress(&mut state, packed, out, 0, flags);
    if status != TINFLStatus::Done || written != length {
        return Err(Wrong::whole(
            "the archive is damaged: a member has not the length that its directory says",
        ));
    }
    Ok(content)
}

/// Number of members, and size and place of the directory.
fn end<R: Read + Seek>(reader: &mut R, length: u64) -> Result<(u64, u64, u64), Wrong> {
    let tail = length.min((END_LENGTH + COMMENT_MAX) as u64);
    let text = bytes(reader, length - tail, tail, length)?;
    let text = text.as_slice();
    let last = text.len().checked_sub(END_LENGTH).ok_or_else(damaged)?;
    // From the end: a comment may hold the mark, and then it must end with the file to count.
    let at = (0..=last)
        .rev()
        .find(|at| {
            let comment = u16_at(text, at + 20).map(usize::from);
            u32_at(text, *at) == Some(END) && comment == Some(text.len() - at - END_LENGTH)
        })
        .ok_or_else(damaged)?;
    let short = |at| u16_at(text, at).ok_or_else(damaged);
    let long = |at| u32_at(text, at).ok_or_else(damaged);
    let (count, size, offset) = (short(at + 10)?, long(at + 12)?, long(at + 16)?);
    if (short(at + 4)?, short(at + 6)?) != (0, 0) {
        return Err(Wrong::whole(
            "the archive is split into several files; export it as one",
        ));
    }
    if count != u16::MAX && size != u32::MAX && offset != u32::MAX {
        return Ok((count.into(), size.into(), offset.into()));
    }
    let locator = at.checked_sub(20).ok_or_else(damaged)?;
    if u32_at(text, locator) != Some(LOCATOR64) {
        return Err(damaged());
    }
    let place = u64_at(text, locator + 8).ok_or_else(damaged)?;
    let record = bytes(reader, place, 56, length)?;
    let record = record.as_slice();
    if u32_at(record, 0) != Some(END64) {
        return Err(damaged());
    }
    let wide = |at| u64_at(record, at).ok_or_else(damaged);
    Ok((wide(32)?, wide(40)?, wide(48)?))
}

/// The next record of the directory.
fn member(rest: &mut &[u8]) -> Option<Member> {
    let record = *rest;
    if u32_at(record, 0)? != CENTRAL {
        return None;
    }
    let lengths = [28, 30, 32].map(|at| u16_at(record, at).map(usize::from));
    let [Some(name), Some(extra), Some(comment)] = lengths else {
        return None;
    };
    let after_name = 46 + name;
    let name = record.get(46..after_name)?;
    let extra = record.get(after_name..after_name + extra)?;
    *rest = record.get(after_name + extra.len() + comment..)?;
    let mut wide = wide_fields(extra);
    let mut field = |at| match u32_at(record, at)? {
        u32::MAX => {
            let value = u64_at(wide, 0)?;
            wide = wide.get(8..)?;
            Some(value)
        }
        value => Some(u64::from(value)),
    };
    // In the order in which the wide ones stand.
    let (length, packed, offset) = (field(24)?, field(20)?, field(42)?);
    Some(Member {
        name: String::from_utf8_lossy(name).into_owned(),
        flags: u16_at(record, 8)?,
        method: u16_at(record, 10)?,
        checksum: u32_at(record, 16)?,
        packed,
        length,
        offset,
    })
}

/// The ZIP64 field among the extra ones.
fn wide_fields(mut extra: &[u8]) -> &[u8] {
    while let (Some(kind), Some(size)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let end = 4 + usize::from(size);
        match (kind, extra.get(4..end)) {
            (1, Some(field)) => return field,
            (_, Some(_)) => extra = &extra[end..],
            (_, None) => break,
        }
    }
    &[]
}

/// A part of the file; asking for more than there is means that the file was cut.
fn bytes<R: Read + Seek>(
    reader: &mut R,
    start: u64,
    size: u64,
    length: u64,
) -> Result<SecretBuf, Wrong> {
    let end = start.checked_add(size).filter(|end| *end <= length);
    if end.is_none() {
        return Err(damaged());
    }
    let size = usize::try_from(size).map_err(|_| damaged())?;
    reader.seek(SeekFrom::Start(start)).map_err(Wrong::Io)?;
    let mut part = SecretBuf::zeroed(size)?;
    reader
        .read_exact(part.as_mut_slice())
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => damaged(),
            _ => Wrong::Io(error),
        })?;
    Ok(part)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

impl From<ReadError> for Wrong {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => Self::Io(error),
            ReadError::Memory(error) => Self::Memory(error),
            error => Self::whole(error.to_string()),
        }
    }
}

#[cfg(test)]
#[path = "zip_tests.rs"]
mod tests;
