"""A test's own encoder of the format, made from spec/vault.md. It writes what no vault needs:
broken things, sealed with the right keys, so that the inner checks have something to refuse."""

import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from subrosa_vault import primitives
from subrosa_vault.encoding import ad, lp, u32, u64
from subrosa_vault.primitives import derive, mac


def u8(number):
    return struct.pack("<B", number)


def time(micros):
    return struct.pack("<q", micros)


def text(string):
    return lp(string.encode() if isinstance(string, str) else string)


def option(content):
    return b"\x00" if content is None else b"\x01" + content


def items(encoded):
    encoded = list(encoded)
    return u32(len(encoded)) + b"".join(encoded)


def seal(key, aad, plaintext, nonce):
    """A sealed record."""
    cipher_key, commitment = primitives.record_keys(key, nonce)
    aead, short_nonce = primitives.cipher(cipher_key, nonce)
    return nonce + commitment + aead.encrypt(short_nonce, plaintext, aad)


def wrap_for(public, aad, key, ephemeral_private, nonce):
    """A key wrapped for a recipient."""
    ephemeral = primitives.public_of(ephemeral_private)
    wrapping = primitives.wrapping_key(ephemeral_private, public, ephemeral, public)
    return ephemeral + seal(wrapping, aad, key, nonce)


def header(vault, created, magic=b"subrosa\0", number=1):
    return magic + u32(number) + vault + time(created)


def slot(made, version=1):
    """The body of a `slots.Slot`."""
    return (
        u8(version)
        + u8(made.kind)
        + text(made.label)
        + time(made.created)
        + u32(made.memory)
        + u32(made.passes)
        + u32(made.lanes)
        + made.salt
        + made.recipient
        + made.lineage
        + made.binding
        + lp(made.envelope)
        + lp(made.wrapped)
        + made.signature
    )


def bind(made, vault, secret):
    """The binding of a slot, as the holder of its secret makes it."""
    return mac(derive(secret, "binding"), made.aad(vault))


def sign(made, vault, seed):
    """The signature of a slot, as a holder of the lineage key makes it."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(made.signed(vault))


def _field(name, field):
    return (
        text(name)
        + text(field.kind)
        + u8(field.sensitive)
        + text(field.hint)
        + items(text(alias) for alias in field.aliases)
        + u8(field.forced)
        + u8(field.searched)
    )


def _version(version):
    values = items(text(v.field) + v.id + u32(v.written) for v in version.values)
    return u32(version.number) + time(version.created) + values


def _time_option(micros):
    return option(None if micros is None else time(micros))


def head(made):
    """The `meta` of a `heads.Head`."""
    pin = made.pin and text(made.pin.provider) + made.pin.hosts
    fields = made.fields.items() if isinstance(made.fields, dict) else made.fields
    bindings = made.bindings.items() if isinstance(made.bindings, dict) else made.bindings
    return (
        made.secret
        + option(None if made.group is None else text(made.group))
        + text(made.key)
        + option(pin)
        + time(made.created)
        + time(made.modified)
        + _time_option(made.expires)
        + _time_option(made.removed)
        + items(text(tag) for tag in made.tags)
        + text(made.note)
        + text(made.url)
        + items(_field(name, field) for name, field in fields)
        + items(text(field) + text(variable) for field, variable in bindings)
        + items(_version(version) for version in made.versions)
    )


def head_keys(keys):
    """The `keys` of a head: a dict of value id to value key, or a list of such pairs."""
    pairs = keys.items() if isinstance(keys, dict) else keys
    return b"".join(id_ + key for id_, key in pairs)


def workspace_state(count, sums):
    return u64(count) + b"".join(total.to_bytes(16, "little") for total in sums)


def vault_state(entries):
    """`entries`: pairs of a place and a digest."""
    return items(
        u8(collection) + parent + id_ + digest for (collection, parent, id_), digest in entries
    )


def record_frame(record):
    place = u8(record.collection) + record.parent + record.id
    return u8(1) + place + u64(record.revision) + lp(record.body)


def row_frame(row):
    return u8(2) + u64(row.sequence) + lp(row.body)


def log_head_frame(row):
    return u8(3) + u64(row.sequence) + lp(row.body)


def end_frame(count, digest, end_mac):
    return u8(4) + u64(count) + digest + end_mac


def end_mac(root, vault, count, digest):
    return mac(derive(root, "backup"), ad("subrosa/backup-end/v1", vault, u64(count), digest))


def stream(contents):
    """The bytes of a backup from the contents of its frames."""
    return b"subrosa-backup 1\n" + b"".join(lp(content) for content in contents)
