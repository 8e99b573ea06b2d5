"""Mutations of values, workspaces and states, made with the vault's keys. Source: spec/vault.md,
"Workspaces", "Values", "State"."""

from dataclasses import replace

import own
import writer
from bench import Mend, NotHere
from mutation import flip, rejects
from mutations_heads import OF_PARTS, PARTS, a_head
from subrosa_vault import workspaces
from subrosa_vault.backup import DOCUMENT, HEAD, STATE as STATES, VALUE, WORKSPACE, ZEROS
from subrosa_vault.encoding import lp
from subrosa_vault.errors import (
    BadCommitment,
    BadName,
    BadOrder,
    BadState,
    BadSum,
    BadTag,
    Inconsistent,
    Malformed,
    OutOfBounds,
)
from subrosa_vault.heads import Pin

MAC, STATE, SUMS = Mend.MAC, Mend.STATE, Mend.SUMS
VAULT_STATE = (STATES, ZEROS, ZEROS)


def _valued(bench, at_least=1):
    return a_head(bench, lambda head: len(head.named()) >= at_least)


def _place(opened, named):
    return (VALUE, opened.head.secret, named.id)


@rejects(BadCommitment, MAC)
def two_values_swapped(bench):
    first, second = bench.of(VALUE, 2)[:2]
    bench.change(first.place, body=second.body)
    bench.change(second.place, body=first.body)


@rejects(BadCommitment, SUMS)
def the_keys_of_two_values_swapped(bench):
    opened = _valued(bench, 2)
    (first, one), (second, other), *rest = opened.value_keys.items()
    keys = writer.head_keys([(first, other), (second, one), *rest])
    opened.put(opened.meta, keys)


@rejects(BadTag, SUMS)
def two_values_swapped_with_their_keys(bench):
    """Whoever holds the keys still cannot pass one field's value off as another's."""
    opened = _valued(bench, 2)
    (first, one), (second, other), *rest = opened.value_keys.items()
    named = opened.head.named()
    places = _place(opened, named[first]), _place(opened, named[second])
    bodies = [bench.records[place].body for place in places]
    bench.change(places[0], body=bodies[1])
    bench.change(places[1], body=bodies[0])
    opened.put(opened.meta, writer.head_keys([(first, other), (second, one), *rest]))


@rejects(Inconsistent, MAC)
def a_value_dropped(bench):
    bench.drop(bench.of(VALUE)[0].place)


@rejects(Inconsistent, MAC)
def a_value_that_no_head_names(bench):
    bench.put(replace(bench.of(VALUE)[0], id=bench.new_id()))


@rejects(Inconsistent, MAC)
def a_value_under_another_secret(bench):
    bench.change(bench.of(VALUE)[0].place, parent=bench.new_id())


@rejects(BadCommitment, MAC)
def an_older_value_replayed(bench):
    opened = _valued(bench)
    named = next(iter(opened.head.named().values()))
    key = bench.random.randbytes(32)
    bench.put_value(opened.record.parent, opened.head, named, key, b"as it was once")


for _part, _error in OF_PARTS.items():

    @rejects(_error, MAC, _part)
    def a_bit_of_a_value(bench, part):
        record = bench.of(VALUE)[0]
        bench.change(record.place, body=flip(record.body, PARTS[part]))

    @rejects(_error, STATE, _part)
    def a_bit_of_a_document(bench, part):
        record = bench.of(DOCUMENT)[0]
        bench.change(record.place, body=flip(record.body, PARTS[part]))

    @rejects(_error, MAC, _part)
    def a_bit_of_the_vaults_state(bench, part):
        record = bench.records[VAULT_STATE]
        bench.change(VAULT_STATE, body=flip(record.body, PARTS[part]))

    @rejects(_error, STATE, _part)
    def a_bit_of_a_workspaces_state(bench, part):
        record = _state_of_heads(bench)
        bench.change(record.place, body=flip(record.body, PARTS[part]))

    @rejects(_error, STATE, _part)
    def a_bit_of_a_workspaces_meta(bench, part):
        record = bench.of(WORKSPACE)[0]
        meta, key = workspaces.two_parts(record)
        bench.change(record.place, body=lp(flip(meta, PARTS[part])) + lp(key))

    @rejects(_error, STATE, _part)
    def a_bit_of_a_workspaces_key(bench, part):
        record = bench.of(WORKSPACE)[0]
        meta, key = workspaces.two_parts(record)
        bench.change(record.place, body=lp(meta) + lp(flip(key, PARTS[part])))


@rejects(Malformed, MAC)
def a_value_too_short_to_be_sealed(bench):
    record = bench.of(VALUE)[0]
    bench.change(record.place, body=record.body[:71])


@rejects(OutOfBounds, MAC)
def a_value_over_1_mib(bench):
    opened = _valued(bench)
    named = next(iter(opened.head.named().values()))
    key = opened.value_keys[named.id]
    content = bytes((1 << 20) + 1)
    bench.put_value(opened.record.parent, opened.head, named, key, content)


