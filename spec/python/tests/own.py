"""A small vault of the tests' own making. It has one of everything that a mutation needs."""

import functools
import random

import log_writer
import writer
from bench import Bench, Mend
from subrosa_vault import Key, primitives, slots, workspaces
from subrosa_vault.backup import HEADER, ZEROS, Record
from subrosa_vault.heads import Field, Head, Named, Pin, Version
from subrosa_vault.primitives import derive

PASSPHRASE = "correct horse battery staple"
CODE = bytes(range(0x40, 0x54))
KEY_FILE = b"0123456789abcdef" * 4 + b"\n"
SECRET = b"another thirty-two bytes of ours"
CREATED = 1_700_000_000_000_000
KEYS = {
    "passphrase": Key.passphrase(PASSPHRASE),
    "recovery": Key.recovery(slots.recovery_text(CODE)),
    "key file": Key.key_file(KEY_FILE),
    "environment variable": Key.secret(slots.ENVIRONMENT, SECRET.hex().encode()),
    "command": Key.secret(slots.COMMAND, SECRET.hex().encode()),
    "age identity": Key(slots.AGE, SECRET),
    "OS keyring": Key.secret(slots.KEYRING, SECRET.hex().encode()),
    "TPM": Key(slots.TPM, SECRET),
}
ENVELOPES = {slots.AGE: b"for somebody", slots.KEYRING: bytes(16), slots.TPM: bytes(8)}


def secret_of(kind, salt):
    """A slot's secret from what opens it."""
    if kind == slots.PASSPHRASE:
        return primitives.argon2id(PASSPHRASE.encode(), salt, 65_536, 3, 1)
    if kind == slots.RECOVERY:
        return primitives.high_entropy_key(CODE, salt, "slot/recovery")
    if kind == slots.KEY_FILE:
        return primitives.high_entropy_key(KEY_FILE, salt, "slot/key-file")
    return primitives.high_entropy_key(SECRET, salt, slots.PURPOSES[kind])


def make_slot(bench, kind, seed, label, **changes):
    """A slot that is right in everything but what `changes` say."""
    salt = changes.pop("salt", None) or bench.new_id()
    secret = changes.pop("secret", None) or secret_of(kind, salt)
    recipient = primitives.public_of(derive(secret, "recipient"))
    lineage = primitives.signing_public_of(seed)
    fields = {
        "id": bench.new_id(),
        "kind": kind,
        "label": label,
        "created": CREATED,
        "memory": 65_536,
        "passes": 3,
        "lanes": 1,
        "salt": salt,
        "recipient": recipient,
        "lineage": lineage,
        "binding": bytes(32),
        "envelope": ENVELOPES.get(kind, b""),
        "wrapped": b"",
        "signature": bytes(64),
    }
    return finish_slot(bench, slots.Slot(**{**fields, **changes}), secret, seed)


def finish_slot(bench, slot, secret, seed):
    """Binds a slot, wraps the root key for it and signs it."""
    fields = dict(vars(slot))
    fields["binding"] = writer.bind(slot, bench.vault, secret)
    ephemeral, nonce = bench.random.randbytes(32), bench.random.randbytes(24)
    aad = slot.aad(bench.vault)
    fields["wrapped"] = writer.wrap_for(slot.recipient, aad, bench.root, ephemeral, nonce)
    return resign(bench, slots.Slot(**fields), seed)


def resign(bench, slot, seed):
    """Signs a slot as it is."""
    fields = dict(vars(slot))
    fields["signature"] = writer.sign(slot, bench.vault, seed)
    return slots.Slot(**fields)


def plain_field(kind="text", sensitive=True, **more):
    details = {"hint": "", "aliases": [], "forced": False, "searched": True, **more}
    return Field(kind=kind, sensitive=sensitive, **details)


def simple_head(bench, key, **changes):
    """A head with one field and one version; the value is still to be put."""
    fields = {
        "secret": bench.new_id(),
        "group": None,
        "key": key,
        "pin": None,
        "created": CREATED,
        "modified": CREATED + 5,
        "expires": None,
        "removed": None,
        "tags": [],
        "note": "",
        "url": "",
        "fields": {"value": plain_field()},
        "bindings": {},
        "versions": [Version(1, CREATED, [Named("value", bench.new_id(), 1)])],
    }
    return Head(**{**fields, **changes})


def _detailed_head(bench):
    user, old, new = bench.new_id(), bench.new_id(), bench.new_id()
    return simple_head(
        bench,
        "database/main",
        group="prod",
        pin=Pin("postgres", bytes(range(32))),
        expires=CREATED + 1_000,
        tags=["été", "日本"],
        note="primary\nand only",
        url="https://db.example/",
        fields={
            "user": plain_field(sensitive=False, hint="who", aliases=["login", "name"]),
            "password": plain_field("password", forced=True),
        },
        bindings={"user": "PGUSER", "password": "PGPASSWORD"},
        versions=[
            Version(2, CREATED, [Named("user", user, 1), Named("password", old, 2)]),
            Version(3, CREATED + 5, [Named("user", user, 1), Named("password", new, 3)]),
        ],
    )


def put_secret(bench, workspace, head, revision=1, id_=None):
    """Seals a head with new keys, and values that say what they are."""
    keys = {}
    for id_of_value, named in head.named().items():
        keys[id_of_value] = bench.random.randbytes(32)
        content = f"{head.key} {named.field} {named.written}".encode()
        bench.put_value(workspace, head, named, keys[id_of_value], content)
    if id_ is None:
        id_ = workspaces.head_id(bench.workspace_key(workspace), head.group, head.key)
    bench.put_head(workspace, id_, writer.head(head), writer.head_keys(keys), revision)
    return id_


@functools.cache
def build():
    """The bytes of the vault, and its root key."""
    chance = random.Random("own")
    bench = Bench(chance.randbytes(16), chance.randbytes(32), [], [], None, "bench")
    bench.put(Record(HEADER, ZEROS, ZEROS, 1, writer.header(bench.vault, CREATED)))
    seed = chance.randbytes(32)
    labels = ("at the desk", "in the safe", "", "b", "c", "d", "e", "f")
    for kind, label in enumerate(labels, start=1):
        bench.put_slot(make_slot(bench, kind, seed, label))
    bench.put_document("lineage", seed)
    bench.put_document("audit-keys", log_writer.audit_keys(chance))
    bench.put_document("policy", "version = 1\n".encode(), revision=3)
    ids = {}
    for name in ("global", "default", "staging"):
        ids[name] = bench.new_id()
        meta = writer.text(name) + writer.time(CREATED)
        bench.put_workspace(ids[name], meta, chance.randbytes(32), revision=2)
    put_secret(bench, ids["default"], _detailed_head(bench), revision=4)
    for key in ("api/token", "api/other", "empty"):
        put_secret(bench, ids["default"], simple_head(bench, key))
    removed = simple_head(bench, "gone", removed=CREATED + 9)
    put_secret(bench, ids["default"], removed, revision=2)
    put_secret(bench, ids["global"], simple_head(bench, "shared", group="team"))
    log_writer.begin(bench)
    return bench.write(Mend.SUMS), bench.root
