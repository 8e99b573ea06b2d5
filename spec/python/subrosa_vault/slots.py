"""Slots: what a passphrase, a recovery code, a key file or another secret opens.

Source: spec/vault.md, "Slots" and "Recovery code".
"""

import base64
from dataclasses import dataclass

from . import primitives
from .encoding import Reader, ad, u32, u64
from .errors import BadSlot, Malformed, OutOfBounds, WrongKey
from .primitives import argon2id, derive, high_entropy_key, mac, same, sha256

PASSPHRASE, RECOVERY, KEY_FILE, ENVIRONMENT, COMMAND, AGE = 1, 2, 3, 4, 5, 6
KEYRING, TPM = 7, 8
KINDS = {
    PASSPHRASE: "passphrase",
    RECOVERY: "recovery code",
    KEY_FILE: "key file",
    ENVIRONMENT: "environment variable",
    COMMAND: "command",
    AGE: "age identity",
    KEYRING: "OS keyring",
    TPM: "TPM",
}
PURPOSES = {
    RECOVERY: "slot/recovery",
    KEY_FILE: "slot/key-file",
    ENVIRONMENT: "slot/environment",
    COMMAND: "slot/command",
    AGE: "slot/age",
    KEYRING: "slot/keyring",
    TPM: "slot/tpm",
}
# Bytes of an envelope, at least and at most.
ENVELOPES = {AGE: (0, 4096), KEYRING: (16, 16), TPM: (4, 4096)}
MAX_SLOTS = 32
MAX_TEXT = 4096
MEMORY = (65_536, 2 << 20)  # KiB
PASSES = (3, 64)
LANES = (1, 16)
_COSTS = ("memory", "passes", "lanes")
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = {"O": "0", "I": "1", "L": "1"}


@dataclass(frozen=True)
class Key:
    """What somebody brings to open a vault: its kind and its bytes."""

    kind: int
    content: bytes

    @classmethod
    def passphrase(cls, text):
        return cls(PASSPHRASE, text.encode() if isinstance(text, str) else text)

    @classmethod
    def recovery(cls, text):
        return cls(RECOVERY, recovery_bytes(text))

    @classmethod
    def key_file(cls, content):
        if len(content) < 16:
            raise WrongKey(f"a key file holds at least 16 bytes, not {len(content)}")
        return cls(KEY_FILE, content)

    @classmethod
    def secret(cls, kind, text):
        """What a text stands for, for a slot of this kind."""
        return cls(kind, secret_bytes(text))


@dataclass(frozen=True)
class Slot:
    """A slot whose encoding and bounds hold; `check` and `open` do the rest."""

    id: bytes
    kind: int
    label: str
    created: int
    memory: int
    passes: int
    lanes: int
    salt: bytes
    recipient: bytes
    lineage: bytes
    binding: bytes
    envelope: bytes
    wrapped: bytes
    signature: bytes

    @property
    def what(self):
        return f"slot {self.id.hex()}"

    def aad(self, vault):
        """What binding, signature and wrapped key are all tied to."""
        costs = (u32(self.memory), u32(self.passes), u32(self.lanes))
        return ad(
            "subrosa/slot/v1",
            vault,
            self.id,
            u32(self.kind),
            self.label,
            u64(self.created),
            *costs,
            self.salt,
            self.recipient,
            self.lineage,
            self.envelope,
        )

    def signed(self, vault):
        """The message of the slot's signature."""
        return ad("subrosa/slot-signature/v1", self.aad(vault), self.binding, self.wrapped)

    def secret(self, key):
        """This slot's secret, if `key` is the one for it."""
        if self.kind == PASSPHRASE:
            return argon2id(key.content, self.salt, self.memory, self.passes, self.lanes)
        return high_entropy_key(key.content, self.salt, PURPOSES[self.kind])

    def check_signature(self, vault):
        """Demands that a holder of the lineage key wrapped this root key for this slot."""
        if not primitives.verifies(self.lineage, self.signed(vault), self.signature):
            raise BadSlot(f"{self.what}: its signature does not hold")

    def open(self, vault, key):
        """The root key; None when `key` is not this slot's."""
        if key.kind != self.kind:
            return None
        secret = self.secret(key)
        private = derive(secret, "recipient")
        if not same(primitives.public_of(private), self.recipient):
            return None
        if not same(mac(derive(secret, "binding"), self.aad(vault)), self.binding):
            raise BadSlot(f"{self.what}: its binding does not hold")
        self.check_signature(vault)
        what = f"{self.what}, wrapped key"
        return primitives.unwrap_for(private, self.aad(vault), self.wrapped, what)


