"""Keys, sealed records, recipients and signatures.

Source: spec/vault.md, "Primitives"; RFC 5869 (HKDF), RFC 8439 (ChaCha20-Poly1305),
draft-irtf-cfrg-xchacha (HChaCha20), RFC 7748 (X25519), RFC 8032 (Ed25519), RFC 9106 (Argon2).
"""

import hashlib
import hmac
import struct

from argon2.exceptions import Argon2Error
from argon2.low_level import Type, hash_secret_raw
from blake3 import blake3
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from .encoding import ad
from .errors import BadCommitment, BadSlot, BadTag, Malformed, Unavailable

NONCE, COMMITMENT, TAG = 24, 32, 16
OVERHEAD = NONCE + COMMITMENT + TAG
WRAPPED_FOR_RECIPIENT = 32 + OVERHEAD + 32


def same(left, right):
    """Compares without telling by time where they differ."""
    return hmac.compare_digest(left, right)


def sha256(encoded):
    return hashlib.sha256(encoded).digest()


def _extract(salt, ikm):
    return hmac.digest(salt, ikm, "sha256")


def _expand(prk, info, length):
    return HKDFExpand(algorithm=SHA256(), length=length, info=info).derive(prk)


def _prk(key):
    return _extract(b"subrosa/key/v1", key)


def derive(key, purpose):
    """The key that serves `purpose` under `key`."""
    return _expand(_prk(key), ad("subrosa/derive/v1", purpose), 32)


def mac(key, message):
    """HMAC over encoded associated data."""
    return hmac.digest(_expand(_prk(key), ad("subrosa/mac/v1"), 32), message, "sha256")


def prf(key, data):
    """Keyed BLAKE3 over plain bytes; 32 bytes."""
    return blake3(data, key=_expand(_prk(key), ad("subrosa/prf/v1"), 32)).digest()


def high_entropy_key(ikm, salt, purpose):
    """A key from a secret that nobody can guess."""
    return _expand(_extract(salt, ikm), ad("subrosa/high-entropy/v1", purpose), 32)


def argon2id(passphrase, salt, memory, passes, lanes):
    """A slot's secret from a passphrase. `memory` in KiB; the caller has checked the bounds."""
    try:
        return hash_secret_raw(passphrase, salt, passes, memory, lanes, 32, Type.ID, 19)
    except Argon2Error as error:
        raise Unavailable(f"Argon2id with {memory} KiB does not run here: {error}") from None


def _rotate(word, by):
    return ((word << by) & 0xFFFF_FFFF) | (word >> (32 - by))


def hchacha20(key, nonce):
    """The subkey of XChaCha20 for the first 16 bytes of its nonce."""
    s = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574]
    s += struct.unpack("<8I", key) + struct.unpack("<4I", nonce)

    def quarter(a, b, c, d):
        for x, y, z, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFF_FFFF
            s[z] = _rotate(s[z] ^ s[x], by)

    for _ in range(10):
        for column in range(4):
            quarter(column, 4 + column, 8 + column, 12 + column)
        for column in range(4):
            quarter(column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4)
    return struct.pack("<8I", *s[:4], *s[12:])


def record_keys(key, nonce):
    """The cipher key and the commitment of a sealed record."""
    okm = _expand(_prk(key), ad("subrosa/seal/v1", nonce), 64)
    return okm[:32], okm[32:]


def cipher(cipher_key, nonce):
    """XChaCha20-Poly1305 for one 24-byte nonce: the AEAD of its subkey, and its short nonce."""
    return ChaCha20Poly1305(hchacha20(cipher_key, nonce[:16])), bytes(4) + nonce[16:]


def unseal(key, aad, record, what):
    """Opens a sealed record; `what` names it in errors."""
    if len(record) < OVERHEAD:
        raise Malformed(f"{what}: {len(record)} bytes are too few for a sealed record")
    nonce, commitment = record[:NONCE], record[NONCE : NONCE + COMMITMENT]
    cipher_key, expected = record_keys(key, nonce)
    if not same(commitment, expected):
        raise BadCommitment(f"{what}: sealed with another key")
    aead, short_nonce = cipher(cipher_key, nonce)
    try:
        return aead.decrypt(short_nonce, record[NONCE + COMMITMENT :], aad)
    except InvalidTag:
        raise BadTag(f"{what}: its content or its place was changed") from None


def unwrap(key, aad, record, what):
    """Opens a sealed record that holds a key."""
    opened = unseal(key, aad, record, what)
    if len(opened) != 32:
        raise Malformed(f"{what}: a key of {len(opened)} bytes")
    return opened


def commitment_of(record):
    return record[NONCE : NONCE + COMMITMENT]


def tag_of(record):
    return record[-TAG:]


def public_of(private):
    """The public key of an X25519 identity."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def wrapping_key(private, public, ephemeral, recipient):
    """The key between an ephemeral key and a recipient; None when the shared secret is zero."""
    try:
        own = X25519PrivateKey.from_private_bytes(private)
        shared = own.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return None
    if shared == bytes(32):
        return None
    return high_entropy_key(shared + ephemeral + recipient, ephemeral[:16], "recipient")


def unwrap_for(private, aad, wrapped, what):
    """Opens a key that was wrapped for the public key of `private`.

    The caller has checked that `wrapped` has `WRAPPED_FOR_RECIPIENT` bytes.
    """
    ephemeral = wrapped[:32]
    key = wrapping_key(private, ephemeral, ephemeral, public_of(private))
    if key is None:
        raise BadSlot(f"{what}: its ephemeral key gives no secret")
    return unwrap(key, aad, wrapped[32:], what)


def signing_public_of(seed):
    """The public key of an Ed25519 seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def verifies(public, message, signature):
    """Whether an Ed25519 signature holds."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
