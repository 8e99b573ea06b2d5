"""Workspaces: their keys, heads, values and states.

Source: spec/vault.md, "Workspaces", "Heads", "Values" and "State".
"""

from dataclasses import dataclass

from . import heads, names
from .backup import HEAD, STATE, VALUE, ZEROS
from .encoding import Reader, ad, optional, u32, u64
from .errors import BadOrder, BadSum, Inconsistent, Malformed, OutOfBounds
from .primitives import commitment_of, derive, mac, prf, tag_of, unseal, unwrap

MAX_WORKSPACES = 1_000
MAX_VALUE = 1 << 20
BUCKETS = 32


@dataclass(frozen=True)
class Secret:
    """A head with what its values hold: version number, then field, then bytes."""

    head: heads.Head
    values: dict


@dataclass(frozen=True)
class Workspace:
    id: bytes
    name: str
    created: int
    key: bytes
    secrets: list


def two_parts(record):
    """The body of a workspace (meta, wrapped key) or a head (meta, keys): two sealed parts."""
    reader = Reader(record.body, record.what)
    parts = (reader.bytes(), reader.bytes())
    reader.end()
    return parts


def open_meta(record, root, vault):
    """A workspace's name, time of creation and key."""
    sealing = derive(root, "workspaces")
    meta, wrapped = two_parts(record)
    place = (vault, record.id, u64(record.revision))
    opened = unseal(sealing, ad("subrosa/workspace/v1", *place), meta, f"{record.what}, meta")
    reader = Reader(opened, f"{record.what}, meta")
    name, created = names.word("workspace", reader.text("name")), reader.time()
    reader.end()
    aad = ad("subrosa/workspace-key/v1", *place)
    return name, created, unwrap(sealing, aad, wrapped, f"{record.what}, wrapped key")


def head_id(key, group, name):
    """The record id of a head; `key` is its workspace's."""
    message = ad("subrosa/head-id/v1", *optional(group), name)
    return mac(derive(key, "lookup"), message)[:16]


def bucket_of(record_id):
    """The bucket of a head: the first five bits of its record id."""
    return record_id[0] // 8


def summand(set_key, record, meta, keys):
    """What one head adds to the sum of its bucket."""
    data = record.id + u64(record.revision) + commitment_of(meta) + commitment_of(keys)
    return int.from_bytes(prf(set_key, data + tag_of(meta) + tag_of(keys))[:16], "little")


def value_aad(vault, workspace, head, named):
    """What the body of a value is tied to."""
    pin = head.pin
    return ad(
        "subrosa/value/v1",
        vault,
        workspace,
        head.secret,
        named.field,
        u32(named.written),
        *optional(pin and pin.provider),
        *optional(pin and pin.hosts),
    )


class _Opening:
    """One workspace while it is opened."""

    def __init__(self, backup, record, root, vault):
        self.backup, self.record, self.vault = backup, record, vault
        self.name, self.created, self.key = open_meta(record, root, vault)
        self.meta_key, self.values_key = derive(self.key, "meta"), derive(self.key, "values")
        self.set_key = derive(self.key, "set")
        self.sums, self.count = [0] * BUCKETS, 0

    def head(self, record):
        """A head and the keys of its values; adds it to the sums."""
        meta, keys = two_parts(record)
        place = (self.vault, self.record.id, record.id, u64(record.revision))
        what = f"{record.what}, meta"
        opened = unseal(self.meta_key, ad("subrosa/head/v1", *place), meta, what)
        head = heads.parse(what, opened)
        if head_id(self.key, head.group, head.key) != record.id:
            raise Inconsistent(f"{record.what}: its id is not that of its name")
        what = f"{record.what}, keys"
        opened = unseal(self.values_key, ad("subrosa/head-keys/v1", *place), keys, what)
        bucket = bucket_of(record.id)
        term = summand(self.set_key, record, meta, keys)
        self.sums[bucket] = (self.sums[bucket] + term) % (1 << 128)
        self.count += 1
        return head, heads.parse_keys(what, opened, head)

    def check_state(self):
        """Demands that the heads are those of the workspace's state."""
        record = self.backup.records.get((STATE, self.record.id, ZEROS))
        if record is None:
            raise Inconsistent(f"{self.record.what}: it has no state")
        aad = ad("subrosa/workspace-state/v1", self.vault, self.record.id, u64(record.revision))
        reader = Reader(
            unseal(derive(self.key, "state"), aad, record.body, record.what), record.what
        )
        count = reader.u64()
        sums = [int.from_bytes(reader.fixed(16), "little") for _ in range(BUCKETS)]
        reader.end()
        for bucket, (stated, found) in enumerate(zip(sums, self.sums)):
            if stated != found:
                raise BadSum(f"{record.what}: the heads of bucket {bucket:02x} sum up to another")
        if count != self.count:
            raise BadSum(f"{record.what}: {count} heads stated, {self.count} found")

    def values(self, head, keys, used):
        """The values of a secret; notes in `used` which records they came from."""
        opened = {}
        for id_, named in head.named().items():
            place = (VALUE, head.secret, id_)
            record = self.backup.records.get(place)
            if record is None:
                raise Inconsistent(f"value {id_.hex()} of {head.secret.hex()} is absent")
            aad = value_aad(self.vault, self.record.id, head, named)
            opened[id_] = unseal(keys[id_], aad, record.body, record.what)
            if len(opened[id_]) > MAX_VALUE:
                raise OutOfBounds(f"{record.what}: {len(opened[id_])} bytes, over {MAX_VALUE}")
            used.add(place)
        return {
            version.number: {value.field: opened[value.id] for value in version.values}
            for version in head.versions
        }


def _check_names(workspaces):
    """Demands that no name comes twice and that the two that every vault has are there."""
    found = [workspace.name for workspace in workspaces]
    if len(set(found)) != len(found):
        raise Inconsistent("two workspaces have one name")
    for name in ("global", "default"):
        if name not in found:
            raise Inconsistent(f"there is no workspace {name}")


def open_all(backup, workspace_records, root, vault):
    """Opens every workspace, and demands that no head, value or state is left over."""
    if len(workspace_records) > MAX_WORKSPACES:
        raise OutOfBounds(f"{len(workspace_records)} workspaces, over {MAX_WORKSPACES}")
    openings = [_Opening(backup, record, root, vault) for record in workspace_records]
    _check_names(openings)
    by_id = {opening.record.id: (opening, []) for opening in openings}
    for record in backup.of(HEAD):
        if record.parent not in by_id:
            raise Inconsistent(f"{record.what}: there is no such workspace")
        opening, found = by_id[record.parent]
        found.append(opening.head(record))
    for record in backup.of(STATE):
        if record.parent != ZEROS and record.parent not in by_id:
            raise Inconsistent(f"{record.what}: there is no such workspace")
        if record.id != ZEROS:
            raise Malformed(f"{record.what}: a state's id is zeros")

    used, secrets, opened = set(), set(), []
    for opening, found in by_id.values():
        opening.check_state()
        for head, _ in found:
            if head.secret in secrets:
                raise BadOrder(f"two heads are of secret {head.secret.hex()}")
            secrets.add(head.secret)
        inside = [Secret(head, opening.values(head, keys, used)) for head, keys in found]
        inside.sort(key=lambda secret: (secret.head.group or "", secret.head.key))
        place = (opening.record.id, opening.name, opening.created, opening.key)
        opened.append(Workspace(*place, inside))
    for record in backup.of(VALUE):
        if record.place not in used:
            raise Inconsistent(f"{record.what}: no head names it")
    return opened
