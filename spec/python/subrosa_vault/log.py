"""The audit log inside a backup: its head, its chain, its signatures.

Source: spec/audit.md, "Keys", "Rows", "Head", "Prune" and "Verification". A backup comes without
the anchor's mark, so rule 8 of the verification is not for this decoder.
"""

from dataclasses import dataclass

from . import payloads
from .encoding import Reader, ad, u32, u64
from .errors import BadLog
from .primitives import derive, mac, same, sha256, signing_public_of, unseal

EVENT, CHECKPOINT, PRUNE, LOSS = 1, 2, 3, 4
KINDS = {EVENT: "event", CHECKPOINT: "checkpoint", PRUNE: "prune marker", LOSS: "loss"}
FORMAT = 1
DUE = 1_000


@dataclass(frozen=True)
class Entry:
    """A row that opened in its place. `readable` is false for an event of an unknown kind."""

    sequence: int
    kind: int
    epoch: int
    link: bytes
    payload: dict
    readable: bool

    @property
    def what(self):
        return f"row {self.sequence} of the log"


@dataclass(frozen=True)
class Head:
    """What is sealed in the head."""

    epoch: int
    sequence: int
    link: bytes
    state: bytes
    first: int
    base: bytes
    checkpoint: int


@dataclass(frozen=True)
class Log:
    head: Head
    entries: list


def origin(vault):
    """The link before row 1."""
    return sha256(ad("subrosa/audit/origin/v1", vault))


def public_key(key):
    """The public key of the epoch with this key."""
    return signing_public_of(derive(key, "audit/sign"))


def open_head(row, vault, keys):
    """Opens the head of the log; it is sealed under the newest epoch."""
    what = "head of the log"
    reader = Reader(row.body, what)
    number, epoch = reader.u8(), reader.u32()
    if number != FORMAT:
        raise BadLog(f"{what}: format {number} instead of {FORMAT}")
    if epoch != max(keys):
        raise BadLog(f"{what}: of epoch {epoch}, where the newest is {max(keys)}")
    aad = ad("subrosa/audit/head/v1", vault, u64(row.sequence), u32(epoch))
    opened = Reader(unseal(derive(keys[epoch], "audit/head"), aad, row.body[5:], what), what)
    link, state, first = opened.fixed(32), opened.fixed(32), opened.u64()
    base, checkpoint = opened.fixed(32), opened.u64()
    opened.end()
    return Head(epoch, row.sequence, link, state, first, base, checkpoint)


