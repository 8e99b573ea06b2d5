"""What can be wrong with a vault. No error carries a value, a key or a passphrase."""


class VaultError(Exception):
    """The only exception type that leaves this package."""


class WrongKey(VaultError):
    """The key at hand opens no slot of this vault, or cannot be a key at all."""


class Unavailable(VaultError):
    """This machine cannot do what the vault asks for, such as the memory for Argon2."""


class FormatError(VaultError):
    """Not a vault of this format, or changed. The subclass says which rule broke."""


class Malformed(FormatError):
    """Bytes that no encoder of this format writes."""


class UnsupportedFormat(FormatError):
    """A vault of another format number."""


class OutOfBounds(FormatError):
    """A count, a length or a parameter beyond a bound that the page names."""


class BadName(FormatError):
    """A name that breaks the rules of its kind."""


class BadOrder(FormatError):
    """Frames, records or items out of order, or twice."""


class BadChain(FormatError):
    """The count or the digest at the end of a backup differs from the frames."""


class BadMac(FormatError):
    """The backup was not finished by a holder of the root key."""


class BadSlot(FormatError):
    """A slot's binding, signature or lineage does not hold."""


class BadSeal(FormatError):
    """A sealed record does not open."""


class BadCommitment(BadSeal):
    """It was sealed with another key."""


class BadTag(BadSeal):
    """Its content or its place is another."""


class BadState(FormatError):
    """Records differ from what the vault's state lists."""


class BadSum(FormatError):
    """Heads differ from what the workspace's state sums up."""


class Inconsistent(FormatError):
    """Every record is authentic, but they do not fit together."""


class BadLog(FormatError):
    """The audit log, or its tie to the vault's state, does not hold."""
