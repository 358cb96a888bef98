"""Preflight of the calendar file that the letter links to (RFC 5545): read line by line, as a strict calendar would. Pure."""

import re
from collections import Counter
from collections.abc import Iterator

from digest.rules.proof import Fault, Proof

_MOMENT = re.compile(r"(DTSTART|DTEND)(;VALUE=DATE:\d{8}|:\d{8}T\d{6}Z)")
_STAMP = re.compile(r"DTSTAMP:\d{8}T\d{6}Z")
OCTETS = 75


def ev_ics(proof: Proof) -> Iterator[Fault]:
    wanted = sum(placed.item.occasion is not None for placed in proof.placed)
    if not wanted:
        return
    if proof.evidence.calendars is None:
        yield Fault(sentence="unchecked")
        return
    for language, data in proof.evidence.calendars.items():
        for what in faults(data, events=wanted, domain=proof.config.list.domain):
            yield Fault(language=language, slots={"what": what})


def faults(data: bytes, *, events: int, domain: str) -> list[str]:
    """What a strict reader would refuse, in the words of the standard."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ["UTF-8"]
    found = []
    if text.count("\n") != text.count("\r\n") or not text.endswith("\r\n"):
        found.append("CRLF")
    if any(len(line.encode()) > OCTETS for line in text.split("\r\n")):
        found.append(f"> {OCTETS}")
    lines = text.replace("\r\n ", "").split("\r\n")[:-1]
    if lines[:1] != ["BEGIN:VCALENDAR"] or lines[-1:] != ["END:VCALENDAR"] or "VERSION:2.0" not in lines:
        found.append("VCALENDAR")
    blocks = re.findall(r"BEGIN:VEVENT\r\n(.*?)END:VEVENT\r\n", text.replace("\r\n ", ""), re.DOTALL)
    if len(blocks) != events:
        found.append(f"VEVENT {len(blocks)}/{events}")
    uids = Counter(uid for block in blocks for uid in re.findall(r"(?m)^UID:(\S+)", block))
    if sum(uids.values()) != len(blocks) or any(count > 1 for count in uids.values()):
        found.append("UID")
    if not all(re.fullmatch(rf"item-\d+@{re.escape(domain)}", uid) for uid in uids):
        found.append("UID")
    for block in blocks:
        found += _of_event(block.split("\r\n"))
    return sorted(set(found))


def _of_event(lines: list[str]) -> Iterator[str]:
    if sum(bool(_STAMP.fullmatch(line)) for line in lines) != 1:
        yield "DTSTAMP"
    moments = [line for line in lines if line.startswith(("DTSTART", "DTEND"))]
    if sum(line.startswith("DTSTART") for line in moments) != 1:
        yield "DTSTART"
    for line in moments:
        if not _MOMENT.fullmatch(line):
            yield line.partition(":")[0].partition(";")[
                0
            ]  # neither UTC nor a date: no VTIMEZONE of ours defines it
    if not any(line.startswith("SUMMARY") for line in lines):
        yield "SUMMARY"
