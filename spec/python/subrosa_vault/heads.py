"""Heads: a secret without its values, and the keys of its values.

Source: spec/vault.md, "Heads".
"""

from dataclasses import dataclass

from . import names
from .encoding import Reader, ascending, once
from .errors import BadOrder, Inconsistent, OutOfBounds

MAX_TAGS, MAX_VERSIONS, MAX_ITEMS = 10, 20, 100


@dataclass(frozen=True)
class Pin:
    """Where a secret may go: a provider, and the digest of its hosts."""

    provider: str
    hosts: bytes


@dataclass(frozen=True)
class Field:
    """How a field of a secret is treated."""

    kind: str
    sensitive: bool
    hint: str
    aliases: list
    forced: bool
    searched: bool


@dataclass(frozen=True)
class Named:
    """A value as a version names it. `written` is the version in which it was written."""

    field: str
    id: bytes
    written: int


@dataclass(frozen=True)
class Version:
    number: int
    created: int
    values: list


@dataclass(frozen=True)
class Head:
    secret: bytes
    group: str | None
    key: str
    pin: Pin | None
    created: int
    modified: int
    expires: int | None
    removed: int | None
    tags: list
    note: str
    url: str
    fields: dict
    bindings: dict
    versions: list

    def named(self):
        """Every value that a version names, once, by its id."""
        return {value.id: value for version in self.versions for value in version.values}


def _field(reader):
    name = names.word("field", reader.text("a field's name"))
    return name, Field(
        kind=reader.text("a field's kind"),
        sensitive=reader.flag("sensitive"),
        hint=reader.text("a field's hint"),
        aliases=reader.items("aliases", lambda: reader.text("an alias"), MAX_ITEMS),
        forced=reader.flag("forced"),
        searched=reader.flag("searched"),
    )


def _binding(reader):
    field = names.word("field", reader.text("a binding's field"))
    return field, names.variable(reader.text("a variable"))


def _named(reader):
    field = names.word("field", reader.text("a value's field"))
    return Named(field, reader.fixed(16), reader.u32())


def _version(reader):
    number, created = reader.u32(), reader.time()
    return Version(number, created, reader.items("values", lambda: _named(reader), MAX_ITEMS))


def _check_versions(what, versions):
    """Demands that versions ascend and agree on the values that they share."""
    ascending(f"{what}: versions", (version.number for version in versions))
    by_id, by_place = {}, {}
    for version in versions:
        if version.number == 0:
            raise OutOfBounds(f"{what}: version 0; versions begin at 1")
        once(f"{what}: a field of version {version.number}", (v.field for v in version.values))
        for value in version.values:
            if not 1 <= value.written <= version.number:
                raise Inconsistent(
                    f"{what}: version {version.number} names a value of version {value.written}"
                )
            if by_id.setdefault(value.id, value) != value:
                raise Inconsistent(f"{what}: value {value.id.hex()} is named in two ways")
            if by_place.setdefault((value.field, value.written), value.id) != value.id:
                raise Inconsistent(f"{what}: two values of {value.field}, version {value.written}")


def parse(what, plaintext):
    """Reads the opened `meta` of a head."""
    reader = Reader(plaintext, what)
    secret = reader.fixed(16)
    group = reader.option("group", lambda: names.word("group", reader.text("group")))
    key = names.key(reader.text("key"))

    def pin():
        return Pin(names.word("provider", reader.text("provider")), reader.fixed(32))

    pinned = reader.option("pin", pin)
    created, modified = reader.time(), reader.time()
    expires = reader.option("expires", reader.time)
    removed = reader.option("removed", reader.time)
    tags = reader.items("tags", lambda: names.tag(reader.text("a tag")), MAX_TAGS)
    note, url = reader.text("note"), reader.text("URL")
    fields = reader.items("fields", lambda: _field(reader), MAX_ITEMS)
    bindings = reader.items("bindings", lambda: _binding(reader), MAX_ITEMS)
    versions = reader.items("versions", lambda: _version(reader), MAX_VERSIONS, at_least=1)
    reader.end()

    once(f"{what}: a tag", tags)
    once(f"{what}: a field", (name for name, _ in fields))
    once(f"{what}: a field's binding", (field for field, _ in bindings))
    once(f"{what}: a variable", (variable for _, variable in bindings))
    _check_versions(what, versions)
    details = (created, modified, expires, removed, tags, note, url)
    return Head(secret, group, key, pinned, *details, dict(fields), dict(bindings), versions)


def parse_keys(what, plaintext, head):
    """Reads the opened `keys` of a head: exactly one for each value that a version names."""
    reader = Reader(plaintext, what)
    keys = {}
    while not reader.rest_is_empty():
        id_, key = reader.fixed(16), reader.fixed(32)
        if id_ in keys:
            raise BadOrder(f"{what}: the key of value {id_.hex()} comes twice")
        keys[id_] = key
    if keys.keys() != head.named().keys():
        raise Inconsistent(f"{what}: its keys are not those of the values that it names")
    return keys