@rejects(BadTag, SUMS, "provider", "hosts", "none")
def a_pin_changed(bench, how):
    opened = a_head(bench, lambda head: head.pin and head.named())
    pin = opened.head.pin
    changed = {
        "provider": Pin(pin.provider + "x", pin.hosts),
        "hosts": Pin(pin.provider, flip(pin.hosts, 0)),
        "none": None,
    }
    opened.put(pin=changed[how])


@rejects(BadTag, SUMS)
def a_pin_added(bench):
    opened = a_head(bench, lambda head: head.pin is None and head.named())
    opened.put(pin=Pin("elsewhere", bytes(32)))


@rejects(BadTag, SUMS)
def a_value_said_to_be_of_another_version(bench):
    opened = _valued(bench)
    first, *rest = opened.head.versions
    if rest:
        raise NotHere("a head with one version is looked for")
    values = [replace(value, written=value.written + 1) for value in first.values]
    opened.put(versions=[replace(first, number=first.number + 1, values=values)])


@rejects(BadTag, SUMS)
def a_value_said_to_be_of_another_field(bench):
    opened = a_head(bench, lambda head: len(head.versions) == 1 and head.named())
    (version,) = opened.head.versions
    values = [replace(value, field=value.field + "x") for value in version.values]
    opened.put(versions=[replace(version, values=values)])


@rejects(Inconsistent, SUMS)
def a_head_said_to_be_of_another_secret(bench):
    _valued(bench).put(secret=bench.new_id())


# Workspaces.


def _meta(name, created=own.CREATED):
    return writer.text(name) + writer.time(created)


def _rename(bench, old, name):
    """Gives a workspace another name, with the right keys."""
    for record in bench.of(WORKSPACE):
        found, _, key = workspaces.open_meta(record, bench.root, bench.vault)
        if found == old:
            bench.put_workspace(record.id, _meta(name), key, record.revision)


@rejects(BadName, STATE, "-x", "", "a/b", "..", "x" * 65)
def a_workspace_called(bench, name):
    _rename(bench, "default", name)


@rejects(Inconsistent, STATE, "global", "default")
def no_workspace(bench, name):
    _rename(bench, name, "something-else")


@rejects(Inconsistent, SUMS)
def two_workspaces_of_one_name(bench):
    bench.put_workspace(bench.new_id(), _meta("default"), bench.random.randbytes(32))


@rejects(OutOfBounds, STATE)
def workspaces_1001_of_them(bench):
    for number in range(1_001 - len(bench.of(WORKSPACE))):
        bench.put_workspace(bench.new_id(), _meta(f"w{number}"), bench.random.randbytes(32))


@rejects(BadTag, STATE, "bodies", "keys")
def of_two_workspaces_swapped(bench, what):
    first, second = bench.of(WORKSPACE, 2)[:2]
    if what == "bodies":
        changed = second.body
    else:
        meta, _ = workspaces.two_parts(first)
        changed = lp(meta) + lp(workspaces.two_parts(second)[1])
    bench.change(first.place, body=changed)


@rejects(BadTag, STATE)
def meta_and_key_of_a_workspace_swapped(bench):
    record = bench.of(WORKSPACE)[0]
    meta, key = workspaces.two_parts(record)
    bench.change(record.place, body=lp(key) + lp(meta))


@rejects(BadTag, STATE)
def a_workspace_with_another_revision(bench):
    record = bench.of(WORKSPACE)[0]
    bench.change(record.place, revision=record.revision + 1)


@rejects(BadTag, STATE)
def a_workspace_with_the_key_of_another_revision(bench):
    record = bench.of(WORKSPACE)[0]
    name, created, key = workspaces.open_meta(record, bench.root, bench.vault)
    at = record.revision
    bench.put_workspace(record.id, _meta(name, created), key, at, wrapped_revision=at + 1)


@rejects(Malformed, STATE, "a longer meta", "a shorter meta", "a longer key", "a shorter key")
def a_workspace_with(bench, what):
    record = bench.of(WORKSPACE)[0]
    name, created, key = workspaces.open_meta(record, bench.root, bench.vault)
    _, how, part = what.split()
    parts = {"meta": _meta(name, created), "key": key}
    parts[part] = parts[part] + b"\0" if how == "longer" else parts[part][:-1]
    bench.put_workspace(record.id, parts["meta"], parts["key"], record.revision)


@rejects(Malformed, STATE)
def a_byte_after_a_workspaces_body(bench):
    record = bench.of(WORKSPACE)[0]
    bench.change(record.place, body=record.body + b"\0")


@rejects(Malformed, STATE)
def a_workspace_with_a_parent(bench):
    bench.change(bench.of(WORKSPACE)[0].place, parent=b"\1" * 16)


