"""A second decoder of the vault format, made from spec/vault.md alone.

It exists to test the page and the product against each other. It opens backups, verifies all that
the page demands, and never writes one. It keeps keys and values in ordinary memory, so it is no
tool for secrets that matter.
"""

from .errors import FormatError, Unavailable, VaultError, WrongKey
from .export import structure
from .slots import Key
from .vault import Vault, open_backup

__all__ = [
    "FormatError",
    "Key",
    "Unavailable",
    "Vault",
    "VaultError",
    "WrongKey",
    "open_backup",
    "structure",
]