def parse(id_, body):
    """Reads a slot's body."""
    what = f"slot {id_.hex()}"
    reader = Reader(body, what)
    version, kind = reader.u8(), reader.u8()
    if version != 1:
        raise Malformed(f"{what}: version {version} instead of 1")
    if kind not in KINDS:
        raise Malformed(f"{what}: unknown kind {kind}")
    label, created = reader.text("label"), reader.time()
    costs = (reader.u32(), reader.u32(), reader.u32())
    salt, recipient = reader.fixed(16), reader.fixed(32)
    lineage, binding = reader.fixed(32), reader.fixed(32)
    envelope, wrapped, signature = reader.bytes(), reader.bytes(), reader.fixed(64)
    reader.end()
    least, most = ENVELOPES.get(kind, (0, 0))
    if not least <= len(envelope) <= most:
        raise Malformed(f"{what}: an envelope of {len(envelope)} bytes")
    if len(wrapped) != primitives.WRAPPED_FOR_RECIPIENT:
        raise Malformed(f"{what}: a wrapped key of {len(wrapped)} bytes")
    bounds = (MEMORY, PASSES, LANES)
    for name, cost, (least, most) in zip(_COSTS, costs, bounds):
        if not least <= cost <= most:
            raise OutOfBounds(f"{what}: Argon2 {name} of {cost}, not {least} to {most}")
    fields = (salt, recipient, lineage, binding, envelope, wrapped, signature)
    return Slot(id_, kind, label, created, *costs, *fields)


def secret_bytes(text):
    """The secret that a text stands for."""
    if len(text) > MAX_TEXT:
        raise WrongKey(f"a secret's text of {len(text)} bytes")
    for end in (b"\r\n", b"\n"):
        if text.endswith(end):
            text = text[: -len(end)]
            break
    if len(text) % 2 == 0 and all(c in b"0123456789abcdefABCDEF" for c in text):
        secret = bytes.fromhex(text.decode())
    else:
        padded = text.rstrip(b"=")
        padded += b"=" * (-len(padded) % 4)
        altchars = b"-_" if b"-" in text or b"_" in text else b"+/"
        try:
            secret = base64.b64decode(padded, altchars, validate=True)
        except ValueError as error:
            raise WrongKey("a secret's text is neither hexadecimal nor base64") from error
    if len(secret) < 32:
        raise WrongKey(f"a secret holds at least 32 bytes, not {len(secret)}")
    return secret


def _digits(number, count):
    """`count` digits of five bits, most significant first."""
    return "".join(ALPHABET[number >> 5 * at & 31] for at in reversed(range(count)))


def recovery_text(code):
    """The 20 bytes of a recovery code as it is written down."""
    check = sha256(ad("subrosa/recovery-check/v1", code))
    digits = _digits(int.from_bytes(code, "big"), 32)
    digits += _digits(int.from_bytes(check[:3], "big") >> 4, 4)
    return "-".join(digits[at : at + 4] for at in range(0, 36, 4))


def recovery_bytes(text):
    """The 20 bytes of a recovery code as it was typed."""
    plain = "".join(c for c in text if not c.isspace() and c != "-")
    plain = "".join(_READ_AS.get(c, c) for c in plain.upper()) if plain.isascii() else ""
    if len(plain) != 36 or any(c not in ALPHABET for c in plain):
        raise WrongKey("a recovery code has 36 digits and letters, and no U")
    number = 0
    for digit in plain[:32]:
        number = number << 5 | ALPHABET.index(digit)
    code = number.to_bytes(20, "big")
    if recovery_text(code).replace("-", "") != plain:
        raise WrongKey("the recovery code's last four characters do not fit: a typing error")
    return code
