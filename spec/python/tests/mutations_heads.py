"""Mutations of heads, made with the workspace's keys. Source: spec/vault.md, "Heads", "Names"."""

from dataclasses import replace

import own
import writer
from bench import Mend, NotHere
from mutation import flip, rejects
from subrosa_vault.backup import HEAD, WORKSPACE
from subrosa_vault.encoding import lp
from subrosa_vault.errors import (
    BadCommitment,
    BadName,
    BadOrder,
    BadSum,
    BadTag,
    Inconsistent,
    Malformed,
    OutOfBounds,
)
from subrosa_vault.heads import Named, Version
from subrosa_vault.workspaces import head_id, two_parts

MAC, STATE, SUMS = Mend.MAC, Mend.STATE, Mend.SUMS


class Opened:
    """A head taken out of a bench, to be changed and put back."""

    def __init__(self, bench, record):
        self.bench, self.record = bench, record
        self.meta, self.keys, self.head, self.value_keys = bench.open_head(record)

    def put(self, meta=None, keys=None, **changes):
        """Puts the head back: with changes of its content, or with other plaintexts."""
        if meta is None:
            meta = writer.head(replace(self.head, **changes))
        place = (self.record.parent, self.record.id)
        keys = self.keys if keys is None else keys
        self.bench.put_head(*place, meta, keys, self.record.revision)


def a_head(bench, wanted=lambda head: True):
    """The first head that is as wanted."""
    for record in bench.of(HEAD):
        opened = Opened(bench, record)
        if wanted(opened.head):
            return opened
    raise NotHere("no head like this")


def two_of_a_workspace(bench):
    """Two heads of one workspace."""
    records = bench.of(HEAD, 2)
    for first, second in zip(records, records[1:]):
        if first.parent == second.parent:
            return first, second
    raise NotHere("no two heads in one workspace")


@rejects(BadTag, SUMS)
def two_heads_swapped(bench):
    first, second = two_of_a_workspace(bench)
    bench.change(first.place, body=second.body)
    bench.change(second.place, body=first.body)


@rejects(BadTag, SUMS)
def the_keys_of_two_heads_swapped(bench):
    first, second = two_of_a_workspace(bench)
    first_meta, first_keys = two_parts(first)
    second_meta, second_keys = two_parts(second)
    bench.change(first.place, body=lp(first_meta) + lp(second_keys))
    bench.change(second.place, body=lp(second_meta) + lp(first_keys))


@rejects(BadCommitment, SUMS)
def meta_and_keys_of_a_head_swapped(bench):
    record = bench.of(HEAD)[0]
    meta, keys = two_parts(record)
    bench.change(record.place, body=lp(keys) + lp(meta))


@rejects(BadSum, STATE)
def an_older_head_replayed(bench):
    opened = a_head(bench)
    older = writer.head(replace(opened.head, note="as it was once"))
    record = opened.record
    bench.put_head(record.parent, record.id, older, opened.keys, max(1, record.revision - 1))


@rejects(BadSum, STATE)
def a_head_sealed_anew_with_the_same_content(bench):
    a_head(bench).put()


@rejects(BadSum, STATE)
def a_head_dropped(bench):
    bench.drop(bench.of(HEAD)[0].place)


@rejects(BadSum, STATE)
def a_head_planted(bench):
    workspace = bench.of(HEAD)[0].parent
    own.put_secret(bench, workspace, own.simple_head(bench, "planted"))


@rejects(BadTag, SUMS)
def a_head_copied_to_another_id(bench):
    record = bench.of(HEAD)[0]
    bench.put(replace(record, id=bench.new_id()))


@rejects(Inconsistent, SUMS)
def a_head_sealed_for_an_id_that_is_not_its_names(bench):
    opened = a_head(bench)
    bench.drop(opened.record.place)
    place = (opened.record.parent, bench.new_id())
    bench.put_head(*place, opened.meta, opened.keys, opened.record.revision)


@rejects(BadOrder, SUMS)
def a_secret_with_two_heads(bench):
    opened = a_head(bench)
    key = bench.workspace_key(opened.record.parent)
    other = replace(opened.head, key=opened.head.key + "-2")
    id_ = head_id(key, other.group, other.key)
    bench.put_head(opened.record.parent, id_, writer.head(other), opened.keys)


