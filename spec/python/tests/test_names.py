"""Names and recovery codes: what is taken, and what is not."""

import base64

import pytest

from subrosa_vault import Key, WrongKey, names, slots
from subrosa_vault.errors import BadName

KEYS = (["a", "A/b.c_d-9", "x" * 256, "-a", ".a", "a/..b"], [])
KEYS[1].extend(["", "/", "/a", "a/", "a//b", ".", "..", "a/./b", "a/../b", "x" * 257, "a b", "ä"])
KEYS[1].extend(["a\n", "a\0", "a:b", "a\\b"])
WORDS = (["a", "x" * 64, ".a", "_", "9", "a-b"], [])
WORDS[1].extend(["", "x" * 65, "-a", ".", "..", "a/b", "a b", "é", "a\n"])
VARIABLES = (["A", "_", "a9", "V" * 322], ["", "9A", "V" * 323, "A-B", "A.B", "É", "A\n"])
TAGS = (["a", "x" * 64, "é", "é" * 32, "日本", "a-b:c/d"], [])
TAGS[1].extend(["", "x" * 65, "é" * 33, "a,b", "a b", "a\tb", "a\u00a0b", "a\u2028b", "e\u0301"])
TAGS[1].extend(["a\0", "a\u0085", "\u212b"])
RULES = {
    "key": (names.key, KEYS),
    "word": (lambda name: names.word("field", name), WORDS),
    "variable": (names.variable, VARIABLES),
    "tag": (names.tag, TAGS),
}


@pytest.mark.parametrize("rule", RULES)
def test_names(rule):
    check, (taken, refused) = RULES[rule]
    for name in taken:
        assert check(name) == name
    for name in refused:
        with pytest.raises(BadName):
            check(name)


CODE = bytes(range(20))


def test_recovery_code_round_trip():
    written = slots.recovery_text(CODE)
    assert len(written) == 44 and written.count("-") == 8
    for typed in (written, written.lower(), written.replace("-", " "), f"\t{written}\n"):
        assert slots.recovery_bytes(typed) == CODE
    as_letters = written.replace("0", "O").replace("1", "l")
    assert slots.recovery_bytes(as_letters) == CODE


def test_recovery_code_every_digit_is_checked():
    written = slots.recovery_text(CODE).replace("-", "")
    for at, digit in enumerate(written):
        other = slots.ALPHABET[(slots.ALPHABET.index(digit) + 1) % 32]
        with pytest.raises(WrongKey):
            Key.recovery(written[:at] + other + written[at + 1 :])


@pytest.mark.parametrize("typed", ["", "U" * 36, "0" * 35, "0" * 37, "é" * 36, "\u0131" * 36])
def test_not_a_recovery_code(typed):
    with pytest.raises(WrongKey):
        Key.recovery(typed)


def test_a_short_key_file():
    with pytest.raises(WrongKey):
        Key.key_file(bytes(15))
    assert Key.key_file(bytes(16)).content == bytes(16)


def test_a_secret_as_text():
    secret = bytes(range(220, 256))
    for text in (
        secret.hex().encode(),
        secret.hex().upper().encode() + b"\n",
        base64.b64encode(secret) + b"\r\n",
        base64.urlsafe_b64encode(secret).rstrip(b"="),
    ):
        assert Key.secret(slots.ENVIRONMENT, text).content == secret


@pytest.mark.parametrize(
    "text", [b"", b"ab" * 31, b"ab" * 32 + b"\n\n", b"!" * 64, b"aGVsbG8=", b"ab" * 2049]
)
def test_no_secret_as_text(text):
    with pytest.raises(WrongKey):
        Key.secret(slots.ENVIRONMENT, text)
