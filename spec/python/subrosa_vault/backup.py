"""The stream of a backup: frames, their order, their digests and the end.

Source: spec/vault.md, "Backup" and "Records".
"""

import struct
from dataclasses import dataclass

from .encoding import Reader, ad, ascending, u32, u64
from .errors import BadChain, BadMac, BadOrder, Malformed, OutOfBounds, UnsupportedFormat
from .primitives import derive, mac, same, sha256

MAGIC = b"subrosa-backup 1\n"
MAX_FRAME = 8 << 20
ZEROS = bytes(16)

HEADER, SLOT, WORKSPACE, HEAD, VALUE, DOCUMENT, STATE = range(1, 8)
COLLECTIONS = {
    HEADER: "header",
    SLOT: "slot",
    WORKSPACE: "workspace",
    HEAD: "head",
    VALUE: "value",
    DOCUMENT: "document",
    STATE: "state",
}
_RECORD, _ROW, _LOG_HEAD, _END = range(1, 5)


@dataclass(frozen=True)
class Record:
    """A record of the store. `place` is unique in a vault."""

    collection: int
    parent: bytes
    id: bytes
    revision: int
    body: bytes

    @property
    def place(self):
        return (self.collection, self.parent, self.id)

    @property
    def what(self):
        """The record's name in errors."""
        name = f"{COLLECTIONS[self.collection]} {self.id.hex()}"
        return name if self.parent == ZEROS else f"{name} of {self.parent.hex()}"

    def digest(self):
        """What the vault's state lists for this record."""
        fields = (u32(self.collection), self.parent, self.id, u64(self.revision), self.body)
        return sha256(ad("subrosa/record/v1", *fields))


@dataclass(frozen=True)
class Row:
    """A row of the audit log, or its head."""

    sequence: int
    body: bytes


@dataclass(frozen=True)
class Backup:
    """A whole stream whose digest holds. Whether its mac holds, only the root key says."""

    records: dict
    rows: list
    log_head: Row
    count: int
    digest: bytes
    mac: bytes

    def of(self, collection):
        """The records of one collection, ascending."""
        return [record for record in self.records.values() if record.collection == collection]

    def check_mac(self, root, vault):
        """Demands that a holder of the root key finished this backup."""
        message = ad("subrosa/backup-end/v1", vault, u64(self.count), self.digest)
        if not same(self.mac, mac(derive(root, "backup"), message)):
            raise BadMac("the backup's mac differs: it was not finished with this vault's keys")


def digest_of(contents):
    """The digest over the contents of frames."""
    digest = bytes(32)
    for content in contents:
        digest = sha256(ad("subrosa/backup/v1", digest, content))
    return digest


def frames(data):
    """The contents of all frames, to the exact end of the stream."""
    if not data.startswith(MAGIC):
        if data.startswith(b"subrosa-backup "):
            version = data[15:].split(b"\n", 1)[0][:20].decode("ascii", "replace")
            raise UnsupportedFormat(f"a backup of format {version!r}; this program reads 1")
        raise Malformed("not a backup: it does not begin with its first line")
    contents, at = [], len(MAGIC)
    while at < len(data):
        if len(data) - at < 4:
            raise Malformed(f"frame {len(contents)}: the stream ends within its length")
        (length,) = struct.unpack_from("<I", data, at)
        at += 4
        if length > MAX_FRAME:
            raise OutOfBounds(f"frame {len(contents)}: {length} bytes, over {MAX_FRAME}")
        if length > len(data) - at:
            raise Malformed(f"frame {len(contents)}: the stream ends within it")
        contents.append(data[at : at + length])
        at += length
    return contents


def _record(reader, index):
    collection = reader.u8()
    if collection not in COLLECTIONS:
        raise Malformed(f"frame {index}: unknown collection {collection}")
    parent, id_ = reader.fixed(16), reader.fixed(16)
    revision, body = reader.u64(), reader.bytes()
    if revision == 0:
        raise OutOfBounds(f"frame {index}: revision 0; revisions begin at 1")
    return Record(collection, parent, id_, revision, body)


def parse(data):
    """Reads a whole backup and checks everything that needs no key."""
    contents = frames(data)
    found = {_RECORD: [], _ROW: [], _LOG_HEAD: []}
    end, last_kind = None, _RECORD
    for index, content in enumerate(contents):
        reader = Reader(content, f"frame {index}")
        kind = reader.u8()
        if end is not None:
            raise BadOrder(f"frame {index}: it comes after the end")
        if kind not in (_RECORD, _ROW, _LOG_HEAD, _END):
            raise Malformed(f"frame {index}: unknown kind {kind}")
        if kind < last_kind:
            raise BadOrder(f"frame {index}: kind {kind} comes after kind {last_kind}")
        last_kind = kind
        if kind == _RECORD:
            found[kind].append(_record(reader, index))
        elif kind == _END:
            end = (reader.u64(), reader.fixed(32), reader.fixed(32))
        else:
            found[kind].append(Row(reader.u64(), reader.bytes()))
        reader.end()
    if end is None:
        raise Malformed("the stream stops without its end frame")
    if len(found[_LOG_HEAD]) != 1:
        raise Malformed(f"{len(found[_LOG_HEAD])} heads of the log instead of one")
    ascending("records of the backup", (record.place for record in found[_RECORD]))
    ascending("rows of the log", (row.sequence for row in found[_ROW]))
    count, digest, sealed_mac = end
    if count != len(contents) - 1:
        raise BadChain(f"the end counts {count} frames before it; there are {len(contents) - 1}")
    if not same(digest, digest_of(contents[:-1])):
        raise BadChain("the end's digest differs from the frames")
    records = {record.place: record for record in found[_RECORD]}
    return Backup(records, found[_ROW], found[_LOG_HEAD][0], count, digest, sealed_mac)
