"""Rows and a head of a log, opaque to the decoder."""

from subrosa_vault.backup import Row
from subrosa_vault.encoding import u32


def audit_keys(chance):
    """The document `audit-keys` with one epoch."""
    return u32(0) + chance.randbytes(32)


def begin(bench):
    """Gives a bench a log."""
    bench.rows = [Row(number, b"row") for number in (1, 2)]
    bench.log_head = Row(2, b"head")


def tie(bench):
    """Puts the digest of the vault's state into the head of the log; nothing while it is opaque."""
