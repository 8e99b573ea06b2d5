//! Packed data that comes with pauses in it.

use std::time::Duration;

use super::{MASK, VALUE, body, gunzip, gzip, in_base64, set, zlib, zstd};

const SHORT: Duration = Duration::from_millis(100);

/// What comes of `packed` when its first `cut` bytes come one by one with pauses between them, and
/// the rest in one.
fn paused(packed: &[u8], cut: usize, is_interactive: bool) -> Vec<u8> {
    let redactor = set().redactor();
    let mut redactor = match is_interactive {
        true => redactor.interactive(),
        false => redactor,
    };
    let mut out = Vec::new();
    for byte in &packed[..cut] {
        redactor.push(&[*byte], &mut out);
        redactor.idle(SHORT, &mut out);
    }
    redactor.push(&packed[cut..], &mut out);
    redactor.finish(&mut out);
    out
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

/// The first bytes of packed data leave when nothing follows them for a while. They are not written
/// a second time when what follows is packed anew.
#[test]
fn what_was_let_go_of_a_beginning_is_not_written_twice() {
    let text = body(40, VALUE);
    let unzlib = |packed: &[u8]| miniz_oxide::inflate::decompress_to_vec_zlib(packed).ok();
    let unzstd = |packed: &[u8]| {
        let mut text = Vec::with_capacity(1 << 16);
        zstd_safe::decompress(&mut text, packed).ok().map(|_| text)
    };
    let untext = |packed: &[u8]| {
        use ::base64::Engine as _;
        let packed = ::base64::engine::general_purpose::STANDARD.decode(packed);
        packed.ok().map(|packed| gunzip(&packed))
    };
    type Unpack<'a> = &'a dyn Fn(&[u8]) -> Option<Vec<u8>>;
    let forms: [(&str, Vec<u8>, usize, Unpack<'_>); 4] = [
        ("gzip", gzip(&text), 2, &|packed| Some(gunzip(packed))),
        ("zlib", zlib(&text), 1, &unzlib),
        ("zstd", zstd(&text), 3, &unzstd),
        ("base64", in_base64(&gzip(&text), usize::MAX), 3, &untext),
    ];
    for (name, packed, open, unpack) in forms {
        for is_interactive in [false, true] {
            for cut in 0..=12 {
                let out = paused(&packed, cut, is_interactive);
                let place = format!("{name}, {cut} bytes, interactive: {is_interactive}");
                assert!(out.starts_with(&packed[..cut.min(3)]), "{place}");
                if cut <= open {
                    let text = unpack(&out).unwrap_or_else(|| panic!("{place}"));
                    assert!(!holds(&text, VALUE) && holds(&text, MASK), "{place}");
                } else {
                    // More of it left, or so much that something else may follow.
                    let is_masked = holds(&out, MASK);
                    let text = (!is_masked).then(|| unpack(&out).expect("whole"));
                    assert!(
                        text.is_none_or(|text| !holds(&text, VALUE) && holds(&text, MASK)),
                        "{place}"
                    );
                }
            }
        }
    }
}
