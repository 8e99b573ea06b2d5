//! The memory of a process, read as the kernel shows it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use crate::positions;

/// One mapping and what is in it.
pub struct Mapping {
    /// Its line in `maps`.
    pub name: String,
    /// What the kernel says of it, in two-letter words.
    pub flags: Vec<String>,
    /// Its bytes, as far as they can be read.
    pub content: Vec<u8>,
}

impl Mapping {
    /// Whether it is locked (`lo`) and left out of core images (`dd`).
    #[must_use]
    pub fn is_protected(&self) -> bool {
        ["lo", "dd"]
            .iter()
            .all(|flag| self.flags.iter().any(|word| word == flag))
    }
}

/// Everything that a process has mapped for reading. For another process this takes root.
#[must_use]
pub fn memory(pid: u32) -> Vec<Mapping> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps")).expect("smaps can be read");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("mem can be opened");
    let mut mappings = Vec::new();
    let mut current: Option<(String, u64, u64)> = None;
    for line in text.lines() {
        let head = line.split_whitespace().next().unwrap_or_default();
        if let Some((start, end)) = range(head) {
            current = Some((line.to_owned(), start, end));
        } else if let Some(flags) = line.strip_prefix("VmFlags:")
            && let Some((name, start, end)) = current.take()
        {
            let flags: Vec<String> = flags.split_whitespace().map(str::to_owned).collect();
            if flags.iter().any(|flag| flag == "rd") {
                let content = read(&memory, start, end);
                mappings.push(Mapping {
                    name,
                    flags,
                    content,
                });
            }
        }
    }
    mappings
}

fn range(text: &str) -> Option<(u64, u64)> {
    let (start, end) = text.split_once('-')?;
    Some((
        u64::from_str_radix(start, 16).ok()?,
        u64::from_str_radix(end, 16).ok()?,
    ))
}

/// Reads page by page: one that cannot be read hides no other.
fn read(memory: &File, start: u64, end: u64) -> Vec<u8> {
    const STEP: u64 = 1 << 20;
    let mut content = Vec::new();
    let mut at = start;
    while at < end {
        let mut piece = vec![0; STEP.min(end - at) as usize];
        if memory.read_exact_at(&mut piece, at).is_ok() {
            content.extend_from_slice(&piece);
        }
        at += STEP;
    }
    content
}

/// Copies of a value in the memory of a process: in locked pages, and in others.
#[must_use]
pub fn copies(pid: u32, value: &[u8]) -> (usize, usize) {
    let (mut locked, mut open) = (0, 0);
    for mapping in memory(pid) {
        let found = positions(&mapping.content, value).count();
        if found > 0 && !mapping.is_protected() {
            println!("{found} in {}", mapping.name);
        }
        *(if mapping.is_protected() {
            &mut locked
        } else {
            &mut open
        }) += found;
    }
    (locked, open)
}
