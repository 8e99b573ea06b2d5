//! Seen from inside: what the slots hold, and what the kernel says of the pages.

use std::io::{self, Read};
use std::ptr::NonNull;

use proptest::prelude::*;

use super::arena::{Arena, SLOT_ALIGN, Slot};
use super::region::page_size;
use super::{Locked, MemoryError, ReadError, SecretBuf};

/// One mapping's entry in `/proc/self/smaps`.
struct Mapping {
    range: std::ops::Range<usize>,
    permissions: String,
    locked_kib: usize,
    flags: Vec<String>,
}

fn mappings() -> Vec<Mapping> {
    let text = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut found: Vec<Mapping> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap();
        if let Some(key) = first.strip_suffix(':') {
            let mapping = found.last_mut().unwrap();
            match key {
                "Locked" => mapping.locked_kib = words.next().unwrap().parse().unwrap(),
                "VmFlags" => mapping.flags = words.map(str::to_owned).collect(),
                _ => {}
            }
        } else {
            let (start, end) = first.split_once('-').unwrap();
            let hex = |text| usize::from_str_radix(text, 16).unwrap();
            found.push(Mapping {
                range: hex(start)..hex(end),
                permissions: words.next().unwrap().to_owned(),
                locked_kib: 0,
                flags: Vec::new(),
            });
        }
    }
    found
}

fn mapping_of(address: usize) -> Mapping {
    mappings()
        .into_iter()
        .find(|mapping| mapping.range.contains(&address))
        .unwrap_or_else(|| panic!("{address:#x} is mapped"))
}

fn address(slot: &Slot) -> usize {
    slot.start().as_ptr().addr()
}

fn assert_protected(address: usize) {
    let mapping = mapping_of(address);
    assert_eq!(mapping.permissions, "rw-p");
    assert!(
        mapping.locked_kib >= page_size() / 1024,
        "resident and locked"
    );
    for flag in ["lo", "dd", "wf"] {
        assert!(
            mapping.flags.iter().any(|held| held == flag),
            "{flag} in {:?}",
            mapping.flags
        );
    }
    for guard in [mapping.range.start - 1, mapping.range.end] {
        assert_eq!(mapping_of(guard).permissions, "---p", "a guard page");
    }
}

#[test]
fn every_size_is_locked_undumpable_wiped_on_fork_and_guarded() {
    let arena = Arena::with_limit(1 << 20);
    for size in [1, 64, 65, 200, 512, 1000, 4096, 4097, 100_000] {
        let slot = arena.take(size).unwrap();
        assert!(slot.capacity() >= size);
        assert_eq!(address(&slot) % SLOT_ALIGN, 0);
        assert_protected(address(&slot));
    }
}

#[test]
fn the_process_is_charged_for_what_is_locked() {
    let held = SecretBuf::copy_from(&[7; 100_000]).unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmLck:"))
        .unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kib >= held.len() / 1024, "{line}");
}

#[test]
fn a_freed_slot_is_zero_before_anybody_else_gets_it() {
    let arena = Arena::with_limit(1 << 20);
    for size in [32, 128, 300, 1024, 4096] {
        // Keeps the slab mapped, so that the freed bytes can be looked at.
        let _neighbour = arena.take(size).unwrap();
        let mut slot = arena.take(size).unwrap();
        slot.bytes_mut().fill(0xA5);
        let (start, capacity) = (slot.start(), slot.capacity());
        drop(slot);

        // SAFETY: the neighbour keeps the page mapped, the freed slot belongs to
        // nobody, and no other thread uses this arena.
        let freed = unsafe { std::slice::from_raw_parts(start.as_ptr(), capacity) };
        assert!(freed.iter().all(|&byte| byte == 0), "size {size}");

        let again = arena.take(size).unwrap();
        assert_eq!(again.start(), start, "the same bytes are handed out again");
        assert!(again.bytes().iter().all(|&byte| byte == 0));
    }
}

#[test]
fn dropping_a_buffer_zeroizes_its_bytes() {
    // An own arena: its slots are reused by nobody else meanwhile.
    let arena = Arena::with_limit(1 << 16);
    let _neighbour = arena.take(64).unwrap();
    let mut buf = SecretBuf::with_capacity_in(&arena, 64).unwrap();
    buf.extend(b"canary-in-a-buffer").unwrap();
    let start = NonNull::from(buf.as_slice()).cast::<u8>();
    drop(buf);
    // SAFETY: as above.
    let freed = unsafe { std::slice::from_raw_parts(start.as_ptr(), 64) };
    assert_eq!(freed, [0; 64]);
}

