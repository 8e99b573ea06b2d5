"""The rules of names. Source: spec/vault.md, "Names"."""

import re
import unicodedata

from .errors import BadName

_KEY = re.compile(r"[A-Za-z0-9._/-]{1,256}")
_WORD = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._-]{0,63}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,321}")


def key(name):
    """A secret's key: parts between slashes, none of them empty, `.` or `..`."""
    parts = name.split("/")
    if not _KEY.fullmatch(name) or any(part in ("", ".", "..") for part in parts):
        raise BadName(f"not a key: {name!r}")
    return name


def word(kind, name):
    """The name of a field, workspace, group or provider."""
    if not _WORD.fullmatch(name) or name in (".", ".."):
        raise BadName(f"not the name of a {kind}: {name!r}")
    return name


def variable(name):
    """The name of an environment variable."""
    if not _VARIABLE.fullmatch(name):
        raise BadName(f"not a variable: {name!r}")
    return name


def tag(name):
    """A tag: 1 to 64 bytes in normalisation form C, without control, white space and commas."""
    forbidden = any(c == "," or c.isspace() or unicodedata.category(c) == "Cc" for c in name)
    length = len(name.encode())
    if not 1 <= length <= 64 or forbidden or unicodedata.normalize("NFC", name) != name:
        raise BadName(f"not a tag: {name!r}")
    return name
