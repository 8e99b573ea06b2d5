"""Opens a backup: every rule of the page, in the order in which keys become known.

Source: spec/vault.md.
"""

from dataclasses import dataclass

from . import backup as stream
from . import log, slots, workspaces
from .backup import DOCUMENT, HEADER, SLOT, STATE, WORKSPACE, ZEROS
from .encoding import Reader, ad, ascending, u64
from .errors import (
    BadMac,
    BadSlot,
    BadState,
    Inconsistent,
    Malformed,
    OutOfBounds,
    UnsupportedFormat,
    WrongKey,
)
from .primitives import derive, mac, same, sha256, signing_public_of, unseal

FORMAT = 1
MAX_DOCUMENT = 4 << 20
MAX_LISTED = 2_096
DOCUMENTS = ("lineage", "audit-keys", "policy", "known", "agents", "placeholders")


@dataclass(frozen=True)
class Vault:
    """All that is in a backup. It holds every secret in the clear: a test's business only."""

    id: bytes
    created: int
    root: bytes
    slots: list
    documents: dict
    audit_keys: dict
    workspaces: list
    log: log.Log

    @property
    def fingerprint(self):
        return fingerprint(self.root, self.id)


def fingerprint(root, vault):
    """What is kept outside the vault's folder to know the vault again."""
    return mac(root, ad("subrosa/fingerprint/v1", vault))


def document_id(name):
    return sha256(ad("subrosa/document-id/v1", name))[:16]


def _only(records, what):
    if len(records) != 1:
        raise Inconsistent(f"{len(records)} records of {what} instead of one")
    return records[0]


def _demand_zeros(record):
    if record.parent != ZEROS:
        raise Malformed(f"{record.what}: its parent is zeros in this format")


def read_header(backup):
    """The vault's id and its time of creation."""
    record = _only(backup.of(HEADER), "the header")
    _demand_zeros(record)
    if record.id != ZEROS:
        raise Malformed(f"{record.what}: its id is zeros in this format")
    reader = Reader(record.body, "header")
    if reader.fixed(8) != b"subrosa\0":
        raise Malformed("header: not a vault of subrosa")
    number = reader.u32()
    if number > FORMAT:
        raise UnsupportedFormat(f"a vault of format {number}; this program reads {FORMAT}")
    if number != FORMAT:
        raise Malformed(f"header: format {number} does not exist")
    vault, created = reader.fixed(16), reader.time()
    reader.end()
    return vault, created


def read_slots(backup):
    """All slots; their bounds hold, nothing else is known of them yet."""
    records = backup.of(SLOT)
    if len(records) > slots.MAX_SLOTS:
        raise OutOfBounds(f"{len(records)} slots, over {slots.MAX_SLOTS}")
    for record in records:
        _demand_zeros(record)
    return [slots.parse(record.id, record.body) for record in records]


def open_root(found, vault, key):
    """The root key, out of the first slot whose secret `key` is."""
    for slot in found:
        root = slot.open(vault, key)
        if root is not None:
            return root
    raise WrongKey(f"no slot of this vault opens with this {slots.KINDS[key.kind]}")


def check_listed(backup, root, vault):
    """Demands that the small records are those of the vault's state; returns the state's digest."""
    record = backup.records.get((STATE, ZEROS, ZEROS))
    if record is None:
        raise Inconsistent("the vault has no state")
    aad = ad("subrosa/state/v1", vault, u64(record.revision))
    reader = Reader(unseal(derive(root, "state"), aad, record.body, "the vault's state"), "state")

    def entry():
        return (reader.u8(), reader.fixed(16), reader.fixed(16)), reader.fixed(32)

    entries = reader.items("records", entry, MAX_LISTED)
    reader.end()
    ascending("the vault's state", (place for place, _ in entries))
    listed = dict(entries)
    small = {
        other.place: other
        for other in backup.records.values()
        if other.collection in (HEADER, SLOT, WORKSPACE, DOCUMENT)
        or (other.collection == STATE and other is not record)
    }
    for place, other in small.items():
        if place not in listed:
            raise BadState(f"{other.what}: the vault's state does not list it")
        if not same(listed[place], other.digest()):
            raise BadState(f"{other.what}: it is not the one that the vault's state lists")
    for collection, _, id_ in listed.keys() - small.keys():
        raise BadState(f"the vault's state lists a record {collection} {id_.hex()} that is absent")
    return record.digest()


def read_documents(backup, root, vault):
    """The documents by name. A document whose name this format does not know is refused."""
    known = {document_id(name): name for name in DOCUMENTS}
    documents = {}
    for record in backup.of(DOCUMENT):
        _demand_zeros(record)
        if record.id not in known:
            raise Inconsistent(f"{record.what}: not the id of a document of this format")
        name = known[record.id]
        aad = ad("subrosa/document/v1", vault, name, u64(record.revision))
        content = unseal(derive(root, "documents"), aad, record.body, f"document {name}")
        if len(content) > MAX_DOCUMENT:
            raise OutOfBounds(f"document {name}: {len(content)} bytes, over {MAX_DOCUMENT}")
        documents[name] = content
    for name in ("lineage", "audit-keys"):
        if name not in documents:
            raise Inconsistent(f"the vault has no document {name}")
    if "policy" in documents:
        try:
            documents["policy"].decode("utf-8", "strict")
        except UnicodeDecodeError:
            raise Malformed("document policy: not UTF-8") from None
    return documents


def read_audit_keys(document):
    """The keys of the audit log by epoch."""
    reader, keys = Reader(document, "document audit-keys"), []
    while not reader.rest_is_empty():
        keys.append((reader.u32(), reader.fixed(32)))
    ascending("document audit-keys: epochs", (epoch for epoch, _ in keys))
    if not keys:
        raise Inconsistent("document audit-keys: no key")
    return dict(keys)


def check_lineage(found, vault, seed):
    """Demands that every slot is of the vault's lineage and signed by it."""
    if len(seed) != 32:
        raise Malformed(f"document lineage: {len(seed)} bytes instead of 32")
    lineage = signing_public_of(seed)
    for slot in found:
        if slot.lineage != lineage:
            raise BadSlot(f"{slot.what}: it is of another lineage")
        slot.check_signature(vault)


def open_backup(data, key, expected_fingerprint=None):
    """Opens the bytes of a backup with a `slots.Key`; verifies everything in it.

    Raises a `VaultError`: `WrongKey` when no slot opens, a subclass of `FormatError` when
    anything is not as spec/vault.md demands.
    """
    backup = stream.parse(data)
    vault, created = read_header(backup)
    found = read_slots(backup)
    root = open_root(found, vault, key)
    if expected_fingerprint is not None:
        if not same(expected_fingerprint, fingerprint(root, vault)):
            raise BadMac("this is another vault: its fingerprint differs")
    backup.check_mac(root, vault)

    state = check_listed(backup, root, vault)
    documents = read_documents(backup, root, vault)
    check_lineage(found, vault, documents["lineage"])
    audit_keys = read_audit_keys(documents["audit-keys"])
    checked = log.check(backup.rows, backup.log_head, vault, audit_keys, state)

    records = backup.of(WORKSPACE)
    for record in records:
        _demand_zeros(record)
    opened = workspaces.open_all(backup, records, root, vault)
    return Vault(vault, created, root, found, documents, audit_keys, opened, checked)
