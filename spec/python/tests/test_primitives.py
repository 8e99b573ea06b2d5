"""Sealed records against spec/vectors/seal.json, and primitives against their own documents."""

import json
from pathlib import Path

import pytest

from subrosa_vault import primitives
from subrosa_vault.encoding import ad, lp, optional, u32
from subrosa_vault.errors import BadCommitment, BadTag, Malformed, Unavailable
from writer import seal

SEAL = Path(__file__).parents[2] / "vectors" / "seal.json"
CASES = json.loads(SEAL.read_text())["cases"]


def parts(case):
    aad = b"".join(lp(bytes.fromhex(field)) for field in case["aad"])
    return bytes.fromhex(case["key"]), aad, bytes.fromhex(case["sealed"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_sealed_record(case):
    key, aad, sealed = parts(case)
    plaintext = bytes.fromhex(case["plaintext"])
    assert primitives.unseal(key, aad, sealed, "record") == plaintext
    assert seal(key, aad, plaintext, bytes.fromhex(case["nonce"])) == sealed


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_changed_byte_is_noticed(case):
    key, aad, sealed = parts(case)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1 << at % 8
        of_key = at < primitives.NONCE + primitives.COMMITMENT
        with pytest.raises(BadCommitment if of_key else BadTag):
            primitives.unseal(key, aad, bytes(changed), "record")
    with pytest.raises(BadTag):
        primitives.unseal(key, aad + b"\0", sealed, "record")
    with pytest.raises(BadCommitment):
        primitives.unseal(bytes([key[0] ^ 1]) + key[1:], aad, sealed, "record")


def test_too_short_for_a_record():
    with pytest.raises(Malformed):
        primitives.unseal(bytes(32), b"", bytes(primitives.OVERHEAD - 1), "record")


def test_hchacha20():
    """draft-irtf-cfrg-xchacha-03, section 2.2.1."""
    key = bytes(range(32))
    nonce = bytes.fromhex("000000090000004a0000000031415927")
    expected = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
    assert primitives.hchacha20(key, nonce).hex() == expected


def test_xchacha20_poly1305():
    """draft-irtf-cfrg-xchacha-03, appendix A.3.1."""
    plaintext = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
        b"future, sunscreen would be it."
    )
    key, nonce = bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58))
    aead, short_nonce = primitives.cipher(key, nonce)
    sealed = aead.encrypt(short_nonce, plaintext, bytes.fromhex("50515253c0c1c2c3c4c5c6c7"))
    assert sealed[:16].hex() == "bd6d179d3e83d43b9576579493c0e939"
    assert sealed[-16:].hex() == "c0875924c1c7987947deafd8780acf49"


def test_argon2id_is_of_version_19():
    """The reference program's own check: 65,536 KiB, 2 passes, 1 lane."""
    secret = primitives.argon2id(b"password", b"somesalt", 65_536, 2, 1)
    assert secret.hex() == "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"


def test_argon2id_that_does_not_run_is_an_error_of_a_vault():
    with pytest.raises(Unavailable):
        primitives.argon2id(b"password", b"somesalt", 1, 2, 4)


def test_x25519():
    """RFC 7748, section 5.2: the first iteration from the base point as a private key."""
    public = "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"
    assert primitives.public_of(b"\x09" + bytes(31)).hex() == public


def test_a_shared_secret_of_zeros_is_refused():
    private = bytes(range(32))
    zero_points = [bytes(32), b"\x01" + bytes(31)]
    for point in zero_points:
        assert primitives.wrapping_key(private, point, point, point) is None


def test_ed25519():
    """RFC 8032, section 7.1, test 1."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = primitives.signing_public_of(seed)
    assert public.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
        "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert primitives.verifies(public, b"", signature)
    assert not primitives.verifies(public, b"x", signature)


def test_associated_data_keeps_fields_apart():
    assert ad("ab", "c") != ad("a", "bc")
    assert ad("d", *optional(None)) != ad("d", *optional(b""))
    assert ad("d", u32(1)) == b"\x01\0\0\0d\x04\0\0\0\x01\0\0\0"
