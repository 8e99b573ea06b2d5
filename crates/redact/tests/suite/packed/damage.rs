//! Packed data that is cut off, damaged, or swallows what stands behind it.

use super::*;

#[test]
fn what_is_cut_off_is_masked_as_far_as_it_goes() {
    let text = body(60, VALUE);
    // Of zstd, nothing is read of a block that is not whole.
    for pack in [gzip, zlib] {
        let packed = pack(&text);
        let mut input = b"before ".to_vec();
        input.extend(&packed[..packed.len() - 3]);
        let (out, findings) = redact_all(&set(), &input);
        assert_eq!(ranges(&findings), [(7, input.len())]);
        assert_eq!(out, [b"before ", MASK].concat());
        // Without a value it passes.
        let packed = pack(&body(60, b"nothing"));
        let input = &packed[..packed.len() - 3];
        assert_eq!(redact_all(&set(), input), (input.to_vec(), Vec::new()));
    }
}

#[test]
fn damage_behind_a_value_ends_the_mask_within_a_block() {
    // Two blocks that are stored, the value in the first, and then a block of no kind.
    let text = body(1000, VALUE);
    let len = text.len() as u16;
    let header = [&[0][..], &len.to_le_bytes(), &(!len).to_le_bytes()].concat();
    let stored = [&header[..], &text[..]].concat();
    let packed = [
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
        &stored[..],
        &stored[..],
        b"\x07",
    ]
    .concat();
    let at = packed.len() - 1;
    let input = [&packed[..], &b"plain\n".repeat(4000)].concat();
    let (out, findings) = redact_all(&set(), &input);
    let (start, end) = ranges(&findings)[0];
    assert_eq!(start, 0);
    assert!(at <= end && end <= packed.len() + 4096, "{end}");
    assert_eq!(out, [MASK, &input[end..]].concat());
    for step in [1, 100, 4096, 5000] {
        assert_eq!(in_pieces(&input, step), (out.clone(), findings.clone()));
    }
}

/// What a decoder has made before it fails must not depend on how the stream came.
#[test]
fn what_is_read_before_damage_does_not_depend_on_the_cut() {
    let text = body(6, VALUE);
    // The blocks with the value, and one of no kind.
    let mut raw = zstd_raw(&text, 40);
    raw[6 + 3 * 43] |= 6;
    let stored = brotli(&text);
    let cut = [&stored[..text.len() + 3], b"\xff\xff"].concat();
    let mut flipped = stored.clone();
    *flipped.last_mut().expect("not empty") ^= 0x80;
    for (head, packed) in [("br", flipped), ("br", cut), ("zstd", raw)] {
        let head = response(&format!("Content-Encoding: {head}"), b"");
        let input = [&head[..], &packed, b" behind"].concat();
        let (out, findings) = redact_all(&set(), &input);
        assert!(findings[0].form == Form::Packed && !holds(&out, VALUE));
        for step in [1, 2, 7, 33, 64] {
            assert_eq!(in_pieces(&input, step), (out.clone(), findings.clone()));
        }
    }
}

/// A frame of blocks that are stored, each of `size` bytes, without a sum.
///
/// Source: RFC 8878 §3.1.1.
fn zstd_raw(text: &[u8], size: usize) -> Vec<u8> {
    // No size of the content, a window of 1 KiB.
    let mut frame = b"\x28\xb5\x2f\xfd\x00\x00".to_vec();
    let count = text.len().div_ceil(size);
    for (number, block) in text.chunks(size).enumerate() {
        let header = (block.len() as u32) << 3 | u32::from(number + 1 == count);
        frame.extend(&header.to_le_bytes()[..3]);
        frame.extend(block);
    }
    frame
}

/// A frame that lacks its last bytes takes the first ones of a member behind it for its own, and is
/// whole with them.
#[test]
fn what_swallows_the_beginning_of_the_next_does_not_hide_it() {
    let text = body(6, VALUE);
    for lost in 1..20 {
        let frame = zstd_raw(&text, 60);
        let next = gzip(&body(40, VALUE));
        let input = [&frame[..frame.len() - lost], &next, b"\nplain\n"].concat();
        let (out, findings) = redact_all(&set(), &input);
        let end = input.len() - 7;
        assert_eq!(ranges(&findings), [(0, end)], "without {lost}");
        assert_eq!(out, [MASK, b"\nplain\n"].concat());
        for step in [1, 7, 100] {
            assert_eq!(in_pieces(&input, step).0, out);
        }
    }
}

/// A long piece that is masked before its end is known, in a body in chunks: what is around it must
/// not let go what it masks.
#[test]
fn what_is_masked_early_in_chunks_is_masked_around_them() {
    let packed = gzip(&long(1000, VALUE));
    assert!(packed.len() > 500 * 1024);
    let body = chunked(&[b"plain ", &packed[..], b" plain"].concat(), 5000);
    let head = response("Transfer-Encoding: chunked", b"");
    let input = [&head[..], &body, b"behind"].concat();
    let at = memchr::memmem::find(&input, b"\x1f\x8b\x08").expect("it is there");
    let (out, findings) = redact_all(&set(), &input);
    assert_eq!(ranges(&findings)[0].0, at);
    assert_eq!(&out[..at + MASK.len()], [&input[..at], MASK].concat());
    assert!(
        out.len() < at + 100 && out.ends_with(b"behind"),
        "{}",
        out.len()
    );
    for step in [100, 4096, 70_000] {
        assert_eq!(in_pieces(&input, step), (out.clone(), findings.clone()));
    }
}

/// Names and what is skipped have no end of their own: what stands in them is looked into.
#[test]
fn what_is_no_data_does_not_hide_what_stands_in_it() {
    let name = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03".to_vec();
    let skipped = [&zstd(b"")[..], b"\x50\x2a\x4d\x18\xff\xff\xff\x00"].concat();
    let filler: Vec<u8> = body(30_000, b"nothing");
    let packed = in_base64(&gzip(&body(20, VALUE)), 1 << 20);
    for before in [name, skipped] {
        let input = [&before[..], &filler[..2000], b" ", &packed, b" ", &filler].concat();
        let (out, findings) = redact_all(&set(), &input);
        let at = before.len() + 2001;
        assert_eq!(ranges(&findings), [(at, at + packed.len())]);
        assert!(out.starts_with(&input[..at]) && out.ends_with(&filler));
    }
}

/// A value that is longer than what is held back of a piece.
#[test]
fn a_long_value_in_a_piece_is_not_let_go_before_it_is_known() {
    let mut value = long(1000, b"middle");
    value.retain(|byte| *byte >= b' ');
    let value = in_base64(&value, usize::MAX);
    assert!(value.len() > 600 * 1024);
    let mut known = Known::new();
    assert!(known.add(Some("api/key"), &value).is_searched());
    let set = known.build();
    for pack in [gzip, zstd] {
        let packed = pack(&value);
        let input = [b"before ", &packed[..], b" behind"].concat();
        let (out, findings) = redact_all(&set, &input);
        assert_eq!(ranges(&findings), [(7, input.len() - 7)]);
        assert!(out.len() < 200 && out.ends_with(b" behind"));
    }
}
