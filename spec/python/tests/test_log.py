"""The log against spec/vectors/audit.json, and good logs of the tests' own making."""

import json
from pathlib import Path

import pytest

import sources
from bench import Mend
from log_writer import Writing, checkpoint, event
from subrosa_vault import log, open_backup
from subrosa_vault.backup import Row
from subrosa_vault.errors import BadLog

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "audit.json").read_text())
VAULT, STATE = bytes.fromhex(VECTORS["vault"]), bytes.fromhex(VECTORS["state"])
KEYS = {described["epoch"]: bytes.fromhex(described["key"]) for described in VECTORS["keys"]}


def row(described):
    return Row(described["sequence"], bytes.fromhex(described["body"]))


def after(step):
    """The rows and the head of the vectors after so many steps; the last one prunes."""
    steps = VECTORS["steps"][: step + 1]
    rows = [row(described) for done in steps for described in done["rows"]]
    if steps[-1]["head"]["sequence"] == VECTORS["steps"][-1]["head"]["sequence"]:
        rows = [found for found in rows if found.sequence >= VECTORS["keep_from"]]
    return rows, row(steps[-1]["head"])


def test_keys_and_origin():
    for described in VECTORS["keys"]:
        assert log.public_key(KEYS[described["epoch"]]).hex() == described["public"]
    assert log.origin(VAULT).hex() == VECTORS["origin"]


@pytest.mark.parametrize("step", range(len(VECTORS["steps"])))
def test_each_step_of_the_vectors(step):
    rows, head = after(step)
    newest = int.from_bytes(head.body[1:5], "little")
    keys = {epoch: key for epoch, key in KEYS.items() if epoch <= newest}
    found = log.check(rows, head, VAULT, keys, STATE)
    opened = {described["sequence"]: described for described in VECTORS["opened"]}
    types = {1: "event", 2: "checkpoint", 3: "prune", 4: "loss"}
    assert len(found.entries) == len(rows) > 0
    for entry in found.entries:
        described = opened[entry.sequence]
        assert (entry.epoch, entry.link.hex()) == (described["epoch"], described["link"])
        assert {**entry.payload, "type": types[entry.kind]} == described["body"]
        assert entry.readable


@pytest.mark.parametrize("step", range(len(VECTORS["steps"])))
def test_every_bit_of_place_counts(step):
    """Any other vault, state or set of keys, and any row left out, is refused."""
    rows, head = after(step)
    newest = int.from_bytes(head.body[1:5], "little")
    keys = {epoch: key for epoch, key in KEYS.items() if epoch <= newest}
    for at in range(len(rows)):
        with pytest.raises(BadLog):
            log.check(rows[:at] + rows[at + 1 :], head, VAULT, keys, STATE)
    with pytest.raises(BadLog):
        log.check(rows, head, VAULT, keys, bytes(32))
    with pytest.raises(BadLog):
        log.check(rows, head, VAULT, {**keys, newest + 1: bytes(32)}, STATE)


def _nothing(writing):
    pass


def _many_rows(writing):
    """Checkpoints stand exactly where they are due."""
    writing.lines.append(checkpoint(writing.epoch))
    writing.lines += [event(writing.epoch)] * (log.DUE - 1)
    writing.lines.append(checkpoint(writing.epoch))


def _rotate(writing):
    writing.lines.append(event(writing.epoch))
    writing.add_epoch()
    writing.add_epoch()
    writing.bench.log_keys = writing.keys


def _prune(writing):
    writing.lines += [event(writing.epoch)] * 4
    writing.put_back()
    writing.prune(writing.head.first + 3)
    writing.put_back()
    writing.prune(writing.head.first + 1, event_too=False)


def _later_fields(writing):
    """What a reader does not know it ignores; an event that it does not know it cannot read."""
    writing.lines += [event(writing.epoch, later={"a": [1]}), event(writing.epoch, event="later")]
    writing.lines.append(checkpoint(writing.epoch, said={"later": 1}))


@pytest.mark.parametrize("change", [_nothing, _many_rows, _rotate, _prune, _later_fields])
@pytest.mark.parametrize("source", ["own", *(path.stem for path in sources.PATHS)])
def test_good_logs(change, source):
    """So a mutation of a log is refused for what it changes, not for how it is written again."""
    bench = sources.bench(source)
    writing = Writing.take_out(bench)
    change(writing)
    writing.put_back()
    opened = open_backup(bench.write(Mend.STATE), bench.key)
    assert opened.log.head.sequence == bench.rows[-1].sequence
    unreadable = sum(not entry.readable for entry in opened.log.entries)
    # One comes with the tests' own log, until a prune removes it; one is added.
    of_own = source == "own" and change is not _prune
    assert unreadable == of_own + (change is _later_fields)
