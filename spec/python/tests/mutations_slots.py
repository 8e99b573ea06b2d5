"""Mutations of the header, slots and documents. Source: spec/vault.md, "Records", "Slots",
"Documents"."""

from dataclasses import replace

import own
import writer
from bench import Mend
from mutation import flip, rejects
from subrosa_vault import slots
from subrosa_vault.backup import DOCUMENT, HEADER, SLOT, ZEROS
from subrosa_vault.encoding import u32
from subrosa_vault.errors import (
    BadMac,
    BadOrder,
    BadSeal,
    BadSlot,
    BadState,
    BadTag,
    Inconsistent,
    Malformed,
    OutOfBounds,
    UnsupportedFormat,
    WrongKey,
)
from subrosa_vault.primitives import signing_public_of
from subrosa_vault.vault import document_id

CHAIN, MAC, STATE = Mend.CHAIN, Mend.MAC, Mend.STATE
HEADER_PLACE = (HEADER, ZEROS, ZEROS)


def _header(bench, **encoding):
    body = writer.header(bench.vault, own.CREATED, **encoding)
    bench.change(HEADER_PLACE, body=body)


@rejects(UnsupportedFormat, CHAIN, 2, 0xFFFFFFFF)
def header_of_format(bench, number):
    _header(bench, number=number)


@rejects(Malformed, STATE)
def header_of_format_0(bench):
    _header(bench, number=0)


@rejects(Malformed, STATE)
def header_of_another_program(bench):
    _header(bench, magic=b"sub rosa")


@rejects(Malformed, STATE, "shorter", "longer")
def header_is(bench, how):
    body = bench.records[HEADER_PLACE].body
    bench.change(HEADER_PLACE, body=body[:-1] if how == "shorter" else body + b"\0")


@rejects(BadState, MAC)
def header_with_another_time(bench):
    body = bench.records[HEADER_PLACE].body
    bench.change(HEADER_PLACE, body=flip(body, -8))


@rejects(BadState, MAC)
def header_with_another_revision(bench):
    bench.change(HEADER_PLACE, revision=bench.records[HEADER_PLACE].revision + 1)


@rejects(BadSlot, STATE)
def header_of_another_vault(bench):
    body = bench.records[HEADER_PLACE].body
    bench.change(HEADER_PLACE, body=flip(body, 12))


@rejects(Inconsistent, STATE)
def no_header(bench):
    bench.drop(HEADER_PLACE)


@rejects(Malformed, STATE, "id", "parent")
def header_elsewhere(bench, part):
    bench.change(HEADER_PLACE, **{part: b"\1" * 16})


@rejects(Inconsistent, STATE)
def a_second_header(bench):
    bench.put(replace(bench.records[HEADER_PLACE], id=b"\1" * 16))


EDITS = {
    "label": lambda slot: {"label": slot.label + "!"},
    "time": lambda slot: {"created": slot.created + 1},
    "memory": lambda slot: {"memory": slot.memory + 8},
    "passes": lambda slot: {"passes": slot.passes + 1},
    "lanes": lambda slot: {"lanes": slot.lanes + 1},
    "salt": lambda slot: {"salt": flip(slot.salt, 0)},
    "recipient": lambda slot: {"recipient": flip(slot.recipient, 0)},
    "lineage": lambda slot: {"lineage": flip(slot.lineage, 0)},
    "binding": lambda slot: {"binding": flip(slot.binding, 0)},
    "wrapped": lambda slot: {"wrapped": flip(slot.wrapped, -1)},
    "signature": lambda slot: {"signature": flip(slot.signature, 0)},
}
PLAIN = ("label", "time", "lineage", "binding", "wrapped", "signature")


def _edit(bench, slot, part):
    bench.put_slot(replace(slot, **EDITS[part](slot)))


@rejects(BadSlot, STATE, *PLAIN)
def own_slot_edited(bench, part):
    _edit(bench, bench.own_slot(), part)


@rejects(WrongKey, STATE, "salt", "recipient")
def own_slot_made_another(bench, part):
    _edit(bench, bench.own_slot(), part)


@rejects(BadSlot, STATE, *EDITS)
def other_slot_edited(bench, part):
    _edit(bench, bench.other_slot(slots.PASSPHRASE), part)


@rejects(BadState, MAC)
def other_slot_edited_and_not_listed(bench):
    _edit(bench, bench.other_slot(), "label")


