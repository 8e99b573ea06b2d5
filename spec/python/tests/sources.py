"""The good backups that tests run over: the vectors, and the tests' own."""

import functools
import json
from pathlib import Path

import own
from bench import Bench
from subrosa_vault import Key, open_backup, slots

VECTORS = Path(__file__).parents[2] / "vectors" / "vault"
PATHS = sorted(VECTORS.glob("*.backup"))


def expected(path):
    """What the JSON beside a backup says about it."""
    return json.loads(path.with_suffix(".json").read_text())


def keys(described):
    """Every key of a vector."""
    found = {}
    if described.get("passphrase") is not None:
        found["passphrase"] = Key.passphrase(described["passphrase"])
    if described.get("recovery") is not None:
        found["recovery"] = Key.recovery(described["recovery"])
    if described.get("key_file_hex") is not None:
        found["key file"] = Key.key_file(bytes.fromhex(described["key_file_hex"]))
    for name, kind in (
        ("environment", slots.ENVIRONMENT),
        ("command", slots.COMMAND),
        ("keyring", slots.KEYRING),
    ):
        if described.get(name) is not None:
            found[slots.KINDS[kind]] = Key.secret(kind, described[name].encode())
    for name, kind in (("age_hex", slots.AGE), ("tpm_hex", slots.TPM)):
        if described.get(name) is not None:
            found[slots.KINDS[kind]] = Key(kind, bytes.fromhex(described[name]))
    return found


@functools.cache
def backup(name):
    """The bytes of a good backup, and the cheapest key that opens it."""
    if name == "own":
        return own.build()[0], own.KEYS["recovery"]
    path = VECTORS / f"{name}.backup"
    found = keys(expected(path))
    cheap = [found[kind] for kind in ("recovery", "key file", "passphrase") if kind in found]
    return path.read_bytes(), cheap[0]


@functools.cache
def root(name):
    return open_backup(*backup(name)).root


def bench(name):
    """A good backup taken apart."""
    data, key = backup(name)
    return Bench.take_apart(data, root(name), key)
