"""The two encodings of the format: associated data, and gapless plaintexts.

Source: spec/vault.md, "Encoding".
"""

import struct

from .errors import BadOrder, Malformed, OutOfBounds


def u32(number):
    """A `u32`, little-endian."""
    return struct.pack("<I", number)


def u64(number):
    """A `u64`, little-endian. A negative time takes its two's complement."""
    return struct.pack("<Q", number & 0xFFFF_FFFF_FFFF_FFFF)


def lp(field):
    """One field: its length as `u32`, then its bytes."""
    return u32(len(field)) + field


def optional(field):
    """The one or two fields of an optional field, to be spread into `ad`."""
    return (b"\x00",) if field is None else (b"\x01", field)


def ad(domain, *fields):
    """Associated data: the domain and the fields, each with its length before it."""
    encoded = [lp(domain.encode())]
    for field in fields:
        encoded.append(lp(field.encode() if isinstance(field, str) else field))
    return b"".join(encoded)


class Reader:
    """Reads a plaintext or a record's body, and refuses what an encoder does not write.

    `what` names the input in errors.
    """

    def __init__(self, data, what):
        self._data = data
        self._at = 0
        self._what = what

    def fixed(self, length):
        """Exactly `length` bytes."""
        if length > len(self._data) - self._at:
            raise Malformed(f"{self._what}: ends within a field at byte {self._at}")
        self._at += length
        return self._data[self._at - length : self._at]

    def u8(self):
        return self.fixed(1)[0]

    def u32(self):
        return struct.unpack("<I", self.fixed(4))[0]

    def u64(self):
        return struct.unpack("<Q", self.fixed(8))[0]

    def time(self):
        """Microseconds since 1970-01-01T00:00:00Z."""
        return struct.unpack("<q", self.fixed(8))[0]

    def flag(self, name):
        """Yes or no: 1 or 0 and nothing else."""
        byte = self.u8()
        if byte > 1:
            raise Malformed(f"{self._what}: {name} is {byte}, which is neither 0 nor 1")
        return byte == 1

    def bytes(self):
        """A `u32` length and so many bytes."""
        return self.fixed(self.u32())

    def text(self, name):
        """UTF-8 with its length in bytes before it."""
        try:
            return self.bytes().decode("utf-8", "strict")
        except UnicodeDecodeError:
            raise Malformed(f"{self._what}: {name} is not UTF-8") from None

    def option(self, name, read):
        """None, or what `read` returns."""
        return read() if self.flag(f"the option byte of {name}") else None

    def items(self, name, read, at_most, at_least=0):
        """A `u32` count within its bounds and so many items."""
        count = self.u32()
        if not at_least <= count <= at_most:
            raise OutOfBounds(
                f"{self._what}: {count} {name}, where {at_least} to {at_most} are allowed"
            )
        return [read() for _ in range(count)]

    def rest_is_empty(self):
        """Whether everything was read; for plaintexts that go on to their end without a count."""
        return self._at == len(self._data)

    def end(self):
        """Demands that nothing is left."""
        if not self.rest_is_empty():
            raise Malformed(f"{self._what}: {len(self._data) - self._at} bytes after its end")


def once(what, names):
    """Demands that no name comes twice."""
    seen = set()
    for name in names:
        if name in seen:
            raise BadOrder(f"{what} comes twice")
        seen.add(name)


def ascending(what, keys):
    """Demands that each key is greater than the one before it."""
    keys = list(keys)
    for before, after in zip(keys, keys[1:]):
        if before == after:
            raise BadOrder(f"{what}: one comes twice")
        if before > after:
            raise BadOrder(f"{what}: not ascending")
