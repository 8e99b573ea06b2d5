"""What is sealed in the rows of the log: one JSON object each.

Source: spec/audit.md, "Rows"; RFC 8259 (JSON), RFC 3339 (times).
"""

import json
import re
from datetime import datetime, timedelta, timezone

from .encoding import ad, optional, u32, u64
from .errors import BadLog, Malformed, OutOfBounds
from .primitives import verifies

MAX_PAYLOAD = 1_048_576
EVENTS = ("decision", "completion", "change", "unlock")
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?Z")
_HEX = re.compile(r"[0-9a-f]*")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _object(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _constant(name):
    raise ValueError(f"{name} is not JSON")


def parse(data, what):
    """The JSON object of a row."""
    if len(data) > MAX_PAYLOAD:
        raise OutOfBounds(f"{what}: a payload of {len(data)} bytes, over {MAX_PAYLOAD}")
    try:
        text = data.decode("utf-8", "strict")
        payload = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError):
        raise Malformed(f"{what}: its payload is not JSON") from None
    if not isinstance(payload, dict):
        raise Malformed(f"{what}: its payload is not one JSON object")
    return payload


def is_known_event(payload):
    """Whether an event has what every event has, and is of a kind that this page knows."""
    event = payload.get("event")
    return isinstance(event, str) and event in EVENTS and {"time", "caller"} <= payload.keys()


def _member(payload, name, kind, what):
    found = payload.get(name)
    if type(found) is not kind:
        raise BadLog(f"{what}: {name} is absent or of another type")
    return found


def number(payload, name, what):
    """A `u64`."""
    found = _member(payload, name, int, what)
    if not 0 <= found < 1 << 64:
        raise BadLog(f"{what}: {name} is no u64")
    return found


def hexadecimal(payload, name, length, what):
    """So many bytes in lower-case hexadecimal digits."""
    found = _member(payload, name, str, what)
    if len(found) != 2 * length or not _HEX.fullmatch(found):
        raise BadLog(f"{what}: {name} is not {length} bytes in hexadecimal")
    return bytes.fromhex(found)


def time(payload, what):
    """Microseconds since 1970 of a time in UTC."""
    match = _TIME.fullmatch(_member(payload, "time", str, what))
    if match is None:
        raise BadLog(f"{what}: its time is not one of RFC 3339 in UTC")
    seconds, fraction = match.groups()
    digits = (fraction or "").ljust(6, "0")
    if digits[6:].strip("0"):
        raise BadLog(f"{what}: its time is finer than a microsecond")
    try:
        whole = datetime.fromisoformat(f"{seconds}+00:00") - _EPOCH
    except ValueError:
        raise BadLog(f"{what}: its time does not exist") from None
    return whole // timedelta(microseconds=1) + int(digits[:6])


def checkpoint_message(place, micros, epoch, key, following):
    """What a checkpoint's signature is over. `place`: vault, sequence, previous and count."""
    signer = (u64(micros), u32(epoch), key)
    return ad("subrosa/audit/checkpoint/v1", *place, *signer, *optional(following))


def check_signature(payload, public, message, what):
    """Demands the Ed25519 signature of a checkpoint or a prune marker."""
    if not verifies(public, message, hexadecimal(payload, "signature", 64, what)):
        raise BadLog(f"{what}: its signature does not hold")
