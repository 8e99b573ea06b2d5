"""Mutations of the audit log inside a backup. Source: spec/audit.md."""

from dataclasses import replace

from bench import Mend
from log_writer import MICROS, TIME, Line, Writing, checkpoint, event, marker, seal_head
from mutation import flip, rejects
from subrosa_vault import log
from subrosa_vault.errors import (
    BadChain,
    BadCommitment,
    BadLog,
    BadMac,
    BadSeal,
    BadTag,
    Malformed,
    OutOfBounds,
)
from subrosa_vault.log import EVENT, LOSS

MAC, STATE = Mend.MAC, Mend.STATE
TIMES = {
    "local": "2023-11-14T22:13:20+01:00",
    "without a zone": "2023-11-14T22:13:20",
    "of no day": "2023-02-30T22:13:20Z",
    "with a space": "2023-11-14 22:13:20Z",
    "finer than it is signed": "2023-11-14T22:13:20.0000051Z",
    "not as signed": "2023-11-14T22:13:20.000006Z",
    "a number": MICROS,
    "absent": None,
}


def _out(bench):
    return Writing.take_out(bench)


# The stream as anybody can change it.


@rejects(BadChain, Mend.NOTHING)
def the_last_row_dropped_by_anybody(bench):
    bench.rows.pop()


@rejects(BadMac, Mend.CHAIN)
def the_last_row_dropped_by_anybody_and_the_digest_made_right(bench):
    bench.rows.pop()


# With the root key, but without touching the log's own keys.