@rejects(BadCommitment, SUMS)
def a_head_moved_to_another_workspace(bench):
    record = bench.of(HEAD)[0]
    elsewhere = next(w.id for w in bench.of(3, 2) if w.id != record.parent)
    bench.change(record.place, parent=elsewhere)


@rejects(Inconsistent, STATE)
def a_head_of_no_workspace(bench):
    bench.change(bench.of(HEAD)[0].place, parent=bench.new_id())


@rejects(BadTag, SUMS)
def a_head_with_another_revision(bench):
    record = bench.of(HEAD)[0]
    bench.change(record.place, revision=record.revision + 1)


@rejects(Malformed, STATE)
def a_byte_after_a_heads_body(bench):
    record = bench.of(HEAD)[0]
    bench.change(record.place, body=record.body + b"\0")


PARTS = {"nonce": 0, "commitment": 24, "ciphertext": 56, "tag": -1}
OF_PARTS = {
    "nonce": BadCommitment,
    "commitment": BadCommitment,
    "ciphertext": BadTag,
    "tag": BadTag,
}


def _flip_head(bench, part, which):
    record = bench.of(HEAD)[0]
    parts = list(two_parts(record))
    parts[which] = flip(parts[which], PARTS[part])
    bench.change(record.place, body=lp(parts[0]) + lp(parts[1]))


for _part, _error in OF_PARTS.items():

    @rejects(_error, SUMS, _part)
    def a_bit_of_a_heads_meta(bench, part):
        _flip_head(bench, part, 0)

    @rejects(_error, SUMS, _part)
    def a_bit_of_a_heads_keys(bench, part):
        _flip_head(bench, part, 1)


@rejects(Inconsistent, SUMS, "group", "key")
def another_name_under_the_id(bench, part):
    opened = a_head(bench)
    changed = (getattr(opened.head, part) or "") + "x"
    opened.put(**{part: changed})


NAMES = {
    "key with an empty part": {"key": "a//b"},
    "key with a dot part": {"key": "a/../b"},
    "key of 257 characters": {"key": "k" * 257},
    "empty key": {"key": ""},
    "group with a dash first": {"group": "-g"},
    "group beyond ASCII": {"group": "é"},
    "empty group": {"group": ""},
    "tag with a comma": {"tags": ["a,b"]},
    "tag with white space": {"tags": ["a b"]},
    "tag with a control character": {"tags": ["a\x7f"]},
    "tag in form D": {"tags": ["e\u0301"]},
    "tag of 65 bytes": {"tags": ["t" * 65]},
    "empty tag": {"tags": [""]},
    "field with a slash": {"fields": {"a/b": own.plain_field()}},
    "variable with a digit first": {"bindings": {"value": "9A"}},
    "variable of 323 characters": {"bindings": {"value": "V" * 323}},
    "variable with a dash": {"bindings": {"value": "A-B"}},
    "field of a binding": {"bindings": {"..": "A"}},
    "field of a value": {"versions": [Version(1, 0, [Named("", bytes(16), 1)])]},
    "provider": {"pin": own.Pin("a provider", bytes(32))},
}


@rejects(BadName, SUMS, *NAMES)
def a_bad_name(bench, which):
    a_head(bench).put(**NAMES[which])


MANY = {
    "11 tags": {"tags": [f"t{n}" for n in range(11)]},
    "101 fields": {"fields": {f"f{n}": own.plain_field() for n in range(101)}},
    "101 aliases": {"fields": {"value": own.plain_field(aliases=["a"] * 101)}},
    "101 bindings": {"bindings": {f"f{n}": f"V{n}" for n in range(101)}},
    "21 versions": {"versions": [Version(n, 0, []) for n in range(1, 22)]},
    "no versions": {"versions": []},
    "101 values": {"versions": [Version(1, 0, [Named("f", bytes(16), 1)] * 101)]},
    "version 0": {"versions": [Version(0, 0, [])]},
}


@rejects(OutOfBounds, SUMS, *MANY)
def a_list_out_of_bounds(bench, which):
    a_head(bench).put(**MANY[which])


