"""A small storm of damaged answers; bench/fuzzing.py holds the large one. A fault of a reader shows as its trace."""

import random

import pytest

from bench.fuzzing import SLOWEST_S, own_seeds, storm
from digest.sources import KINDS


@pytest.mark.parametrize("kind", list(KINDS))
def test_damaged_answers_are_read_or_refused_by_name(kind: str) -> None:
    found = storm(kind, own_seeds(kind), inputs=120, dice=random.Random(20_261_120))
    assert not found.faults, found.faults[0]
    assert found.slowest_s < SLOWEST_S
    assert found.refused < found.inputs  # some are still read: the storm is not mere noise