@rejects(BadLog, MAC, "first", "middle", "last", "each")
def row_dropped(bench, which):
    many = _many_rows(bench)
    at = {"first": 0, "middle": len(many) // 2, "last": -1}
    if which == "each":
        bench.rows = []
    else:
        del bench.rows[at[which]]


def _many_rows(bench):
    """At least five rows, whatever the vector has."""
    writing = _out(bench)
    writing.lines += [event(writing.epoch) for _ in range(max(0, 5 - len(writing.lines)))]
    writing.put_back()
    return bench.rows


@rejects(BadLog, MAC)
def two_rows_swapped(bench):
    first, second = _many_rows(bench)[1:3]
    bench.rows[1:3] = [replace(first, body=second.body), replace(second, body=first.body)]


@rejects(BadLog, MAC)
def a_row_beyond_the_head(bench):
    last = bench.rows[-1]
    bench.rows.append(replace(last, sequence=last.sequence + 1))


@rejects(BadLog, MAC)
def all_rows_moved_by_one(bench):
    bench.rows = [replace(row, sequence=row.sequence + 1) for row in bench.rows]


OF_ROW = {"format": 0, "kind": 1, "epoch": 2, "link": 6, "nonce": 38, "ciphertext": 94, "tag": -1}


@rejects(BadLog, MAC, *OF_ROW)
def a_bit_of_a_rows(bench, part):
    row = bench.rows[0]
    bench.rows[0] = replace(row, body=flip(row.body, OF_ROW[part], 1))


@rejects(Malformed, MAC)
def a_row_that_ends_within_its_link(bench):
    bench.rows[0] = replace(bench.rows[0], body=bench.rows[0].body[:37])


OF_HEAD = {"nonce": (5, BadCommitment), "ciphertext": (61, BadTag), "tag": (-1, BadTag)}
for _part, (_at, _error) in OF_HEAD.items():

    @rejects(_error, MAC, _part)
    def a_bit_of_the_logs_head(bench, part):
        row = bench.log_head
        bench.log_head = replace(row, body=flip(row.body, OF_HEAD[part][0]))


@rejects(BadLog, MAC, "format", "epoch")
def the_logs_head_with_another(bench, part):
    row = bench.log_head
    bench.log_head = replace(row, body=flip(row.body, 0 if part == "format" else 1, 3))


@rejects(BadTag, MAC, -1, 1)
def the_logs_head_moved_by(bench, difference):
    row = bench.log_head
    bench.log_head = replace(row, sequence=row.sequence + difference)


@rejects(BadTag, MAC)
def a_byte_after_the_logs_head(bench):
    bench.log_head = replace(bench.log_head, body=bench.log_head.body + b"\0")


@rejects(BadLog, MAC)
def the_vaults_state_rolled_back_under_the_logs_head(bench):
    """Every listing is right; only the log knows that there was a later state."""
    head = bench.log_head
    bench.mend(Mend.SUMS)
    bench.log_head = head


# With the log's keys: links and head are right for what the rows say.


SAID = {
    "link": lambda head: {"link": flip(head.link, 0)},
    "state": lambda head: {"state": flip(head.state, 0)},
    "first row, later": lambda head: {"first": head.first + 1},
    "first row, earlier": lambda head: {"first": head.first - 1},
    "link before": lambda head: {"base": flip(head.base, 0)},
    "sequence": lambda head: {"sequence": head.sequence + 1},
    "checkpoint": lambda head: {"checkpoint": head.checkpoint + 1_000},
}


@rejects((BadLog, Malformed), MAC, *SAID)
def the_logs_head_says_another(bench, what):
    head = log.open_head(bench.log_head, bench.vault, bench.log_keys)
    changed = log.Head(**{**vars(head), **SAID[what](head)})
    bench.log_head = seal_head(bench, bench.log_keys, changed)


@rejects(BadLog, STATE)
def the_logs_head_of_an_earlier_epoch(bench):
    """The key of a later epoch is in the vault, and the log does not go on to it."""
    content = bench.document("audit-keys") + (99).to_bytes(4, "little") + bytes(32)
    bench.put_document("audit-keys", content)


def _spoiled(at):
    return lambda sealed: flip(sealed, at)


@rejects(BadSeal, MAC, "nonce", "commitment", "ciphertext", "tag")
def a_linked_rows(bench, part):
    writing, at = _out(bench), {"nonce": 0, "commitment": 24, "ciphertext": 56, "tag": -1}[part]
    writing.lines[0].spoil_sealed = _spoiled(at)
    writing.put_back()


@rejects(BadLog, MAC, "first", "last")
def a_link_that_does_not_follow(bench, which):
    writing = _out(bench)
    writing.lines[0 if which == "first" else -1].spoil_link = _spoiled(0)
    writing.put_back()


@rejects(BadLog, MAC, "kind 0", "kind 5", "format 0", "format 2")
def a_row_of(bench, what):
    writing = _out(bench)
    name, number = what.split()
    line = event(writing.epoch)
    setattr(line, "kind" if name == "kind" else "number", int(number))
    writing.lines.append(line)
    writing.put_back()


@rejects(BadLog, MAC)
def a_gap_between_rows(bench):
    writing = _out(bench)
    line = event(writing.epoch)
    line.sequence = writing.head.sequence + 2
    writing.lines.append(line)
    writing.put_back()


PAYLOADS = {
    "not JSON": b"{",
    "no object": b"[]",
    "two objects": b"{}{}",
    "not UTF-8": b'{"time":"\xff"}',
    "a name twice": b'{"time":1,"time":2}',
    "no number of JSON": b'{"a":NaN}',
    "too deep": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "empty": b"",
}


@rejects(Malformed, MAC, *PAYLOADS)
def a_payload_that_is(bench, which):
    writing = _out(bench)
    writing.lines.append(Line(EVENT, writing.epoch, PAYLOADS[which]))
    writing.put_back()


@rejects(OutOfBounds, MAC)
def a_payload_over_its_bound(bench):
    writing = _out(bench)
    writing.lines.append(event(writing.epoch, more="x" * 1_048_576))
    writing.put_back()


@rejects(BadLog, MAC, "no count", "a negative count", "a count beyond u64", "yes for a count")
def a_loss_with(bench, what):
    counts = {"a negative count": -1, "a count beyond u64": 1 << 64, "yes for a count": True}
    said = {"count": counts[what]} if what in counts else {}
    writing = _out(bench)
    writing.lines.append(Line(LOSS, writing.epoch, {"time": TIME, **said}))
    writing.put_back()


OF_CHECKPOINT = {
    "previous": {"said": {"previous": "00" * 32}},
    "count": {"said": {"count": 1 << 40}},
    "key": {"said": {"key": "00" * 32}},
    "signature": {"said": {"signature": "00" * 64}},
    "signed previous": {"signed": {"previous": bytes(32)}},
    "signed count": {"signed": {"count": 1 << 40}},
    "signed key": {"signed": {"key": bytes(32)}},
    "short previous": {"said": {"previous": "00" * 31}},
    "capitals in its key": {"said": {"key": str.upper}},
    "count in quotes": {"said": {"count": "1"}},
    "next key where no epoch follows": {"following": bytes(32)},
    "next key that is nothing": {"said": {"next": None}},
}


@rejects(BadLog, MAC, *OF_CHECKPOINT)
def a_checkpoint_with_another(bench, what):
    writing = _out(bench)
    writing.lines.append(checkpoint(writing.epoch, **OF_CHECKPOINT[what]))
    writing.put_back()


@rejects(BadLog, MAC, *TIMES)
def a_checkpoint_with_a_time(bench, how):
    writing = _out(bench)
    writing.lines.append(checkpoint(writing.epoch, time=TIMES[how]))
    writing.put_back()


@rejects(BadLog, MAC)
def a_checkpoint_that_is_due_is_missing(bench):
    writing = _out(bench)
    writing.lines += [checkpoint(writing.epoch), *[event(writing.epoch)] * log.DUE]
    writing.put_back()


@rejects(BadLog, MAC)
def the_logs_head_names_no_checkpoint(bench):
    writing = _out(bench)
    writing.lines.append(checkpoint(writing.epoch))
    writing.put_back(checkpoint=0)


@rejects(BadLog, STATE, "at its end", "at its beginning")
def an_epoch_without_a_checkpoint(bench, where):
    writing = _out(bench)
    writing.add_epoch()
    at = -2 if where == "at its end" else -1
    writing.lines[at] = event(writing.lines[at].epoch)
    _rotate(bench, writing)


def _rotate(bench, writing):
    """Puts a log back whose newest epoch is new."""
    bench.log_keys = writing.keys
    writing.put_back()


@rejects(BadLog, STATE)
def an_epoch_whose_end_names_another_next_key(bench):
    writing = _out(bench)
    writing.add_epoch()
    writing.lines[-2] = checkpoint(writing.lines[-2].epoch, bytes(32))
    _rotate(bench, writing)


@rejects(BadLog, STATE)
def an_epoch_whose_end_names_no_next_key(bench):
    writing = _out(bench)
    writing.add_epoch()
    writing.lines[-2] = checkpoint(writing.lines[-2].epoch)
    _rotate(bench, writing)


@rejects(BadLog, STATE)
def an_epoch_that_goes_on_after_its_end(bench):
    writing = _out(bench)
    writing.add_epoch()
    writing.lines.insert(-1, event(writing.lines[-2].epoch))
    _rotate(bench, writing)


@rejects(BadLog, STATE)
def an_epoch_that_ends_twice(bench):
    writing = _out(bench)
    old = writing.epoch
    writing.add_epoch()
    end = writing.lines[-2]
    writing.lines[-1:-1] = [event(old), end]
    _rotate(bench, writing)


@rejects(BadLog, STATE)
def an_epoch_after_another_than_the_one_that_named_it(bench):
    """Epoch 2 is named as the next one, and epoch 3 follows."""
    writing = _out(bench)
    writing.add_epoch()
    writing.add_epoch()
    del writing.lines[-3:-1]
    _rotate(bench, writing)


@rejects(BadLog, STATE)
def an_epoch_that_comes_back(bench):
    writing = _out(bench)
    old = writing.epoch
    writing.add_epoch()
    writing.lines.append(checkpoint(old))
    _rotate(bench, writing)


@rejects(BadLog, STATE)
def an_epoch_left_out(bench):
    writing = _out(bench)
    old = writing.epoch
    writing.add_epoch()
    writing.add_epoch()
    following = log.public_key(writing.keys[old + 2])
    writing.lines[-4:] = [checkpoint(old, following), checkpoint(old + 2)]
    _rotate(bench, writing)


@rejects(BadLog, STATE)
def an_epoch_that_is_not_begun(bench):
    """The head is of the newest epoch, and no row is."""
    writing = _out(bench)
    writing.add_epoch()
    writing.lines.pop()
    _rotate(bench, writing)


def _to_prune(bench):
    """A log that is long enough, and the row from which on it will be kept."""
    _many_rows(bench)
    writing = _out(bench)
    return writing, writing.head.first + 3


OF_MARKER = {
    "first row": {"signed": {"first_removed": 0}},
    "last row": {"signed": {"last_removed": 1 << 40}},
    "count": {"signed": {"count": 7}},
    "link": {"signed": {"base": bytes(32)}},
    "key": {"signed": {"key": bytes(32)}},
    "signature": {"said": {"signature": "00" * 64}},
    "time": {"said": {"time": "2023-11-14T22:13:21Z"}},
    "link after it was signed": {"said": {"base": "00" * 32}},
}


@rejects(BadLog, MAC, *OF_MARKER)
def a_prune_marker_with_another(bench, what):
    writing, keep_from = _to_prune(bench)
    writing.prune(keep_from, **OF_MARKER[what])
    writing.put_back()


@rejects(BadLog, MAC)
def rows_pruned_without_a_marker(bench):
    writing, keep_from = _to_prune(bench)
    writing.prune(keep_from)
    writing.lines[-2] = event(writing.epoch)
    writing.put_back()


@rejects(BadLog, MAC)
def a_prune_marker_without_a_prune(bench):
    writing, keep_from = _to_prune(bench)
    first, base = writing.head.first, writing.links[keep_from - 1]
    writing.lines.append(marker(writing.epoch, first, keep_from - 1, base))
    writing.lines.append(checkpoint(writing.epoch))
    writing.put_back()


@rejects(BadLog, MAC, "in between", "at the end")
def a_prune_marker_without_a_checkpoint(bench, where):
    writing, keep_from = _to_prune(bench)
    writing.prune(keep_from)
    writing.lines.pop()
    if where == "in between":
        writing.lines += [event(writing.epoch), checkpoint(writing.epoch)]
    writing.put_back()


@rejects(BadLog, MAC)
def two_prunes_with_a_gap_between(bench):
    writing, keep_from = _to_prune(bench)
    writing.prune(keep_from)
    writing.put_back()
    again = _out(bench)
    first = again.head.first
    again.prune(first + 2, signed={"first_removed": first + 1, "count": 1})
    again.put_back()


@rejects(BadLog, MAC)
def more_rows_removed_than_the_marker_says(bench):
    writing, keep_from = _to_prune(bench)
    writing.prune(keep_from)
    writing.put_back()
    del bench.rows[0]