class _Chain:
    """Walks the rows in their order. Everything that a row has to follow from is kept here."""

    def __init__(self, head, vault, keys):
        self.head, self.vault, self.keys = head, vault, keys
        self.link, self.sequence = head.base, head.first - 1
        self.public = {epoch: public_key(key) for epoch, key in keys.items()}
        # Before the first row that is kept, a checkpoint may have stood anywhere: the latest
        # possible place is taken, which demands the least.
        self.last_checkpoint = head.first - 1
        self.checkpoints, self.markers, self.before = [], [], None

    def open(self, row):
        """A row in its place, with the link that follows from the row before."""
        what = f"row {row.sequence} of the log"
        reader = Reader(row.body, what)
        number, kind, epoch = reader.u8(), reader.u8(), reader.u32()
        if number != FORMAT:
            raise BadLog(f"{what}: format {number} instead of {FORMAT}")
        if kind not in KINDS:
            raise BadLog(f"{what}: unknown kind {kind}")
        if epoch not in self.keys:
            raise BadLog(f"{what}: unknown epoch {epoch}")
        link, sealed, key = reader.fixed(32), row.body[38:], self.keys[epoch]
        place = (self.vault, u64(row.sequence), u32(epoch), bytes([kind]))
        message = ad("subrosa/audit/link/v1", *place, self.link, sealed)
        if not same(link, mac(derive(key, "audit/mac"), message)):
            raise BadLog(f"{what}: its link does not follow from the row before")
        aad = ad("subrosa/audit/row/v1", *place)
        payload = payloads.parse(unseal(derive(key, "audit/seal"), aad, sealed, what), what)
        readable = kind != EVENT or payloads.is_known_event(payload)
        return Entry(row.sequence, kind, epoch, link, payload, readable)

    def follow(self, row):
        """The next row; demands all that can be said of it here."""
        if row.sequence != self.sequence + 1:
            raise BadLog(f"row {row.sequence} of the log comes where {self.sequence + 1} is due")
        entry = self.open(row)
        self._check_epoch(entry)
        if row.sequence >= self.last_checkpoint + DUE and entry.kind != CHECKPOINT:
            raise BadLog(f"{entry.what}: a checkpoint is due here")
        if self.before is not None and self.before.kind == PRUNE and entry.kind != CHECKPOINT:
            raise BadLog(f"{entry.what}: a checkpoint has to follow a prune marker")
        if entry.kind == CHECKPOINT:
            self._check_checkpoint(entry)
        elif entry.kind == PRUNE:
            self._check_marker(entry)
        elif entry.kind == LOSS:
            payloads.time(entry.payload, entry.what)
            payloads.number(entry.payload, "count", entry.what)
        self.link, self.sequence, self.before = entry.link, entry.sequence, entry
        return entry

    def _next_epoch(self, epoch):
        return min((other for other in self.keys if other > epoch), default=None)

    def _check_epoch(self, entry):
        """Demands that epochs change in order, from a checkpoint to a checkpoint."""
        before = self.before
        handed_over = before is not None and "next" in before.payload
        handed_over = handed_over and before.kind == CHECKPOINT
        if before is None or before.epoch == entry.epoch:
            if handed_over:
                raise BadLog(f"{before.what}: it ends an epoch that goes on")
            return
        if entry.epoch != self._next_epoch(before.epoch):
            raise BadLog(f"{entry.what}: epoch {entry.epoch} after epoch {before.epoch}")
        if entry.kind != CHECKPOINT or not handed_over:
            raise BadLog(f"{entry.what}: an epoch changes without its two checkpoints")

    def _signed_by(self, entry, message):
        public = self.public[entry.epoch]
        if payloads.hexadecimal(entry.payload, "key", 32, entry.what) != public:
            raise BadLog(f"{entry.what}: its key is not that of its epoch")
        payloads.check_signature(entry.payload, public, message, entry.what)

    def _check_checkpoint(self, entry):
        payload, what = entry.payload, entry.what
        previous = payloads.hexadecimal(payload, "previous", 32, what)
        count = payloads.number(payload, "count", what)
        following = None
        if "next" in payload:
            following = payloads.hexadecimal(payload, "next", 32, what)
            if following != self.public.get(self._next_epoch(entry.epoch)):
                raise BadLog(f"{what}: its next key is not that of the next epoch")
        if previous != self.link or count != entry.sequence - 1:
            raise BadLog(f"{what}: the checkpoint is of another place")
        place = (self.vault, u64(entry.sequence), previous, u64(count))
        message = payloads.checkpoint_message(
            place, payloads.time(payload, what), entry.epoch, self.public[entry.epoch], following
        )
        self._signed_by(entry, message)
        self.last_checkpoint = entry.sequence
        self.checkpoints.append(entry.sequence)

    def _check_marker(self, entry):
        payload, what = entry.payload, entry.what
        first = payloads.number(payload, "first_removed", what)
        last = payloads.number(payload, "last_removed", what)
        count = payloads.number(payload, "count", what)
        base = payloads.hexadecimal(payload, "base", 32, what)
        if not 1 <= first <= last < entry.sequence or count != last - first + 1:
            raise BadLog(f"{what}: what the prune marker says was removed cannot be")
        if self.markers and first != self.markers[-1][0] + 1:
            raise BadLog(f"{what}: it does not go on where the prune marker before it stopped")
        range_ = (u64(first), u64(last), u64(count), base)
        time = u64(payloads.time(payload, what))
        public = (u32(entry.epoch), self.public[entry.epoch])
        place = (self.vault, u64(entry.sequence))
        self._signed_by(entry, ad("subrosa/audit/prune/v1", *place, *range_, time, *public))
        self.markers.append((last, base))

    def finish(self):
        """Demands that the rows end where the head says, and begin where they may."""
        head = self.head
        if self.sequence != head.sequence:
            raise BadLog(f"the log ends at row {self.sequence}; its head is at {head.sequence}")
        if not same(self.link, head.link):
            raise BadLog("the head's link is not that of the last row")
        if self.before is not None and self.before.epoch != head.epoch:
            raise BadLog(f"{self.before.what}: it is the last, and of an earlier epoch")
        if self.before is not None and self.before.kind == PRUNE:
            raise BadLog(f"{self.before.what}: no checkpoint follows the prune marker")
        if self.checkpoints:
            if head.checkpoint != self.checkpoints[-1]:
                raise BadLog("the head names another row as the last checkpoint")
        elif head.checkpoint >= head.first:
            raise BadLog("the head names a checkpoint that is not there")
        start = self.markers[-1] if self.markers else (0, origin(self.vault))
        if start != (head.first - 1, head.base):
            raise BadLog("the first row is neither the log's first nor that after a prune")


def check(rows, head_row, vault, keys, state):
    """Verifies a whole log. `keys` by epoch; `state` is the digest of the vault's state."""
    head = open_head(head_row, vault, keys)
    if not same(head.state, state):
        raise BadLog("the head of the log is of another state of the vault")
    chain = _Chain(head, vault, keys)
    entries = [chain.follow(row) for row in rows]
    chain.finish()
    return Log(head, entries)
