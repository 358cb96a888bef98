"""The letters as they were last looked at, byte for byte. Made anew by python -m tests.remake_golden."""

from tests.remake_golden import GOLDEN, feeds, made


def test_every_golden_letter_is_printed_the_same_again() -> None:
    fresh = dict(made()) | dict(feeds())
    kept = {path.name: path.read_bytes() for path in GOLDEN.glob("[!.]*")}
    assert sorted(fresh) == sorted(kept)
    different = [name for name in fresh if fresh[name] != kept[name]]
    assert different == [], "look at them, then: python -m tests.remake_golden"
