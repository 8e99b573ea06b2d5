//! Memory that is shared and wiped.

use super::{SharedRegion, fork, wipe};

fn base(region: &SharedRegion) -> *const u8 {
    region.view().base()
}

fn content(region: &SharedRegion, len: usize) -> Vec<u8> {
    assert!(len <= region.len());
    // SAFETY: within the mapping by the check above, and nobody writes meanwhile.
    unsafe { std::slice::from_raw_parts(base(region), len) }.to_vec()
}

#[test]
fn what_was_put_is_there_until_it_is_wiped() {
    let mut region = SharedRegion::new(8192).expect("memory");
    assert!(region.put(0, b"canary") && region.put(8186, b"canary"));
    assert!(!region.put(8187, b"canary") && !region.put(usize::MAX, b"canary"));
    assert_eq!(content(&region, 6), b"canary");
    region.wipe();
    assert!(content(&region, 8192).iter().all(|byte| *byte == 0));
}

#[test]
fn a_slice_is_wiped() {
    let mut bytes = *b"canary";
    wipe(&mut bytes);
    assert_eq!(bytes, [0; 6]);
}

/// What a fork finds about arrays at some offsets: a byte each in a shared page.
fn verdicts(region: &SharedRegion, offsets: &[usize]) -> Vec<u8> {
    let answers = SharedRegion::new(4096).expect("memory");
    let (view, address) = (region.view(), base(&answers) as usize);
    let pid = fork(|fork| {
        for (index, offset) in offsets.iter().enumerate() {
            let good = view.strings(fork, *offset).is_some();
            // SAFETY: the page is shared and longer than the few offsets of a test.
            unsafe {
                (address as *mut u8)
                    .add(index)
                    .write_volatile(1 + u8::from(good))
            };
        }
    })
    .expect("a fork");
    rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()).expect("it ends");
    content(&answers, offsets.len())
}

#[test]
fn arrays_must_lie_within_the_region_and_end_there() {
    let mut region = SharedRegion::new(4096).expect("memory");
    let word = size_of::<usize>();
    assert!(region.put(512, b"text\0"));
    let put = |region: &mut SharedRegion, offset: usize, text: usize| {
        assert!(region.put(offset, &text.to_ne_bytes()));
    };
    put(&mut region, 0, 512); // a good one, ended by the zeros that follow
    put(&mut region, 128, usize::MAX); // points before
    put(&mut region, 192, 4096); // points behind
    put(&mut region, 4096 - word, 512); // does not end
    let offsets = [0, 64, 128, 192, 4096 - word, 1, 4096, usize::MAX - 7];
    // One is bad, two is good.
    assert_eq!(verdicts(&region, &offsets), [2, 2, 1, 1, 1, 1, 1, 1]);
    // A text without an end.
    assert!(region.put(4095, b"x"));
    put(&mut region, 256, 4095);
    assert_eq!(verdicts(&region, &[256]), [1]);
}

#[test]
fn a_region_is_the_same_in_whoever_maps_it_and_keeps_its_length() {
    let mut region = SharedRegion::new(4096).expect("memory");
    let file = region.descriptor().try_clone_to_owned().expect("ours");
    assert!(rustix::fs::ftruncate(&file, 0).is_err());
    assert!(rustix::fs::ftruncate(&file, 8192).is_err());
    let again = SharedRegion::map(file, 4096).expect("it is whole");
    assert!(region.put(7, b"canary"));
    assert_eq!(content(&again, 13)[7..], *b"canary");
    drop(region);
    assert!(content(&again, 4096).iter().all(|byte| *byte == 0));
    // Of another length, or with one that may change.
    let file = again.descriptor().try_clone_to_owned().expect("ours");
    assert!(SharedRegion::map(file, 8192).is_err());
    let loose = rustix::fs::memfd_create(c"loose", rustix::fs::MemfdFlags::CLOEXEC);
    let loose = loose.expect("memory");
    rustix::fs::ftruncate(&loose, 4096).expect("ours");
    assert!(SharedRegion::map(loose, 4096).is_err());
}
