"""Damaged answers, ten thousand a kind: no uncaught exception, none over 5 s, memory under 200 MB. One line a kind.

    python -m bench.fuzzing [--inputs 10000] [--seed N] [--kinds feed,medium,ical,event-page]

The seeds are the real files of ../shared/corpus where it is there, else feeds and calendars of our own; a smaller storm runs
in `make test`. Each kind has a process of its own, so that its memory can be told.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digest.app import use_packaged_zones
from digest.sources import KINDS, ParseContext
from digest.sources._child import Request, read

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
CORPUS = Path(__file__).parent.parent.parent / "shared" / "corpus"
FOLDERS = {"feed": "feeds", "medium": "medium", "ical": "ics", "event-page": "html"}
LARGEST_SEED = 60_000  # bytes: ten thousand larger ones would only take longer
SLOWEST_S, MOST_MB = 5.0, 200
_JUNK = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"<![CDATA[", b"]]>", b"&#1114112;", b"&#x0;", b"\xe2\x80\xae", b"9999999999999999",
    b"<!ENTITY a 'b'>", b"\r\nRRULE:FREQ=SECONDLY\r\n", b"TZID=Nowhere/At_All:", b"DTSTART:99991231T235959Z", b"-0001",
    b'{"@graph":[', b'"@type":["Event",{}]', b"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", b"javascript:", b"=" * 300,
    b"BEGIN:VEVENT\r\n", b"END:VCALENDAR\r\n", b"P99999999999D", b"<" * 200, b"&lt;" * 100, b"1e999", b"\\ud800",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Storm:
    """What came of many damaged answers of one kind. faults: the traces of what should not have been."""

    inputs: int
    refused: int
    slowest_s: float
    faults: tuple[str, ...]


def damaged(body: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    """Pieces cut, doubled, swapped, junk put in, the end of another answer sewn on, or the wrong bytes altogether."""
    made = bytearray(body)
    for _ in range(dice.choice((1, 1, 2, 4, 12))):
        at, size = dice.randrange(len(made) + 1), dice.choice((1, 2, 8, 40, 400))
        piece = bytes(made[at : at + size])
        made[at : at + size] = dice.choice(
            (
                b"",
                piece * 2,
                piece[::-1],
                dice.randbytes(len(piece)),
                dice.choice(_JUNK),
                piece + dice.choice(_JUNK),
            )
        )
    if dice.random() < 0.1:
        other = dice.choice(others)
        made = made[: dice.randrange(len(made) + 1)] + other[dice.randrange(len(other) + 1) :]
    if dice.random() < 0.05:
        made = bytearray(
            bytes(made).decode("utf-8", "replace").encode(dice.choice(("utf-16", "utf-32")), "replace")
        )
    return bytes(made)


def storm(kind: str, seeds: Sequence[bytes], *, inputs: int, dice: random.Random) -> Storm:
    """Reads damaged answers as that kind; every second time the kind is to be found out."""
    refused, slowest, faults = 0, 0.0, []
    context = ParseContext(
        url="https://site.example/feed", now=NOW, horizon=NOW + timedelta(days=80), timezone="America/Toronto"
    )
    for number in range(inputs):
        body = damaged(dice.choice(seeds), dice, seeds)
        began = time.process_time()
        reply = read(Request(kind if number % 2 else "", body, context))
        slowest = max(slowest, time.process_time() - began)
        refused += reply.harvest is None
        if reply.trace:
            faults.append(reply.trace)
    return Storm(inputs, refused, slowest, tuple(faults))


def seeds_of(kind: str) -> list[bytes]:
    """Real files of the corpus, or our own."""
    folder = CORPUS / FOLDERS[kind]
    files = sorted(folder.rglob("*")) if folder.is_dir() else []
    real = [path.read_bytes() for path in files if path.is_file() and path.stat().st_size <= LARGEST_SEED]
    return real or own_seeds(kind)


def own_seeds(kind: str) -> list[bytes]:
    """Small answers that use much of what a kind knows."""
    from bench.collecting import feed

    if kind in ("feed", "medium"):
        return [feed(number, size=30_000) for number in range(6)]
    if kind == "ical":
        return [_CALENDAR]
    block = {"@context": "https://schema.org", "@graph": [{**_EVENT, "@type": "SocialEvent"}, _EVENT]}
    return [
        f'<html><head><script type="application/ld+json">{json.dumps(block)}</script></head></html>'.encode()
    ]


_EVENT = {
    "@type": "Event", "name": "Meeting of an example", "startDate": "2026-12-01T18:00-05:00", "endDate": "2026-12-01T20:00",
    "location": {"@type": "Place", "name": "A hall", "address": {"addressLocality": "Ottawa"}}, "url": "https://a.example/1",
    "eventStatus": "https://schema.org/EventRescheduled", "previousStartDate": "2026-11-30", "organizer": [{"name": "Kim"}],
}  # fmt: skip
_CALENDAR = b"""BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-TIMEZONE:America/Toronto\r\nBEGIN:VTIMEZONE\r\nTZID:Ours\r
BEGIN:STANDARD\r\nDTSTART:20071104T020000\r\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11\r\nTZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r
END:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1@a.example\r\nDTSTART;TZID=Ours:20260105T180000\r\nDURATION:PT2H\r
RRULE:FREQ=MONTHLY;BYDAY=2TH\r\nEXDATE;TZID=Ours:20260210T180000\r\nSUMMARY:A series\r\nEND:VEVENT\r\nBEGIN:VEVENT\r
UID:1@a.example\r\nRECURRENCE-ID;TZID=Ours:20261210T180000\r\nDTSTART;TZID=Ours:20261211T180000\r\nSTATUS:CANCELLED\r
SUMMARY:Moved\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:2@a.example\r\nDTSTART;VALUE=DATE:20261224\r\nSUMMARY:All day\r\nEND:VEVENT\r
END:VCALENDAR\r\n"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    kinds = chosen.kinds.split(",")
    if chosen.one:
        sys.exit(_one(kinds[0], chosen.inputs, chosen.seed))
    command = [sys.executable, "-W", "ignore", "-m", "bench.fuzzing", "--one", "--inputs", str(chosen.inputs)]
    runs = [subprocess.Popen([*command, "--seed", str(chosen.seed), "--kinds", kind]) for kind in kinds]
    sys.exit(max(run.wait() for run in runs))


def _one(kind: str, inputs: int, seed: int) -> int:
    use_packaged_zones()
    found = storm(kind, seeds_of(kind), inputs=inputs, dice=random.Random(seed))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{kind}: {found.inputs} damaged answers, {len(found.faults)} uncaught, {found.refused} refused by name, "
        f"slowest {found.slowest_s:.2f} s, peak {peak_mb:.0f} MB, seed {seed}",
        flush=True,
    )
    for trace in found.faults[:3]:
        print(trace)
    return int(bool(found.faults) or found.slowest_s > SLOWEST_S or peak_mb > MOST_MB)


if __name__ == "__main__":
    main()
