"""Each mutation of each good backup is refused, for the reason that it has to be."""

import inspect

import pytest

import mutations_heads
import mutations_log
import mutations_slots
import mutations_stream
import mutations_values
import sources
from bench import Mend, NotHere
from mutation import TABLE
from subrosa_vault import VaultError, errors, open_backup

# Each enters its mutations in the table when it is imported.
MODULES = (
    mutations_stream,
    mutations_slots,
    mutations_heads,
    mutations_values,
    mutations_log,
)


def refusal(data, key):
    """The error that a backup is refused with; any other exception is a failure of the test."""
    try:
        open_backup(data, key)
    except VaultError as error:
        return error
    return None


def check(name, source):
    """Whether the mutation could be tried on this source; when so, that it was refused."""
    mutation = TABLE[name]
    try:
        changed = mutation.of(sources.bench(source))
    except NotHere:
        return False
    data, key = sources.backup(source)
    assert changed != data, f"{source}: the mutation changed nothing"
    refused = refusal(changed, key)
    assert isinstance(refused, mutation.expected), f"{source}: {type(refused)}: {refused}"
    assert str(refused)
    return True


@pytest.mark.parametrize("name", TABLE)
def test_of_the_tests_own_vault(name):
    assert check(name, "own"), "the tests' own vault has something for each mutation"


@pytest.mark.parametrize("name", TABLE)
def test_of_the_vectors(name):
    assert sources.PATHS, f"no backups in {sources.VECTORS}"
    tried = [path.stem for path in sources.PATHS if check(name, path.stem)]
    assert tried, "no vector has anything that this mutation could be tried on"


@pytest.mark.parametrize("level", list(Mend), ids=lambda level: level.name)
def test_what_is_mended_without_a_change_opens(level):
    """So a mutation is refused for what it changes, not for how the test mends what is above."""
    data, key = sources.backup("own")
    bench = sources.bench("own")
    assert refusal(bench.write(level), key) is None


def test_mutations_cover_every_reason():
    """Every error of the format is the expected one of some mutation."""
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    leaves = {k for k in kinds if issubclass(k, errors.FormatError) and not k.__subclasses__()}
    assert leaves <= {mutation.expected for mutation in TABLE.values()} | {errors.BadSeal}
