"""Every real file of the corpus goes through its reader: all its items, or an error that a person would agree with."""

import csv
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.app import use_packaged_zones
from digest.errors import SourceError
from digest.model import Harvest
from digest.rules.gather import is_hint
from digest.sources import KINDS, ParseContext, sniff

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
SLOWEST_S = 5.0  # of processor time: the machine may be busy
pytestmark = pytest.mark.corpus


def _rows(corpus: Path) -> list[dict[str, str]]:
    lines = (corpus / "MANIFEST.tsv").read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def _address(row: dict[str, str]) -> str:
    return (
        f"https://{'medium.com/feed/@somebody' if row['file'].startswith('medium') else 'site.example/page'}"
    )


def _read(body: bytes, row: dict[str, str]) -> Harvest:
    url = _address(row)
    context = ParseContext(url=url, now=NOW, horizon=NOW + timedelta(days=80), timezone="America/Toronto")
    return KINDS[sniff(body, url)].parse(body, context)


@pytest.mark.parametrize("folder", ["medium", "feeds", "ics", "html"])
def test_every_file_gives_its_items_or_a_sentence(
    corpus: Path, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Copies of one event, and older versions of it, count as read: they are named among what was left out."""
    use_packaged_zones()
    table, short, kinds = [], [], Counter[str]()
    for row in _rows(corpus):
        if not row["file"].startswith(f"{folder}/"):
            continue
        wanted, began = int(row["items"] or 0), time.process_time()
        try:
            harvest = _read((corpus / row["file"]).read_bytes(), row)
            read, left, said = len(harvest.entries), len(harvest.left_out), ""
        except SourceError as error:
            read, left, said = 0, 0, f"{error.kind}: {error}"
            kinds[error.kind] += 1
        seconds = time.process_time() - began
        table.append(f"{row['file'][:78]:78} {wanted:5} {read:5} {left:4} {seconds:6.2f}  {said[:90]}")
        if (
            (not said and read + left < wanted)
            or (said and wanted > 0 and not _agrees(said))
            or seconds > SLOWEST_S
        ):
            short.append(table[-1])
    with capsys.disabled():
        print(f"\n{'file':78} {'items':>5} {'read':>5} {'left':>4} {'s':>6}  said")
        print("\n".join(table))
        print(f"{len(table)} files, {sum(kinds.values())} refused: {dict(kinds)}")
    assert not short, "\n".join(short)


def _agrees(said: str) -> bool:
    """A file whose every event has no start (or one that nobody could read) holds nothing for a letter."""
    return said.startswith("parse: Nothing in the calendar can be used")


def test_no_script_and_no_pixel_of_the_corpus_survives(corpus: Path) -> None:
    seen = 0
    for row in _rows(corpus):
        if not row["file"].startswith(("medium/", "feeds/")):
            continue
        try:
            entries = _read((corpus / row["file"]).read_bytes(), row).entries
        except SourceError:
            continue
        for entry in entries:
            seen += 1
            low = entry.html.lower()
            assert "<script" not in low, row["file"]
            assert "javascript:" not in low.replace("javascript: ", ""), row["file"]
            assert "/_/stat" not in low, row["file"]
            assert entry.url is None or entry.url.startswith(("http://", "https://"))
    assert seen > 1000


def test_no_two_entries_of_one_real_file_are_one_thing_by_mistake(corpus: Path) -> None:
    """Entries that share a key are merged; what shares one must at least have the same title."""
    for row in _rows(corpus):
        if not row["file"].startswith(("medium/", "feeds/", "ics/", "html/")):
            continue
        try:
            entries = _read((corpus / row["file"]).read_bytes(), row).entries
        except SourceError:
            continue
        owner: dict[str, str] = {}
        for entry in entries:
            for key in (key for key in entry.keys if not is_hint(key)):
                assert owner.setdefault(key, entry.title) == entry.title, (row["file"], key)