#[test]
fn growing_and_truncating_leave_nothing_behind() {
    let arena = Arena::with_limit(1 << 16);
    let _neighbour = arena.take(64).unwrap();
    let mut buf = SecretBuf::with_capacity_in(&arena, 64).unwrap();
    buf.extend(&[0xA5; 64]).unwrap();
    let small = NonNull::from(buf.as_slice()).cast::<u8>();
    buf.extend(&[0x5A; 40]).unwrap();
    // SAFETY: the neighbour keeps the page mapped, the old slot is free.
    let freed = unsafe { std::slice::from_raw_parts(small.as_ptr(), 64) };
    assert_eq!(freed, [0; 64], "the place it moved from");

    buf.truncate(3);
    assert_eq!(buf.as_slice(), [0xA5; 3]);
    let slot = buf.slot.as_ref().unwrap();
    assert!(slot.bytes()[3..].iter().all(|&byte| byte == 0));
}

#[test]
fn over_the_limit_is_refused_with_a_remedy() {
    let page = page_size();
    let arena = Arena::with_limit(2 * page);
    let held = arena.take(page + 1 - 4096 % page).map(drop);
    assert!(held.is_ok(), "within the limit");

    let first = arena.take(4096).unwrap();
    let error = arena.take(2 * page).map(drop).unwrap_err();
    assert!(matches!(error, MemoryError::Locked { needed, limit }
        if needed == 2 * page as u64 && limit == 2 * page as u64));
    assert!(error.to_string().contains("ulimit -l"), "{error}");

    drop(first);
    // What was idle was given back to make room.
    assert!(arena.take(2 * page).is_ok());
}

#[test]
fn a_failed_growth_keeps_the_contents() {
    let arena = Arena::with_limit(4 * page_size());
    let mut buf = SecretBuf::with_capacity_in(&arena, 64).unwrap();
    buf.extend(b"still here").unwrap();
    let outcome = buf.extend(&vec![1; 8 * page_size()]);
    assert!(matches!(outcome, Err(MemoryError::Locked { .. })));
    assert_eq!(buf.as_slice(), b"still here");
}

#[test]
fn thousands_of_small_slots_fit_the_usual_limit() {
    let arena = Arena::with_limit(8 << 20);
    let keys: Vec<Slot> = (0..100_000).map(|_| arena.take(64).unwrap()).collect();
    assert!(arena.locked() <= 8 << 20);
    drop(keys);
    assert!(arena.locked() <= 64 * 1024, "at most one idle slab is kept");
}

#[test]
fn a_request_beyond_any_memory_is_an_error() {
    for size in [usize::MAX, usize::MAX - page_size(), usize::MAX / 2] {
        assert!(SecretBuf::with_capacity(size).is_err());
    }
}

#[test]
fn a_wiped_value_is_never_used() {
    let mut locked = Locked::build(|| [7_u8; 32]).unwrap();
    assert_eq!(locked.get(), &[7; 32]);
    assert_protected(std::ptr::from_ref(locked.get()).addr());
    // What a forked child finds there.
    locked.slot_mut().bytes_mut().fill(0);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        locked.get();
    }));
    assert!(outcome.is_err());
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a forked child is what this is about; it becomes `true` at once"
)]
fn a_forked_child_finds_zeros() {
    use std::os::unix::process::CommandExt;

    let secret = SecretBuf::copy_from(&[0xA5; 5000]).unwrap();
    let small = SecretBuf::copy_from(&[0xA5; 20]).unwrap();
    assert!(secret.as_slice().iter().all(|&byte| byte == 0xA5));
    let large_at = secret.as_slice().as_ptr().expose_provenance();
    let small_at = small.as_slice().as_ptr().expose_provenance();
    let mut child = std::process::Command::new("true");
    // SAFETY: the closure runs between fork and exec. It only reads memory that
    // the parent holds mapped for the whole of `status`, and neither allocates
    // nor locks.
    unsafe {
        child.pre_exec(move || {
            let read = |at: usize, len: usize| {
                std::slice::from_raw_parts(std::ptr::with_exposed_provenance::<u8>(at), len)
            };
            let wiped = read(large_at, 5000).iter().all(|&byte| byte == 0)
                && read(small_at, 20).iter().all(|&byte| byte == 0);
            match wiped {
                true => Ok(()),
                false => Err(io::ErrorKind::InvalidData.into()),
            }
        });
    }
    assert!(child.status().unwrap().success());
    assert_eq!(secret.as_slice(), [0xA5; 5000], "the parent keeps its own");
    assert_eq!(small.as_slice(), [0xA5; 20]);
}

#[test]
fn a_locked_value_is_dropped_once() {
    struct Counted<'a>(&'a std::sync::atomic::AtomicUsize);
    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }
    let drops = std::sync::atomic::AtomicUsize::new(0);
    let locked = Locked::build(|| Counted(&drops)).unwrap();
    assert_eq!(drops.load(std::sync::atomic::Ordering::SeqCst), 0);
    drop(locked);
    assert_eq!(drops.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[test]
fn threads_do_not_see_each_others_bytes() {
    let arena = Arena::with_limit(4 << 20);
    std::thread::scope(|scope| {
        for thread in 1..=4_u8 {
            let arena = arena.clone();
            scope.spawn(move || {
                for round in 0..400_usize {
                    let mut slot = arena.take(1 + (round * 37) % 5000).unwrap();
                    assert!(slot.bytes().iter().all(|&byte| byte == 0));
                    slot.bytes_mut().fill(thread);
                    std::thread::yield_now();
                    assert!(slot.bytes().iter().all(|&byte| byte == thread));
                }
            });
        }
    });
}

/// Gives one byte at a time and is interrupted before each.
struct Halting<'a> {
    rest: &'a [u8],
    interrupt: bool,
}

