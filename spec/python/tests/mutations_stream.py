"""Mutations of the stream: frames, their order and the end. Source: spec/vault.md, "Backup"."""

from bench import Mend
from mutation import flip, rejects
from subrosa_vault.backup import HEAD, MAX_FRAME, VALUE
from subrosa_vault.encoding import u32
from subrosa_vault.errors import (
    BadChain,
    BadMac,
    BadOrder,
    Malformed,
    OutOfBounds,
    UnsupportedFormat,
)
from writer import end_frame, end_mac, log_head_frame, record_frame, row_frame, stream

CHAIN, MAC, NOTHING = Mend.CHAIN, Mend.MAC, Mend.NOTHING
LINE = b"subrosa-backup 1\n"


def _good(bench):
    return bench.close(bench.contents(), MAC)


def _contents(bench):
    """The contents of all frames, with the end."""
    count, digest, mac = bench.end
    return [*bench.contents(), end_frame(count, digest, mac)]


@rejects(Malformed, NOTHING)
def first_line_is_another(bench):
    return flip(_good(bench), 0)


@rejects(UnsupportedFormat, NOTHING)
def first_line_says_format_2(bench):
    return b"subrosa-backup 2\n" + _good(bench)[len(LINE) :]


@rejects(UnsupportedFormat, NOTHING)
def first_line_ends_in_a_carriage_return(bench):
    return b"subrosa-backup 1\r\n" + _good(bench)[len(LINE) :]


@rejects(Malformed, NOTHING)
def nothing_at_all(bench):
    return b""


@rejects(Malformed, NOTHING)
def nothing_after_the_first_line(bench):
    return LINE


