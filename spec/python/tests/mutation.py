"""The table of mutations: what is changed in a good backup, how much is made right again after
it, and which error must follow."""

from dataclasses import dataclass
from typing import Callable

from bench import Mend

TABLE = {}


@dataclass(frozen=True)
class Mutation:
    """`apply` changes a bench in place, or returns the bytes of a whole backup."""

    level: Mend
    expected: type
    apply: Callable

    def of(self, bench):
        """The changed backup."""
        data = self.apply(bench)
        return bench.write(self.level) if data is None else data


def rejects(expected, level, *names):
    """Enters a function in the table. With several names it is called with each as argument."""

    def enter(function):
        title = function.__name__.replace("_", " ")
        for name in names or (None,):
            full = title if name is None else f"{title}: {name}"
            if full in TABLE:
                raise ValueError(f"two mutations are called {full!r}")

            def apply(bench, name=name):
                return function(bench) if name is None else function(bench, name)

            TABLE[full] = Mutation(level, expected, apply)
        return function

    return enter


def flip(data, at, bit=0):
    """The bytes with one bit changed; `at` may count from the end."""
    changed = bytearray(data)
    changed[at] ^= 1 << bit
    return bytes(changed)
