"""The JSON forms of the contract: values in, plain objects out. A name here is relied on by other programs."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from digest.model import DeliveryState, EventStatus, Issue, Item, Visit
from digest.rules.assemble import SECTIONS
from digest.rules.preflight import Check


def visits(done: Iterable[Visit]) -> dict[str, Any]:
    return {"sources": [_visit(visit) for visit in done]}


def _visit(visit: Visit) -> dict[str, Any]:
    error = {"kind": visit.error_kind, "message": visit.error} if visit.error_kind else None
    return {
        "name": visit.source.name,
        "kind": visit.source.kind or None,
        "url": visit.source.url,
        "outcome": str(visit.outcome),
        "new": visit.new,
        "updated": visit.updated,
        "seconds": round(visit.seconds, 3),
        "error": error,
    }


def items(found: Iterable[Item], *, zone: str) -> dict[str, Any]:
    """zone: of the list, for the dates of posts; an event's times are in its own."""
    return {"items": [_item(item, zone) for item in found]}


def _item(item: Item, zone: str) -> dict[str, Any]:
    when = item.occasion
    own = when.timezone if when else zone
    return {
        "id": item.id,
        "kind": str(item.kind),
        "title": item.title,
        "url": item.url,
        "source": item.source,
        "also_in": list(item.also_in),
        "language": item.language,
        "published": _time(item.published, zone),
        "author": item.author,
        "summary": item.summary or None,
        "starts": _time(when.starts, own) if when else None,
        "ends": _time(when.ends, own) if when else None,
        "timezone": when.timezone if when else None,
        "all_day": when.all_day if when else None,
        "place": when.place if when else None,
        "online": when.online if when else None,
        "cancelled": when.status is EventStatus.CANCELLED if when else None,
    }


def issue(shown: Issue) -> dict[str, Any]:
    names = [*SECTIONS, *sorted({p.section for p in shown.placed if p.section} - set(SECTIONS))]
    sections = [{"name": name, "items": [p.item.id for p in shown.section(name)]} for name in names]
    return {
        "issue": str(shown.period),
        "state": str(shown.state),
        "sections": sections,
        "bench": [p.item.id for p in shown.section(None)],
    }


def issues(all_of_them: Iterable[Issue]) -> dict[str, Any]:
    return {
        "issues": [
            {
                "issue": str(one.period),
                "number": one.number,
                "state": str(one.state),
                "send_at": _time(one.send_at, "UTC"),
                "sent_at": _time(one.sent_at, "UTC"),
            }
            for one in all_of_them
        ]
    }


def status(shown: Issue, counts: Mapping[DeliveryState, int]) -> dict[str, Any]:
    return {
        "issue": str(shown.period),
        "state": str(shown.state),
        "deliveries": {str(state): counts.get(state, 0) for state in DeliveryState},
    }


def preflight(shown: Issue, checks: Iterable[Check]) -> dict[str, Any]:
    return {
        "issue": str(shown.period),
        "checks": [
            {"id": c.id, "severity": str(c.severity), "outcome": str(c.outcome), "message": c.message_en}
            for c in checks
        ],
    }


def _time(moment: datetime | None, zone: str) -> str | None:
    return moment.astimezone(ZoneInfo(zone)).isoformat() if moment else None