BEYOND = {
    "memory below": {"memory": 65_535},
    "memory above": {"memory": (2 << 20) + 1},
    "passes below": {"passes": 2},
    "passes above": {"passes": 65},
    "no lanes": {"lanes": 0},
    "lanes above": {"lanes": 17},
}


@rejects(OutOfBounds, STATE, *BEYOND)
def argon2_parameters(bench, which):
    """Signed with the vault's own lineage: whoever made it, it is refused."""
    slot = replace(bench.other_slot(slots.PASSPHRASE), **BEYOND[which])
    bench.put_slot(own.resign(bench, slot, bench.document("lineage")))


@rejects(OutOfBounds, STATE)
def argon2_parameters_of_zero_where_no_passphrase_is(bench):
    """They are not used there, but their bounds are the same."""
    slot = replace(bench.own_slot(), memory=0, passes=0, lanes=0)
    seed = bench.document("lineage")
    bench.put_slot(own.finish_slot(bench, slot, slot.secret(bench.key), seed))


SHAPES = ("version 2", "kind 0", "kind 9", "longer", "shorter", "shorter wrapped")
SHAPES += ("envelope", "long envelope", "short name", "short object")


@rejects(Malformed, STATE, *SHAPES)
def slot_body_with(bench, what):
    slot, encoding = bench.other_slot(), {}
    if what.startswith("kind"):
        slot = replace(slot, kind=int(what[-1]))
    if what == "envelope":
        slot = replace(bench.other_slot(slots.PASSPHRASE), envelope=b"x")
    if what == "short object":
        slot = replace(bench.other_slot(), kind=slots.TPM, envelope=bytes(3))
    if what == "short name":
        slot = replace(bench.other_slot(), kind=slots.KEYRING, envelope=bytes(15))
    if what == "long envelope":
        slot = replace(bench.other_slot(), kind=slots.AGE, envelope=bytes(4097))
    if what == "shorter wrapped":
        slot = replace(slot, wrapped=slot.wrapped[:-1])
    if what == "version 2":
        encoding["version"] = 2
    bench.put_slot(own.resign(bench, slot, bench.document("lineage")), **encoding)
    place = (SLOT, ZEROS, slot.id)
    body = bench.records[place].body
    ends = {"longer": body + b"\0", "shorter": body[:-1]}
    bench.change(place, body=ends.get(what, body))


@rejects(Malformed, STATE)
def slot_label_that_is_not_utf8(bench):
    slot = bench.other_slot()
    bench.put_slot(replace(slot, label="xx"))
    body = bench.records[(SLOT, ZEROS, slot.id)].body
    at = body.index(b"\2\0\0\0xx") + 4
    bench.change((SLOT, ZEROS, slot.id), body=body[:at] + b"\xc0\x80" + body[at + 2 :])


@rejects(Malformed, STATE)
def slot_with_a_parent(bench):
    bench.change((SLOT, ZEROS, bench.other_slot().id), parent=b"\1" * 16)


@rejects(BadSlot, STATE, "own", "other")
def slot_under_another_id(bench, which):
    slot = bench.own_slot() if which == "own" else bench.other_slot()
    bench.change((SLOT, ZEROS, slot.id), id=bench.new_id())


@rejects(BadSlot, STATE)
def slot_planted_with_another_lineage(bench):
    secret, seed = bench.random.randbytes(32), bench.random.randbytes(32)
    bench.put_slot(own.make_slot(bench, slots.KEY_FILE, seed, "mine", secret=secret))


@rejects(BadSlot, STATE)
def slot_planted_with_the_vaults_lineage_but_signed_by_another(bench):
    secret, seed = bench.random.randbytes(32), bench.random.randbytes(32)
    lineage = signing_public_of(bench.document("lineage"))
    planted = own.make_slot(bench, slots.KEY_FILE, seed, "mine", secret=secret, lineage=lineage)
    bench.put_slot(planted)


@rejects(BadState, MAC)
def slot_planted_and_not_listed(bench):
    secret, seed = bench.random.randbytes(32), bench.document("lineage")
    bench.put_slot(own.make_slot(bench, slots.KEY_FILE, seed, "mine", secret=secret))


@rejects(BadSlot, STATE)
def own_slot_bound_by_somebody_without_its_secret(bench):
    slot, seed = bench.own_slot(), bench.document("lineage")
    bench.put_slot(own.finish_slot(bench, slot, bench.random.randbytes(32), seed))