ONE, TWO = own.plain_field(), own.plain_field("password")
TWICE = {
    "tag": {"tags": ["a", "a"]},
    "field": {"fields": [("f", ONE), ("f", TWO)]},
    "binding": {"bindings": [("f", "A"), ("f", "B")]},
    "variable": {"bindings": [("f", "A"), ("g", "A")]},
    "version": {"versions": [Version(1, 0, []), Version(1, 0, [])]},
    "version, descending": {"versions": [Version(2, 0, []), Version(1, 0, [])]},
    "field in a version": {
        "versions": [Version(1, 0, [Named("f", bytes(16), 1), Named("f", b"\1" * 16, 1)])]
    },
}


@rejects(BadOrder, SUMS, *TWICE)
def twice_in_a_head(bench, which):
    a_head(bench).put(**TWICE[which])


FOREIGN = {
    "a value of a later version": [Version(1, 0, [Named("f", bytes(16), 2)])],
    "a value of version 0": [Version(1, 0, [Named("f", bytes(16), 0)])],
    "one value for two fields": [Version(1, 0, [Named(f, bytes(16), 1) for f in "fg"])],
    "one value written twice": [Version(n, 0, [Named("f", bytes(16), n)]) for n in (1, 2)],
    "two values written at once": [Version(n, 0, [Named("f", bytes([n]) * 16, 1)]) for n in (1, 2)],
}


@rejects(Inconsistent, SUMS, *FOREIGN)
def versions_with(bench, which):
    """Everything that these versions name is there, and opens."""
    head = own.simple_head(bench, "foreign", versions=FOREIGN[which])
    own.put_secret(bench, bench.of(WORKSPACE)[0].id, head)


@rejects(Malformed, SUMS, "group", "pin", "expires", "removed")
def an_option_byte_of_2(bench, which):
    opened = a_head(bench, lambda head: head.expires is None and head.removed is None)
    head = replace(opened.head, group=None, pin=None)
    at_pin = 16 + 1 + len(lp(head.key.encode()))
    at = {"group": 16, "pin": at_pin, "expires": at_pin + 17, "removed": at_pin + 18}[which]
    meta = bytearray(writer.head(head))
    assert meta[at] == 0
    meta[at] = 2
    opened.put(bytes(meta))


@rejects(Malformed, SUMS, "sensitive", "forced", "searched")
def a_flag_of_2(bench, which):
    changed = {name: replace(own.plain_field(), **{which: 2}) for name in ("value",)}
    a_head(bench).put(fields=changed)


@rejects(Malformed, SUMS, "note", "url", "hint", "kind", "alias", "key")
def text_that_is_not_utf8(bench, which):
    bad = b"\xed\xa0\x80"
    of_field = {"hint": {"hint": bad}, "kind": {"kind": bad}, "alias": {"aliases": [bad]}}
    if which in of_field:
        a_head(bench).put(fields={"value": own.plain_field(**of_field[which])})
    else:
        a_head(bench).put(**{which: bad})


@rejects(Malformed, SUMS, "meta longer", "meta shorter", "keys longer", "keys shorter")
def a_plaintext(bench, which):
    opened = a_head(bench, lambda head: head.named())
    part, how = which.split()
    old = getattr(opened, part)
    opened.put(**{"meta": opened.meta, part: old + b"\0" if how == "longer" else old[:-1]})


@rejects(Malformed, SUMS)
def a_count_beyond_the_plaintext(bench):
    """Ninety fields are said to follow, and none does."""
    opened = a_head(bench)
    meta = writer.head(replace(opened.head, fields={}, bindings={}, versions=[]))
    opened.put(meta[:-12] + b"\x5a\0\0\0")


@rejects(Inconsistent, SUMS)
def the_key_of_a_value_is_absent(bench):
    opened = a_head(bench, lambda head: head.named())
    opened.put(opened.meta, opened.keys[48:])


@rejects(Inconsistent, SUMS)
def the_key_of_a_value_that_no_version_names(bench):
    opened = a_head(bench)
    opened.put(opened.meta, opened.keys + bytes(48))


@rejects(BadOrder, SUMS)
def the_key_of_a_value_twice(bench):
    opened = a_head(bench, lambda head: head.named())
    opened.put(opened.meta, opened.keys + opened.keys[:48])