def _another_than_the_two(bench):
    for record in bench.of(WORKSPACE):
        if workspaces.open_meta(record, bench.root, bench.vault)[0] not in ("global", "default"):
            return record
    raise NotHere("no third workspace")


@rejects(BadState, MAC)
def a_workspace_dropped(bench):
    bench.drop(bench.of(WORKSPACE)[0].place)


@rejects(Inconsistent, STATE)
def a_workspace_dropped_without_its_state(bench):
    bench.drop(_another_than_the_two(bench).place)


# States.


def _state_of_heads(bench):
    return bench.records[(STATES, bench.of(HEAD)[0].parent, ZEROS)]


@rejects(BadState, MAC)
def a_workspaces_state_rolled_back(bench):
    record = _state_of_heads(bench)
    bench.put_workspace_state(
        record.parent, writer.workspace_state(0, [0] * 256), max(1, record.revision - 1)
    )


@rejects(BadSum, STATE)
def a_workspaces_state_rolled_back_and_listed(bench):
    """It was made before the last head came."""
    record, last = _state_of_heads(bench), bench.of(HEAD)[0]
    bench.drop(last.place)
    before = writer.workspace_state(*bench.sums(record.parent))
    bench.put(last)
    bench.put_workspace_state(record.parent, before, max(1, record.revision - 1))


@rejects(BadSum, STATE, "count", "used bucket", "unused bucket")
def a_workspaces_state_with_another(bench, what):
    record = _state_of_heads(bench)
    count, sums = bench.sums(record.parent)
    used = next(at for at, total in enumerate(sums) if total)
    unused = next(at for at, total in enumerate(sums) if not total)
    if what == "count":
        count += 1
    else:
        at = used if what == "used bucket" else unused
        sums[at] = (sums[at] + 1) % (1 << 128)
    state = writer.workspace_state(count, sums)
    bench.put_workspace_state(record.parent, state, record.revision)


@rejects(Malformed, STATE, "longer", "shorter")
def a_workspaces_state_that_is(bench, how):
    record = _state_of_heads(bench)
    state = writer.workspace_state(*bench.sums(record.parent))
    state = state + b"\0" if how == "longer" else state[:-1]
    bench.put_workspace_state(record.parent, state, record.revision)


@rejects(BadTag, STATE)
def a_workspaces_state_with_another_revision(bench):
    record = _state_of_heads(bench)
    bench.change(record.place, revision=record.revision + 1)


@rejects(Inconsistent, STATE)
def no_state_of_a_workspace(bench):
    bench.drop(_state_of_heads(bench).place)


@rejects(Inconsistent, STATE)
def a_state_of_no_workspace(bench):
    bench.put(replace(_state_of_heads(bench), parent=bench.new_id()))


@rejects(Malformed, STATE)
def a_state_with_an_id(bench):
    bench.put(replace(_state_of_heads(bench), id=bench.new_id()))


@rejects(BadTag, MAC)
def the_vaults_state_with_another_revision(bench):
    record = bench.records[VAULT_STATE]
    bench.change(VAULT_STATE, revision=record.revision + 1)


@rejects(Inconsistent, MAC)
def no_state_of_the_vault(bench):
    bench.drop(VAULT_STATE)


def _relist(bench, entries):
    bench.put_state(writer.vault_state(entries))


@rejects(BadOrder, MAC, "twice", "descending")
def listed(bench, how):
    entries = bench.listing()
    _relist(bench, [entries[0], *entries] if how == "twice" else entries[::-1])


@rejects(BadState, MAC, "header", "slot", "workspace", "document", "state")
def not_listed(bench, which):
    number = {"header": 1, "slot": 2, "workspace": 3, "document": 6, "state": 7}[which]
    entries = bench.listing()
    gone = next(entry for entry in entries if entry[0][0] == number)
    _relist(bench, [entry for entry in entries if entry is not gone])


@rejects(BadState, MAC, "slot", "document", "head", "value", "the vault's state")
def listed_but_absent(bench, which):
    numbers = {"slot": 2, "document": 6, "head": HEAD, "value": VALUE}
    place = (numbers[which], ZEROS, bench.new_id()) if which in numbers else VAULT_STATE
    _relist(bench, sorted([*bench.listing(), (place, bytes(32))]))


@rejects(BadState, MAC)
def listed_with_another_digest(bench):
    (place, digest), *rest = bench.listing()
    _relist(bench, [(place, flip(digest, 0)), *rest])


@rejects(OutOfBounds, MAC)
def listed_2097_records(bench):
    places = [(6, ZEROS, number.to_bytes(16, "big")) for number in range(2_097)]
    _relist(bench, [(place, bytes(32)) for place in places])


@rejects(Malformed, MAC, "longer", "shorter")
def the_vaults_state_is(bench, how):
    state = writer.vault_state(bench.listing())
    bench.put_state(state + b"\0" if how == "longer" else state[:-1])