impl Read for Halting<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.interrupt = !self.interrupt;
        if self.interrupt {
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.rest.read(&mut buf[..1])
    }
}

#[test]
fn reading_stops_at_the_limit() {
    let input: Vec<u8> = (0..20_000_u32).map(|n| n as u8).collect();
    for limit in [0, 1, 4095, 4096, 4097, 8192, 19_999] {
        let exact = SecretBuf::read_to_end(&mut &input[..limit], limit).unwrap();
        assert_eq!(exact.as_slice(), &input[..limit]);
        let longer = SecretBuf::read_to_end(&mut &input[..=limit], limit);
        assert!(matches!(longer, Err(ReadError::TooLong { limit: told }) if told == limit));
    }
    let all = SecretBuf::read_to_end(&mut &input[..], usize::MAX).unwrap();
    assert_eq!(all.as_slice(), input);
    let mut halting = Halting {
        rest: &input,
        interrupt: false,
    };
    let all = SecretBuf::read_to_end(&mut halting, 20_000).unwrap();
    assert_eq!(all.as_slice(), input);
}

#[test]
fn reading_reports_what_failed() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    let outcome = SecretBuf::read_to_end(&mut Broken, 10);
    assert!(matches!(outcome, Err(ReadError::Io(error))
        if error.kind() == io::ErrorKind::BrokenPipe));

    let arena = Arena::with_limit(4 * page_size());
    let outcome = SecretBuf::read_to_end_in(&arena, &mut io::repeat(7), 1 << 20);
    assert!(matches!(
        outcome,
        Err(ReadError::Memory(MemoryError::Locked { .. }))
    ));
}

#[derive(Debug, Clone)]
enum Step {
    Extend(Vec<u8>),
    Truncate(usize),
    Flip(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..3000).prop_map(Step::Extend),
        (0..6000_usize).prop_map(Step::Truncate),
        (0..6000_usize).prop_map(Step::Flip),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A buffer behaves as a vector does.
    #[test]
    fn a_buffer_is_a_vector_that_wipes(steps in prop::collection::vec(step(), 1..20)) {
        let mut model = Vec::new();
        let mut buf = SecretBuf::new();
        for step in steps {
            match step {
                Step::Extend(bytes) => {
                    model.extend_from_slice(&bytes);
                    buf.extend(&bytes).unwrap();
                }
                Step::Truncate(len) => {
                    model.truncate(len);
                    buf.truncate(len);
                }
                Step::Flip(at) => {
                    if let Some(byte) = model.get_mut(at) {
                        *byte ^= 0xFF;
                        buf.as_mut_slice()[at] ^= 0xFF;
                    }
                }
            }
            prop_assert_eq!(buf.as_slice(), &model[..]);
            prop_assert_eq!((buf.len(), buf.is_empty()), (model.len(), model.is_empty()));
            if let Some(slot) = &buf.slot {
                prop_assert!(slot.bytes()[buf.len..].iter().all(|&byte| byte == 0));
            }
        }
        let taken = SecretBuf::take(model.clone()).unwrap();
        prop_assert_eq!(taken.as_slice(), &model[..]);
    }

    /// Slots never overlap, keep their contents, and the account is exact.
    #[test]
    fn slots_are_apart(sizes in prop::collection::vec((1..9000_usize, any::<bool>()), 1..24)) {
        let arena = Arena::with_limit(1 << 20);
        let mut held: Vec<(u8, Slot)> = Vec::new();
        for (mark, (size, free_one)) in sizes.into_iter().enumerate() {
            let mark = mark as u8 + 1;
            let mut slot = arena.take(size).unwrap();
            prop_assert!(slot.bytes().iter().all(|&byte| byte == 0));
            slot.bytes_mut().fill(mark);
            held.push((mark, slot));
            if free_one {
                held.swap_remove(size % held.len());
            }
            for (mark, slot) in &held {
                prop_assert!(slot.bytes().iter().all(|byte| byte == mark));
            }
        }
        let in_use: usize = held.iter().map(|(_, slot)| slot.capacity()).sum();
        prop_assert!(arena.locked() >= in_use);
        held.clear();
        // Nothing but idle slabs is left, and they are given back when asked.
        prop_assert!(arena.locked() <= 6 * 64 * 1024);
        prop_assert!(arena.take(1 << 20).is_ok());
    }
}