@rejects(Malformed, NOTHING, "first", "second", "middle", "last but one", "last")
def truncated_before_frame(bench, which):
    contents = _contents(bench)
    last = len(contents) - 1
    cut = {"first": 0, "second": 1, "middle": last // 2, "last but one": last - 1, "last": last}
    return stream(contents[: cut[which]])


@rejects(Malformed, NOTHING, "length", "kind", "content", "last byte")
def truncated_within_the_end(bench, where):
    data, end = _good(bench), len(_contents(bench)[-1])
    left = {"length": -2, "kind": 0, "content": end // 2, "last byte": end - 1}
    return data[: len(data) - end + left[where]]


@rejects(Malformed, NOTHING)
def a_byte_after_the_end(bench):
    return _good(bench) + b"\0"


@rejects(BadOrder, NOTHING)
def the_end_twice(bench):
    contents = _contents(bench)
    return stream([*contents, contents[-1]])


@rejects(BadOrder, NOTHING)
def a_record_after_the_end(bench):
    contents = _contents(bench)
    return stream([*contents, contents[0]])


@rejects(OutOfBounds, NOTHING)
def a_frame_that_is_too_long(bench):
    data = _good(bench)
    return LINE + u32(MAX_FRAME + 1) + bytes(MAX_FRAME + 1) + data[len(LINE) :]


@rejects(Malformed, NOTHING)
def a_frame_longer_than_the_stream(bench):
    data = _good(bench)
    return LINE + u32(len(data)) + data[len(LINE) + 4 :]


@rejects(Malformed, MAC, 0, 5, 255)
def a_frame_of_unknown_kind(bench, kind):
    return bench.close([bytes([kind]), *bench.contents()], MAC)


@rejects(Malformed, MAC)
def an_empty_frame(bench):
    return bench.close([b"", *bench.contents()], MAC)


@rejects(Malformed, MAC, "record", "row or head of the log")
def a_byte_after_a_frames_content(bench, which):
    contents = bench.contents()
    contents[0 if which == "record" else -1] += b"\0"
    return bench.close(contents, MAC)


@rejects(Malformed, MAC)
def a_body_longer_than_its_frame(bench):
    contents = bench.contents()
    at = 1 + 1 + 16 + 16 + 8
    contents[0] = contents[0][:at] + u32(len(contents[0])) + contents[0][at + 4 :]
    return bench.close(contents, MAC)


@rejects(Malformed, NOTHING)
def the_end_says_that_it_is_longer(bench):
    data, end = _good(bench), len(_contents(bench)[-1])
    return data[: -end - 4] + u32(end + 1) + data[-end:]


@rejects(BadChain, MAC, -1, 1)
def the_count_is_off_by(bench, difference):
    contents = bench.contents()
    return bench.close(contents, MAC, count=len(contents) + difference)


@rejects(BadChain, MAC)
def the_digest_is_wrong_under_a_right_mac(bench):
    contents = bench.contents()
    count, digest, _ = bench.end
    digest = flip(digest, 0)
    mac = end_mac(bench.root, bench.vault, count, digest)
    return stream([*contents, end_frame(count, digest, mac)])


@rejects(BadMac, NOTHING)
def the_mac_is_wrong(bench):
    count, digest, mac = bench.end
    return stream([*bench.contents(), end_frame(count, digest, flip(mac, -1))])


@rejects(BadMac, NOTHING)
def the_mac_is_that_of_another_root_key(bench):
    count, digest, _ = bench.end
    mac = end_mac(flip(bench.root, 0), bench.vault, count, digest)
    return stream([*bench.contents(), end_frame(count, digest, mac)])


def _edit_a_value(bench):
    record = bench.of(VALUE)[0]
    bench.change(record.place, body=flip(record.body, -1))


@rejects(BadChain, NOTHING)
def a_value_edited_by_anybody(bench):
    _edit_a_value(bench)


@rejects(BadMac, CHAIN)
def a_value_edited_by_anybody_and_the_digest_made_right(bench):
    _edit_a_value(bench)


@rejects(BadMac, CHAIN)
def a_head_dropped_by_anybody_and_the_digest_made_right(bench):
    bench.drop(bench.of(HEAD)[0].place)


@rejects(BadOrder, MAC)
def two_records_in_the_wrong_order(bench):
    contents = bench.contents()
    contents[0], contents[1] = contents[1], contents[0]
    return bench.close(contents, MAC)


@rejects(BadOrder, MAC)
def a_record_twice(bench):
    contents = bench.contents()
    return bench.close([contents[0], *contents], MAC)


@rejects(BadOrder, MAC)
def two_revisions_of_a_record(bench):
    contents = bench.contents()
    record = bench.of(1)[0]
    newer = record_frame(type(record)(*record.place, record.revision + 1, record.body))
    return bench.close([contents[0], newer, *contents[1:]], MAC)


@rejects(Malformed, MAC, 0, 8, 255)
def an_unknown_collection(bench, number):
    contents = bench.contents()
    last = len(bench.records) - 1
    contents[last] = b"\x01" + bytes([number]) + contents[last][2:]
    return bench.close(contents, MAC)


@rejects(OutOfBounds, MAC)
def revision_zero(bench):
    record = bench.of(VALUE)[0]
    bench.change(record.place, revision=0)


@rejects(Malformed, MAC)
def no_head_of_the_log(bench):
    return bench.close(bench.contents()[:-1], MAC)


@rejects(Malformed, MAC)
def two_heads_of_the_log(bench):
    contents = bench.contents()
    return bench.close([*contents, contents[-1]], MAC)


@rejects(BadOrder, MAC)
def the_head_of_the_log_before_a_record(bench):
    contents = bench.contents()
    return bench.close([contents[-1], *contents[:-1]], MAC)


@rejects(BadOrder, MAC)
def a_row_before_a_record(bench):
    contents, at = bench.contents(), len(bench.records)
    contents[at - 1], contents[at] = row_frame(bench.rows[0]), contents[at - 1]
    return bench.close(contents, MAC)


@rejects(BadOrder, MAC)
def a_row_after_the_head_of_the_log(bench):
    contents = bench.contents()
    contents[-2:] = [log_head_frame(bench.log_head), row_frame(bench.rows[-1])]
    return bench.close(contents, MAC)


@rejects(BadOrder, MAC)
def a_row_twice(bench):
    bench.rows.append(bench.rows[-1])
