"""How each source has been doing, month by month: what it brought, how often it failed and why. Nothing is changed here."""

from datetime import UTC, datetime
from typing import Any

from digest.model import Period, SourceId, SourceMonth
from digest.render import dates
from digest.web import language as tongue
from digest.web.site import site

MONTHS = 6
_HEIGHT, _WIDTH, _STEP = 20, 9, 12  # of the bars, in pixels


def health() -> dict[SourceId, dict[str, Any]]:
    """For each source its last months, oldest first, with bars as high as what each brought, and one sentence."""
    app = site().app
    periods = _periods(app.clock())
    since = datetime(periods[0].year, periods[0].month, 1, tzinfo=UTC)
    found = {(month.source, month.month): month for month in app.store.sources.months(since=since)}
    return {
        source.id: _shown(
            [
                found.get((source.id, str(period)), SourceMonth(source=source.id, month=str(period)))
                for period in periods
            ]
        )
        for source in app.store.sources.all()
    }


def _periods(now: datetime) -> list[Period]:
    found = [Period(now.year, now.month)]
    while len(found) < MONTHS:
        found.insert(0, found[0].previous())
    return found


def _shown(months: list[SourceMonth]) -> dict[str, Any]:
    words, language = tongue.words(), tongue.spoken()
    items, visits = sum(month.items for month in months), sum(month.visits for month in months)
    failed = sum(sum(month.failures.values()) for month in months)
    most = max(month.items for month in months)
    parts = [words("sources.health_items", n=items)]
    if visits:
        of_all = dates.number(visits, language)
        parts.append(
            words("sources.health_failed", n=failed, visits=of_all)
            if failed
            else words("sources.health_well")
        )
    return {
        "says": words("sources.and_then").join(parts), "rows": [_row(month) for month in reversed(months)],
        "bars": [_bar(at, month.items, most=most) for at, month in enumerate(months)],
        "width": MONTHS * _STEP, "height": _HEIGHT,
    }  # fmt: skip


def _bar(at: int, count: int, *, most: int) -> dict[str, int]:
    """A month without anything keeps a line of one pixel, so that the months can be counted."""
    height = max(1, round(_HEIGHT * count / most)) if most else 1
    return {"x": at * _STEP, "y": _HEIGHT - height, "width": _WIDTH, "height": height}


def _row(month: SourceMonth) -> dict[str, str]:
    words, language = tongue.words(), tongue.spoken()
    failures = sorted(month.failures.items(), key=lambda failure: (-failure[1], failure[0]))
    told = [
        f"{dates.number(count, language)} × {words('sources.fail_' + kind.replace('-', '_'))}"
        for kind, count in failures
    ]
    return {
        "month": dates.short_month(Period.parse(month.month), language, year=True), "items": dates.number(month.items, language),
        "visits": dates.number(month.visits, language), "failures": ", ".join(told) or "–",
    }  # fmt: skip
