"""Good backups open with each of their keys and hold what they should; nothing else opens them."""

import json
import random

import pytest

import own
import sources
import writer
from subrosa_vault import Key, VaultError, WrongKey, backup, export, heads, open_backup
from subrosa_vault.__main__ import main
from subrosa_vault.errors import BadMac

PATHS = sources.PATHS


def by_name(secrets):
    """Secrets in an order of their own, whatever the one they came in."""
    return sorted(secrets, key=lambda secret: (secret["group"] or "", secret["key"]))


@pytest.mark.parametrize("kind", own.KEYS)
def test_the_tests_own_vault_opens(kind):
    opened = open_backup(own.build()[0], own.KEYS[kind])
    assert opened.root == own.build()[1]
    found = export.workspaces(opened, bytes.decode)
    assert {name: [s["key"] for s in found[name]] for name in found} == {
        "global": ["shared"],
        "default": ["api/other", "api/token", "empty", "gone", "database/main"],
        "staging": [],
    }
    main_database = found["default"][-1]
    assert main_database["group"] == "prod"
    assert main_database["pin"] == {"provider": "postgres", "hosts": bytes(range(32)).hex()}
    assert main_database["bindings"] == {"user": "PGUSER", "password": "PGPASSWORD"}
    user = "database/main user 1"
    assert [version["values"] for version in main_database["versions"]] == [
        {"user": user, "password": "database/main password 2"},
        {"user": user, "password": "database/main password 3"},
    ]
    assert found["default"][-2]["removed"] == own.CREATED + 9


def test_there_are_vectors():
    assert PATHS, f"no backups in {sources.VECTORS}: they are made with the product"


def test_vectors_open_with_each_key_and_hold_what_they_should():
    assert PATHS, f"no backups in {sources.VECTORS}"
    for path in PATHS:
        described = sources.expected(path)
        keys = sources.keys(described)
        assert keys, f"{path.name}: no key beside it"
        for kind, key in keys.items():
            opened = open_backup(path.read_bytes(), key)
            assert opened.id.hex() == described["vault"], (path.name, kind)
            assert opened.fingerprint.hex() == described["fingerprint"], (path.name, kind)
            found = export.workspaces(opened)
            assert found.keys() == described["workspaces"].keys(), (path.name, kind)
            for name, secrets in described["workspaces"].items():
                assert by_name(found[name]) == by_name(secrets), (path.name, kind, name)


def test_heads_of_the_vectors_are_encoded_as_the_page_says():
    """What the product wrote, the tests' encoder writes byte for byte the same."""
    assert PATHS, f"no backups in {sources.VECTORS}"
    for path in PATHS:
        bench = sources.bench(path.stem)
        for record in bench.of(backup.HEAD, at_least=0):
            meta, keys, head, value_keys = bench.open_head(record)
            assert writer.head(head) == meta, path.name
            assert writer.head_keys(value_keys) == keys, path.name
        assert bench.contents() == backup.frames(path.read_bytes())[:-1], path.name


@pytest.mark.parametrize(
    "key",
    [
        Key.passphrase(own.PASSPHRASE + " "),
        Key.passphrase(""),
        Key.key_file(own.KEY_FILE[:-1]),
        Key.key_file(own.CODE),
        Key(2, bytes(20)),
    ],
    ids=["passphrase", "no passphrase", "key file without newline", "code as file", "code"],
)
def test_another_key(key):
    with pytest.raises(WrongKey):
        open_backup(own.build()[0], key)


def test_the_fingerprint_can_be_demanded():
    data, key = own.build()[0], own.KEYS["recovery"]
    fingerprint = open_backup(data, key).fingerprint
    assert open_backup(data, key, fingerprint).fingerprint == fingerprint
    with pytest.raises(BadMac):
        open_backup(data, key, bytes(32))


def test_changed_bytes_raise_nothing_but_errors_of_a_vault():
    """Every change of a byte is refused, and never with an exception of the language."""
    data, key, chance = own.build()[0], own.KEYS["recovery"], random.Random("bytes")
    for _ in range(400):
        at, changed = chance.randrange(len(data)), bytearray(data)
        changed[at] ^= 1 << chance.randrange(8)
        with pytest.raises(VaultError):
            open_backup(bytes(changed), key)


def test_changed_plaintexts_raise_nothing_but_errors_of_a_vault():
    """The parser of heads sees what a careless holder of the keys might have sealed."""
    bench, chance = sources.bench("own"), random.Random("heads")
    plaintexts = [bench.open_head(record)[0] for record in bench.of(backup.HEAD)]
    refused = 0
    for _ in range(4_000):
        changed = bytearray(chance.choice(plaintexts))
        for _ in range(chance.randint(1, 3)):
            changed[chance.randrange(len(changed))] = chance.choice([0, 1, 2, 255, 0x2F, 0x80])
        changed = bytes(changed)[: len(changed) - chance.choice([0, 0, 0, 1, 9])]
        try:
            assert writer.head(heads.parse("meta", changed)) == changed, "two encodings of one head"
        except VaultError:
            refused += 1
    assert refused > 1_000


def run(tmp_path, capsys, *arguments):
    path = tmp_path / "own.backup"
    path.write_bytes(own.build()[0])
    code = main([str(path), *map(str, arguments)])
    return code, *capsys.readouterr()


def test_command_line(tmp_path, capsys):
    passphrase, recovery = tmp_path / "passphrase", tmp_path / "recovery"
    passphrase.write_text(own.PASSPHRASE + "\n")
    recovery.write_text("0000")
    code, out, _ = run(tmp_path, capsys, "--passphrase-file", passphrase, "--json")
    assert code == 0
    opened = open_backup(own.build()[0], own.KEYS["recovery"])
    assert json.loads(out) == export.structure(opened)
    code, out, _ = run(tmp_path, capsys, "--passphrase-file", passphrase)
    assert code == 0 and "workspace staging" in out
    code, out, err = run(tmp_path, capsys, "--recovery-file", recovery)
    assert (code, out) == (1, "") and err.startswith("WrongKey: ")
    code, out, err = run(tmp_path, capsys, "--key-file", tmp_path / "absent")
    assert (code, out) == (3, "") and err.startswith("FileNotFoundError: ")
    damaged = tmp_path / "damaged.backup"
    damaged.write_bytes(own.build()[0][:-1])
    assert main([str(damaged), "--passphrase-file", str(passphrase)]) == 2
