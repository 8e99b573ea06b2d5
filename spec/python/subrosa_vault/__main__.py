"""Prints what is in a backup. A test tool: it prints every secret value.

Values are base64. Never run it on a vault whose secrets matter where others see the screen.
"""

import argparse
import json
import sys
from pathlib import Path

from . import FormatError, Key, Unavailable, VaultError, WrongKey, open_backup, structure


def _arguments(arguments):
    parser = argparse.ArgumentParser(prog="subrosa_vault", description=__doc__)
    parser.add_argument("backup", type=Path, help="a backup of a vault")
    key = parser.add_mutually_exclusive_group(required=True)
    key.add_argument("--passphrase-file", type=Path, help="its first line is the passphrase")
    key.add_argument("--recovery-file", type=Path, help="it holds the recovery code")
    key.add_argument("--key-file", type=Path, help="the key file")
    parser.add_argument("--fingerprint", type=bytes.fromhex, help="demand this vault, in hex")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


def _key(arguments):
    if arguments.passphrase_file:
        return Key.passphrase(arguments.passphrase_file.read_bytes().split(b"\n", 1)[0])
    if arguments.recovery_file:
        return Key.recovery(arguments.recovery_file.read_text("utf-8", "replace"))
    return Key.key_file(arguments.key_file.read_bytes())


def _print_text(found):
    print(f"vault {found['vault']}, created {found['created']}")
    print(f"fingerprint {found['fingerprint']}")
    for slot in found["slots"]:
        print(f"slot {slot['id']}: {slot['kind']}, {slot['label']}")
    for workspace, secrets in found["workspaces"].items():
        print(f"workspace {workspace}")
        for secret in secrets:
            group = "" if secret["group"] is None else f" in group {secret['group']}"
            print(f"  {secret['key']}{group}")
            for version in secret["versions"]:
                for field, value in version["values"].items():
                    print(f"    version {version['number']} {field} {value}")


def main(arguments=None):
    """Returns the exit code: 0, 1 for a wrong key, 2 for a bad backup, 3 for the machine."""
    arguments = _arguments(arguments)
    try:
        opened = open_backup(arguments.backup.read_bytes(), _key(arguments), arguments.fingerprint)
    except (VaultError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        codes = {WrongKey: 1, FormatError: 2, Unavailable: 3}
        return next((code for kind, code in codes.items() if isinstance(error, kind)), 3)
    found = structure(opened)
    if arguments.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _print_text(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
