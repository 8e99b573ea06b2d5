"""A test's own encoder of the log, made from spec/audit.md. Like `bench`, it takes a good log
apart, and makes links, checkpoints and head right again after a change."""

import json
from dataclasses import dataclass, field
from typing import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from subrosa_vault import log, payloads
from subrosa_vault.backup import STATE, ZEROS, Row
from subrosa_vault.encoding import ad, optional, u32, u64
from subrosa_vault.log import CHECKPOINT, EVENT, LOSS, PRUNE
from subrosa_vault.primitives import derive, mac
from subrosa_vault.vault import read_audit_keys

TIME, MICROS = "2023-11-14T22:13:20.000005Z", 1_700_000_000_000_005
CALLER = {"kind": "operator", "uid": 1000}


def _same(thing):
    return thing


@dataclass
class Line:
    """A row to be. `payload` is bytes, or an object, or a function of its place that gives one."""

    kind: int
    epoch: int
    payload: object
    number: int = 1
    sequence: int | None = None
    spoil_sealed: Callable = field(default=_same)
    spoil_link: Callable = field(default=_same)


def event(epoch, **more):
    return Line(EVENT, epoch, {"time": TIME, "caller": CALLER, "event": "change", **more})


def _sign(key, message):
    seed = derive(key, "audit/sign")
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message).hex()


def _saying(payload, said):
    """The payload with other content; a function makes it from what was there."""
    for name, change in (said or {}).items():
        payload[name] = change(payload[name]) if callable(change) else change
    return payload


def checkpoint(epoch, following=None, time=TIME, micros=MICROS, said=None, signed=None):
    """A checkpoint. `said` changes what it says after it was signed, `signed` before."""

    def payload(writing, sequence, link):
        key = writing.keys[epoch]
        content = {"previous": link, "count": sequence - 1, "key": log.public_key(key)}
        content.update(signed or {})
        place = (writing.vault, u64(sequence), content["previous"], u64(content["count"]))
        signer = (u64(micros), u32(epoch), content["key"], *optional(following))
        signature = _sign(key, ad("subrosa/audit/checkpoint/v1", *place, *signer))
        found = {name: v.hex() if isinstance(v, bytes) else v for name, v in content.items()}
        if following is not None:
            found["next"] = following.hex()
        return _saying({"time": time, **found, "signature": signature}, said)

    return Line(CHECKPOINT, epoch, payload)


def marker(epoch, first, last, base, said=None, signed=None):
    """A prune marker. `said` changes what it says after it was signed, `signed` before."""

    def payload(writing, sequence, link):
        key = writing.keys[epoch]
        content = {"first_removed": first, "last_removed": last, "count": last - first + 1}
        content.update({"base": base, "key": log.public_key(key), **(signed or {})})
        numbers = [u64(content[name]) for name in ("first_removed", "last_removed", "count")]
        place = (writing.vault, u64(sequence), *numbers, content["base"])
        signer = (u64(MICROS), u32(epoch), content["key"])
        signature = _sign(key, ad("subrosa/audit/prune/v1", *place, *signer))
        found = {name: v.hex() if isinstance(v, bytes) else v for name, v in content.items()}
        return _saying({"time": TIME, **found, "signature": signature}, said)

    return Line(PRUNE, epoch, payload)


def _again(entry):
    """A row of a good log, to be written again; checkpoints are signed for their new place."""
    if entry.kind != CHECKPOINT:
        return Line(entry.kind, entry.epoch, entry.payload)
    following = entry.payload.get("next")
    following = following and bytes.fromhex(following)
    micros = payloads.time(entry.payload, "row")
    return checkpoint(entry.epoch, following, entry.payload["time"], micros)