@rejects(BadSeal, STATE, "ephemeral", "nonce", "commitment", "ciphertext", "tag")
def own_slot_with_a_changed_and_signed(bench, part):
    at = {"ephemeral": 0, "nonce": 32, "commitment": 56, "ciphertext": 88, "tag": -1}[part]
    slot = bench.own_slot()
    slot = replace(slot, wrapped=flip(slot.wrapped, at))
    bench.put_slot(own.resign(bench, slot, bench.document("lineage")))


@rejects(BadSlot, STATE)
def own_slot_with_an_ephemeral_key_of_low_order(bench):
    slot = bench.own_slot()
    slot = replace(slot, wrapped=bytes(32) + slot.wrapped[32:])
    bench.put_slot(own.resign(bench, slot, bench.document("lineage")))


@rejects(BadMac, STATE)
def own_slot_that_wraps_another_root_key(bench):
    slot, seed = bench.own_slot(), bench.document("lineage")
    root = bench.root
    bench.root = flip(root, 0)
    bench.put_slot(own.finish_slot(bench, slot, slot.secret(bench.key), seed))
    bench.root = root


@rejects(BadState, MAC)
def other_slot_dropped(bench):
    bench.drop((SLOT, ZEROS, bench.other_slot().id))


@rejects(WrongKey, STATE)
def own_slot_dropped(bench):
    bench.drop((SLOT, ZEROS, bench.own_slot().id))


@rejects(OutOfBounds, STATE)
def slots_33_of_them(bench):
    seed = bench.document("lineage")
    while len(bench.of(SLOT)) < 33:
        secret = bench.random.randbytes(32)
        bench.put_slot(own.make_slot(bench, slots.KEY_FILE, seed, "more", secret=secret))


def _document_place(name):
    return (DOCUMENT, ZEROS, document_id(name))


@rejects(BadTag, STATE)
def document_moved_to_the_id_of_another_name(bench):
    bench.put_document("lineage", bench.document("audit-keys"), id_of="audit-keys")


@rejects(Inconsistent, STATE)
def document_of_an_unknown_name(bench):
    bench.put_document("other", b"")


@rejects(BadState, MAC, "revision", "body")
def document_changed_and_not_listed(bench, what):
    record = bench.records[_document_place("audit-keys")]
    if what == "revision":
        bench.change(record.place, revision=record.revision + 1)
    else:
        bench.put_document("audit-keys", bench.document("audit-keys"))


@rejects(BadTag, STATE)
def document_with_another_revision(bench):
    record = bench.records[_document_place("lineage")]
    bench.change(record.place, revision=record.revision + 1)


@rejects(Inconsistent, STATE, "lineage", "audit-keys")
def document_dropped(bench, name):
    bench.drop(_document_place(name))


@rejects(BadState, MAC)
def document_rolled_back(bench):
    bench.put_document("audit-keys", bench.document("audit-keys")[:36])


@rejects(Malformed, STATE)
def document_with_a_parent(bench):
    bench.change(_document_place("lineage"), parent=b"\1" * 16)


@rejects(OutOfBounds, STATE)
def document_over_4_mib(bench):
    bench.put_document("policy", bytes((4 << 20) + 1))


@rejects(Malformed, STATE)
def policy_that_is_not_utf8(bench):
    bench.put_document("policy", b"\xff")


@rejects(BadSlot, STATE)
def lineage_of_another_seed(bench):
    bench.put_document("lineage", bench.random.randbytes(32))


@rejects(Malformed, STATE, 31, 33)
def lineage_of_another_length(bench, length):
    bench.put_document("lineage", (bench.document("lineage") + b"\0")[:length])


@rejects(BadOrder, STATE, "twice", "descending")
def epochs(bench, how):
    keys = bench.document("audit-keys")
    first, key = int.from_bytes(keys[:4], "little"), bytes(32)
    before = u32(first if how == "twice" else first + 1) + key
    bench.put_document("audit-keys", before + keys[:36])


@rejects(Malformed, STATE)
def audit_keys_that_end_within_a_key(bench):
    bench.put_document("audit-keys", bench.document("audit-keys")[:-1])


@rejects(Inconsistent, STATE)
def audit_keys_of_no_epoch(bench):
    bench.put_document("audit-keys", b"")


@rejects(Malformed, STATE)
def document_that_is_too_short_to_be_sealed(bench):
    bench.change(_document_place("lineage"), body=bytes(71))
