"""Text that knows which of its bytes carry a secret.

Every byte has a mark: 2 `MUST` be covered, 1 `MAY` be covered, 0 must come through as it is. The
encoders below carry the marks along, so that a case is written down by building it, not by
searching for it afterwards.
"""

FREE, MAY, MUST = 0, 1, 2


class Marked:
    """Bytes and their marks."""

    __slots__ = ("data", "marks")

    def __init__(self, data=b"", marks=None):
        self.data = data.encode() if isinstance(data, str) else bytes(data)
        self.marks = bytes(len(self.data)) if marks is None else bytes(marks)
        assert len(self.data) == len(self.marks)

    def __len__(self):
        return len(self.data)

    def __add__(self, other):
        other = marked(other)
        return Marked(self.data + other.data, self.marks + other.marks)

    def __radd__(self, other):
        return marked(other) + self

    def __getitem__(self, part):
        assert isinstance(part, slice)
        return Marked(self.data[part], self.marks[part])

    def ranges(self, least):
        """The longest runs of bytes whose mark is exactly `least`."""
        found, start = [], None
        for at, mark in enumerate(self.marks + b"\xff"):
            if mark == least and start is None:
                start = at
            elif mark != least and start is not None:
                found.append([start, at])
                start = None
        return found


def marked(text):
    return text if isinstance(text, Marked) else Marked(text)


def secret(value):
    """A value that has to be covered as a whole."""
    value = value.encode() if isinstance(value, str) else value
    return Marked(value, bytes([MUST]) * len(value))


def join(separator, parts):
    out = Marked()
    for at, part in enumerate(parts):
        out = out + separator + part if at else marked(part)
    return out


def allowed(text):
    """The same text, of which everything may be covered and nothing has to be."""
    text = marked(text)
    return Marked(text.data, bytes([MAY]) * len(text))


def filled(text):
    """What stands inside of the occurrence may be covered with it. For one occurrence."""
    at = [i for i, mark in enumerate(text.marks) if mark]
    if not at:
        return text
    marks = bytearray(text.marks)
    for i in range(at[0], at[-1]):
        marks[i] = max(marks[i], MAY)
    return Marked(text.data, marks)


def is_alnum(byte):
    return byte < 128 and chr(byte).isalnum()


def softened(text):
    """Signs at both ends of the occurrence only may be covered: the folded view has none."""
    at = [i for i, mark in enumerate(text.marks) if mark == MUST]
    marks = bytearray(text.marks)
    for side in (at, at[::-1]):
        for i in side:
            if is_alnum(text.data[i]):
                break
            marks[i] = MAY
    return Marked(text.data, marks)


def each(text, change):
    """Changes byte by byte; what comes of a byte has its mark."""
    text, data, marks = marked(text), bytearray(), bytearray()
    for byte, mark in zip(text.data, text.marks):
        new = change(byte)
        new = new.encode() if isinstance(new, str) else new
        data += new
        marks += bytes([mark]) * len(new)
    return Marked(data, marks)


def characters(text, change):
    """Changes character by character of UTF-8."""
    text, data, marks, at = marked(text), bytearray(), bytearray(), 0
    for character in text.data.decode():
        new = change(character)
        new = new.encode() if isinstance(new, str) else new
        data += new
        marks += bytes([text.marks[at]]) * len(new)
        at += len(character.encode())
    return Marked(data, marks)


def in_groups(text, bits, alphabet):
    """base32 and base64: a character must be covered if all its bits are the secret's."""
    text = marked(text)
    stream = "".join(f"{byte:08b}" for byte in text.data)
    data, marks = bytearray(), bytearray()
    for at in range(0, len(stream), bits):
        group = stream[at : at + bits].ljust(bits, "0")
        data += alphabet[int(group, 2) : int(group, 2) + 1]
        of = [text.marks[bit // 8] for bit in range(at, at + bits) if bit // 8 < len(text)]
        full = len(of) == bits and min(of) == MUST
        marks.append(MUST if full else MAY if max(of) else FREE)
    return Marked(data, marks)


UPPER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = b"0123456789"
STANDARD = UPPER + UPPER.lower() + DIGITS + b"+/"
URL_SAFE = UPPER + UPPER.lower() + DIGITS + b"-_"


def base64(text, url=False, pad=True):
    out = in_groups(text, 6, URL_SAFE if url else STANDARD)
    return out + b"=" * (-len(out) % 4) if pad else out


def base32(text, pad=True, alphabet=UPPER + b"234567"):
    out = in_groups(text, 5, alphabet)
    return out + b"=" * (-len(out) % 8) if pad else out


def base85(text, alphabet, zero=None):
    """Whole groups of four bytes are determined; the rest only carries bits."""
    text, out = marked(text), Marked()
    for at in range(0, len(text), 4):
        group = text[at : at + 4]
        number = int.from_bytes(group.data.ljust(4, b"\0"), "big")
        digits = bytearray()
        for _ in range(5):
            number, digit = divmod(number, 85)
            digits.append(alphabet[digit])
        digits = bytes(digits[::-1][: len(group) + 1])
        full = len(group) == 4 and min(group.marks) == MUST
        mark = MUST if full else MAY if max(group.marks) else FREE
        out += Marked(digits, bytes([mark]) * len(digits))
    return out


def hexed(text, form="%02x", separator=b""):
    """Hexadecimal, octal or decimal bytes; separators inside of the secret may be covered."""
    text, out, before = marked(text), Marked(), FREE
    for at, (byte, mark) in enumerate(zip(text.data, text.marks)):
        one = (form % byte).encode()
        if at:
            of = MAY if mark and before else FREE
            out += Marked(separator, bytes([of]) * len(separator))
        out += Marked(one, bytes([mark]) * len(one))
        before = mark
    return out


def wrapped(text, width, separator=b"\n"):
    """Lines of this width; what separates two pieces of the secret may be covered."""
    text = marked(text)
    return filled(join(separator, [text[at : at + width] for at in range(0, len(text), width)]))


def replaced(text, pairs):
    """Replaces single characters, as escapes do."""
    table = {key.encode() if isinstance(key, str) else key: value for key, value in pairs.items()}
    return each(text, lambda byte: table.get(bytes([byte]), bytes([byte])))


def seen(output, *pieces):
    """The output of a real program, in which every piece stands at least once."""
    marks = bytearray(len(output))
    for piece in pieces:
        piece, at, count = marked(piece), 0, 0
        assert any(piece.marks), "a piece carries the secret"
        while (at := output.find(piece.data, at)) >= 0:
            for i, mark in enumerate(piece.marks):
                marks[at + i] = max(marks[at + i], mark)
            at, count = at + 1, count + 1
        assert count, (piece.data, output)
    return Marked(output, marks)