class Writing:
    """A log taken out of a bench, to be changed and put back."""

    def __init__(self, bench, keys=None, head=None, lines=()):
        self.bench, self.vault = bench, bench.vault
        self.keys = keys or bench.log_keys
        self.head = head or log.open_head(bench.log_head, self.vault, self.keys)
        self.lines = list(lines)
        self.links = {}

    @classmethod
    def take_out(cls, bench):
        self = cls(bench)
        state = bench.records[(STATE, ZEROS, ZEROS)].digest()
        found = log.check(bench.rows, bench.log_head, bench.vault, self.keys, state)
        self.lines = [_again(entry) for entry in found.entries]
        self.links = {entry.sequence: entry.link for entry in found.entries}
        return self

    @property
    def epoch(self):
        """The newest."""
        return max(self.keys)

    def _row(self, line, sequence, link):
        payload = line.payload
        if callable(payload):
            payload = payload(self, sequence, link)
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        key = self.keys[line.epoch]
        place = (self.vault, u64(sequence), u32(line.epoch), bytes([line.kind]))
        aad = ad("subrosa/audit/row/v1", *place)
        sealed = line.spoil_sealed(self.bench.seal(derive(key, "audit/seal"), aad, payload))
        message = ad("subrosa/audit/link/v1", *place, link, sealed)
        link = line.spoil_link(mac(derive(key, "audit/mac"), message))
        opening = bytes([line.number, line.kind]) + u32(line.epoch)
        return Row(sequence, opening + link + sealed), link

    def put_back(self, **head):
        """Writes all rows and the head; `head` changes what the head says."""
        link, sequence = self.head.base, self.head.first
        last_checkpoint, rows = 0, []
        for line in self.lines:
            sequence = line.sequence or sequence
            row, link = self._row(line, sequence, link)
            self.links[sequence] = link
            rows.append(row)
            last_checkpoint = sequence if line.kind == CHECKPOINT else last_checkpoint
            sequence += 1
        first = self.head.first
        rows = [row for row in rows if row.sequence >= first]
        said = {"epoch": self.epoch, "sequence": sequence - 1, "link": link}
        said.update({"state": self.head.state, "first": first, "base": self.head.base})
        said.update({"checkpoint": last_checkpoint, **head})
        self.bench.rows = rows
        self.bench.log_head = seal_head(self.bench, self.keys, log.Head(**said))

    def prune(self, keep_from, event_too=True, **changes):
        """Removes the rows below `keep_from`, with what has to be written about it."""
        first, base = self.head.first, self.links[keep_from - 1]
        del self.lines[: keep_from - first]
        self.head = log.Head(**{**vars(self.head), "first": keep_from, "base": base})
        self.lines += [event(self.epoch)] * event_too
        self.lines.append(marker(self.epoch, first, keep_from - 1, base, **changes))
        self.lines.append(checkpoint(self.epoch))

    def add_epoch(self):
        """A rotation's two checkpoints, and the new epoch's key in the vault's document."""
        old, new = self.epoch, self.epoch + 1
        self.keys[new] = self.bench.random.randbytes(32)
        self.lines += [checkpoint(old, log.public_key(self.keys[new])), checkpoint(new)]
        content = b"".join(u32(epoch) + key for epoch, key in sorted(self.keys.items()))
        self.bench.put_document("audit-keys", content, revision=7)


def seal_head(bench, keys, head, number=1):
    """The head of a log as a store keeps it."""
    content = head.link + head.state + u64(head.first) + head.base + u64(head.checkpoint)
    aad = ad("subrosa/audit/head/v1", bench.vault, u64(head.sequence), u32(head.epoch))
    sealed = bench.seal(derive(keys[head.epoch], "audit/head"), aad, content)
    return Row(head.sequence, bytes([number]) + u32(head.epoch) + sealed)


def audit_keys(chance):
    """The document `audit-keys` with two epochs."""
    return u32(1) + chance.randbytes(32) + u32(2) + chance.randbytes(32)


def begin(bench):
    """Gives a bench a log that has one of everything, and was pruned."""
    keys = bench.log_keys = read_audit_keys(bench.document("audit-keys"))
    head = log.Head(2, 0, bytes(32), bytes(32), 1, log.origin(bench.vault), 0)
    writing = Writing(bench, keys, head)
    writing.lines = [
        event(1, event="unlock"),
        event(1),
        checkpoint(1),
        Line(LOSS, 1, {"time": TIME, "count": 3}),
        event(1, event="of a later program"),
        checkpoint(1, log.public_key(keys[2])),
        checkpoint(2),
    ]
    writing.put_back()
    writing.prune(3)
    writing.lines.append(event(2, unknown=[None, 1.5, "é"]))
    writing.put_back()


def tie(bench):
    """Puts the digest of the vault's state into the head of the log."""
    head = log.open_head(bench.log_head, bench.vault, bench.log_keys)
    state = bench.records[(STATE, ZEROS, ZEROS)].digest()
    bench.log_head = seal_head(bench, bench.log_keys, log.Head(**{**vars(head), "state": state}))
