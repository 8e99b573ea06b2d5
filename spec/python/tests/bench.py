"""A backup taken apart, with its root key at hand, so that a test can change one thing and then
make everything above it right again. What then refuses it is the rule under test."""

import random
from dataclasses import replace
from enum import IntEnum

import log_writer
import writer
from subrosa_vault import backup as stream
from subrosa_vault import heads, slots, vault, workspaces
from subrosa_vault.backup import HEAD, SLOT, STATE, WORKSPACE, ZEROS, Record
from subrosa_vault.encoding import ad, lp, u64
from subrosa_vault.primitives import derive, unseal


class Mend(IntEnum):
    """How much is made right again after a change. Each level has all that is before it."""

    NOTHING = 0  # the end frame stays as it was
    CHAIN = 1  # its count and digest: what anybody can do
    MAC = 2  # its mac: from here on with the root key
    STATE = 3  # the vault's state, and the head of the log that carries its digest
    SUMS = 4  # the states of the workspaces


class NotHere(Exception):
    """This backup has nothing that the change could be tried on."""


class Bench:
    """A good backup's parts, to be changed in place."""

    def __init__(self, vault_id, root, records, rows, log_head, seed=0):
        self.vault, self.root = vault_id, root
        self.records = {record.place: record for record in records}
        self.rows, self.log_head = list(rows), log_head
        self.random = random.Random(seed)
        self.end, self.key = None, None
        self.log_keys = {}

    @classmethod
    def take_apart(cls, data, root, key):
        """The parts of a backup. `key` is the one that the changed backup is opened with."""
        parsed = stream.parse(data)
        vault_id, _ = vault.read_header(parsed)
        records = parsed.records.values()
        bench = cls(vault_id, root, records, parsed.rows, parsed.log_head)
        bench.end, bench.key = (parsed.count, parsed.digest, parsed.mac), key
        # They are kept aside, so that the head of the log can be made again whatever is done to
        # the document.
        bench.log_keys = vault.read_audit_keys(bench.document("audit-keys"))
        return bench

    # Records.

    def put(self, record):
        self.records[record.place] = record

    def change(self, place, **changes):
        """Changes a record where it is, or moves it when its place is changed."""
        record = self.records.pop(place)
        self.put(replace(record, **changes))

    def drop(self, place):
        del self.records[place]

    def of(self, collection, at_least=1):
        """The records of a collection, in order."""
        found = [self.records[place] for place in sorted(self.records) if place[0] == collection]
        if len(found) < at_least:
            raise NotHere(f"{len(found)} records of collection {collection}")
        return found

    def new_id(self):
        return self.random.randbytes(16)

    def seal(self, key, aad, plaintext):
        return writer.seal(key, aad, plaintext, self.random.randbytes(24))

    # Slots.

    def slots(self):
        return [slots.parse(record.id, record.body) for record in self.of(SLOT)]

    def own_slot(self):
        """The slot that `key` opens."""
        found = [slot for slot in self.slots() if slot.kind == self.key.kind]
        return next(slot for slot in found if slot.open(self.vault, self.key) is not None)

    def other_slot(self, kind=None):
        """A slot of another kind than that of `key`; of `kind` when it is given."""
        for found in self.slots():
            if found.kind != self.key.kind and kind in (None, found.kind):
                return found
        raise NotHere(f"no other slot of kind {kind}")

    def put_slot(self, made, **encoding):
        """Writes a slot over the one of its id, or as a new one."""
        place = (SLOT, ZEROS, made.id)
        revision = self.records[place].revision if place in self.records else 1
        self.put(Record(*place, revision, writer.slot(made, **encoding)))

    def document(self, name):
        """The content of a document."""
        parsed = stream.Backup(self.records, [], None, 0, b"", b"")
        documents = vault.read_documents(parsed, self.root, self.vault)
        if name not in documents:
            raise NotHere(f"no document {name}")
        return documents[name]

    def put_document(self, name, content, id_of=None, revision=1):
        """Seals a document as `name`, under the id of another name when `id_of` is given."""
        aad = ad("subrosa/document/v1", self.vault, name, u64(revision))
        body = self.seal(derive(self.root, "documents"), aad, content)
        id_ = vault.document_id(id_of or name)
        self.put(Record(stream.DOCUMENT, ZEROS, id_, revision, body))

    # Workspaces and heads.

    def workspace_key(self, id_):
        return workspaces.open_meta(self.records[(WORKSPACE, ZEROS, id_)], self.root, self.vault)[2]

    def put_workspace(self, id_, meta, key, revision=1, wrapped_revision=None):
        """Seals the plaintext of a workspace's meta, and its key."""
        sealing, wrapped_at = derive(self.root, "workspaces"), wrapped_revision or revision
        aad = ad("subrosa/workspace/v1", self.vault, id_, u64(revision))
        sealed = self.seal(sealing, aad, meta)
        aad = ad("subrosa/workspace-key/v1", self.vault, id_, u64(wrapped_at))
        body = lp(sealed) + lp(self.seal(sealing, aad, key))
        self.put(Record(WORKSPACE, ZEROS, id_, revision, body))

    def open_head(self, record):
        """The plaintexts of meta and keys, and both parsed."""
        key = self.workspace_key(record.parent)
        meta, keys = workspaces.two_parts(record)
        place = (self.vault, record.parent, record.id, u64(record.revision))
        meta = unseal(derive(key, "meta"), ad("subrosa/head/v1", *place), meta, "meta")
        keys = unseal(derive(key, "values"), ad("subrosa/head-keys/v1", *place), keys, "keys")
        head = heads.parse("meta", meta)
        return meta, keys, head, heads.parse_keys("keys", keys, head)

    def put_head(self, workspace, id_, meta, keys, revision=1):
        """Seals the plaintexts of a head."""
        key = self.workspace_key(workspace)
        place = (self.vault, workspace, id_, u64(revision))
        sealed_meta = self.seal(derive(key, "meta"), ad("subrosa/head/v1", *place), meta)
        sealed_keys = self.seal(derive(key, "values"), ad("subrosa/head-keys/v1", *place), keys)
        self.put(Record(HEAD, workspace, id_, revision, lp(sealed_meta) + lp(sealed_keys)))

    def put_value(self, workspace, head, named, key, content, revision=1):
        """Seals a value."""
        body = self.seal(key, workspaces.value_aad(self.vault, workspace, head, named), content)
        self.put(Record(stream.VALUE, head.secret, named.id, revision, body))

    def sums(self, workspace):
        """The count and the sums of the heads that are there now."""
        set_key = derive(self.workspace_key(workspace), "set")
        sums, count = [0] * workspaces.BUCKETS, 0
        for record in self.records.values():
            if record.collection == HEAD and record.parent == workspace:
                meta, keys = workspaces.two_parts(record)
                term = workspaces.summand(set_key, record, meta, keys)
                bucket = workspaces.bucket_of(record.id)
                sums[bucket] = (sums[bucket] + term) % (1 << 128)
                count += 1
        return count, sums

    # States.

    def put_workspace_state(self, workspace, plaintext, revision):
        key = derive(self.workspace_key(workspace), "state")
        aad = ad("subrosa/workspace-state/v1", self.vault, workspace, u64(revision))
        body = self.seal(key, aad, plaintext)
        self.put(Record(STATE, workspace, ZEROS, revision, body))

    def sum_up(self):
        """Makes the states of all workspaces right."""
        for place in [place for place in self.records if place[0] == WORKSPACE]:
            found = self.records.get((STATE, place[2], ZEROS))
            state = writer.workspace_state(*self.sums(place[2]))
            self.put_workspace_state(place[2], state, found.revision if found else 1)

    def listing(self):
        """What the vault's state has to list."""
        small = (1, SLOT, WORKSPACE, stream.DOCUMENT, STATE)
        places = [p for p in self.records if p[0] in small and p != (STATE, ZEROS, ZEROS)]
        return [(place, self.records[place].digest()) for place in sorted(places)]

    def put_state(self, plaintext, revision=None):
        """Seals the vault's state, and ties the log to it."""
        place = (STATE, ZEROS, ZEROS)
        if revision is None:
            revision = self.records[place].revision if place in self.records else 1
        aad = ad("subrosa/state/v1", self.vault, u64(revision))
        body = self.seal(derive(self.root, "state"), aad, plaintext)
        self.put(Record(*place, revision, body))
        log_writer.tie(self)

    def mend(self, level):
        """Makes right what `level` says, short of the end frame."""
        if level >= Mend.SUMS:
            self.sum_up()
        if level >= Mend.STATE:
            self.put_state(writer.vault_state(self.listing()))

    # The stream.

    def contents(self):
        """The contents of all frames before the end."""
        records = [writer.record_frame(self.records[place]) for place in sorted(self.records)]
        rows = [writer.row_frame(row) for row in self.rows]
        return records + rows + [writer.log_head_frame(self.log_head)]

    def close(self, contents, level, count=None):
        """The stream of these contents with an end frame as `level` says."""
        old_count, old_digest, old_mac = self.end or (0, bytes(32), bytes(32))
        if level < Mend.CHAIN:
            end = writer.end_frame(old_count, old_digest, old_mac)
            return writer.stream([*contents, end])
        count = len(contents) if count is None else count
        digest = stream.digest_of(contents)
        if level >= Mend.MAC:
            old_mac = writer.end_mac(self.root, self.vault, count, digest)
        return writer.stream([*contents, writer.end_frame(count, digest, old_mac)])

    def write(self, level):
        """The whole backup, made right up to `level`."""
        self.mend(level)
        return self.close(self.contents(), level)
