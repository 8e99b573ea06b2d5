//! Memory that is shared and wiped.

use super::{SharedRegion, fork, wipe};

fn content(region: &SharedRegion, len: usize) -> Vec<u8> {
    assert!(len <= region.len());
    // SAFETY: within the mapping by the check above, and nobody writes meanwhile.
    unsafe { std::slice::from_raw_parts(region.address(0) as *const u8, len) }.to_vec()
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
    let (view, address) = (region.view(), answers.address(0));
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
    let text = region.address(512);
    assert!(region.put(512, b"text\0"));
    let put = |region: &mut SharedRegion, offset: usize, address: usize| {
        assert!(region.put(offset, &address.to_ne_bytes()));
    };
    let (before, behind, last) = (
        region.address(0) - 1,
        region.address(4096),
        region.address(4095),
    );
    put(&mut region, 0, text); // a good one, ended by the zeros that follow
    put(&mut region, 128, before); // points before
    put(&mut region, 192, behind); // points behind
    put(&mut region, 4096 - word, text); // does not end
    let offsets = [0, 64, 128, 192, 4096 - word, 1, 4096, usize::MAX - 7];
    // One is bad, two is good.
    assert_eq!(verdicts(&region, &offsets), [2, 2, 1, 1, 1, 1, 1, 1]);
    // A text without an end.
    assert!(region.put(4095, b"x"));
    put(&mut region, 256, last);
    assert_eq!(verdicts(&region, &[256]), [1]);
}
