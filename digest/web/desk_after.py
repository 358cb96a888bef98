"""Beside the month before, and after the letter has left: comparison, counts by domain, the dated correction of the page."""

from collections import Counter
from typing import Any

from flask import Blueprint, Response

from digest.model import DeliveryState, Issue, Language
from digest.render import dates
from digest.render.text import words_in
from digest.render.view import language_name, section_name, source_name
from digest.rules.compare import compare
from digest.rules.pulse import FLOOR
from digest.web import language as tongue
from digest.web.desk_issue import found, frame
from digest.web.pages import page
from digest.web.site import site

_ISSUE = "/issues/<period>/"
_SHOWN = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNSURE)


def add_doors(blueprint: Blueprint) -> None:
    rule = blueprint.add_url_rule
    rule(f"{_ISSUE}compare", view_func=compare_page)


def compare_page(period: str) -> Response:
    issue, words = found(period), tongue.words()
    earlier = [one.period for one in site().app.store.issues.all() if one.period < issue.period]
    before = site().app.store.issues.get(max(earlier), bench=()) if earlier else None
    return page(
        "desk/compare.html", title=words("month.compare_title"), **frame(issue),
        **(_compared(issue, before) if before else {"rows": [], "lines": [], "before": ""}),
    )  # fmt: skip


def _compared(issue: Issue, before: Issue) -> dict[str, Any]:
    words, language, languages = tongue.words(), tongue.spoken(), site().config.list.languages
    homes = {one.name: one.jurisdiction for one in site().config.sources if one.jurisdiction}
    told = compare(issue, before, homes=homes)
    rows = [
        (words("month.compare_items", section=section_name(name, language)), *pair)
        for name, pair in told.sections.items()
    ]
    for code in languages:
        name = words("month.compare_words", language=language_name(code, language))
        rows.append((name, _words_of(issue, code), _words_of(before, code)))
    for tag, pair in told.languages.items():
        spoken = language_name(tag, language) or tag[:8]
        rows.append(
            (
                words("month.compare_language", language=spoken) if tag else words("month.compare_unsaid"),
                *pair,
            )
        )
    for home, pair in told.homes.items():
        key = f"desk.place_{home.replace('-', '_')}" if home else "month.compare_homeless"
        rows.append((words("month.compare_home", place=words(key)), *pair))
    rows.append((words("month.compare_places"), *told.sources))
    named = {key: ", ".join(source_name(name, language) for name in names)
             for key, names in (("new", told.new_sources), ("gone", told.gone_sources)) if names}  # fmt: skip
    lines = [words(f"month.compare_{key}", names=names) for key, names in named.items()] or [
        words("month.compare_same_places")
    ]
    lines.append(words("month.compare_repeated", titles=" · ".join(told.repeated)) if told.repeated
                 else words("month.compare_no_repeats"))  # fmt: skip
    return {
        "before": dates.month(before.period, language), "lines": lines,
        "rows": [{"name": name, "now": dates.number(now, language), "was": dates.number(was, language), "by": now - was}
                 for name, now, was in rows],
    }  # fmt: skip


def _words_of(issue: Issue, code: Language) -> int:
    return words_in(site().app.publish.preview(issue.period, code).text)


# --- after sending -----------------------------------------------------------------------------------------------


def by_domain(issue: Issue) -> list[dict[str, str]]:
    """Counts by mail domain, the largest first; small domains together, and nothing at all where that would be one."""
    language, words = tongue.spoken(), tongue.words()
    found = site().app.store.deliveries.by_domain(issue.id)
    large = {name: counts for name, counts in found.items() if name and sum(counts.values()) >= FLOOR}
    rest: Counter[DeliveryState] = Counter()
    for name, counts in found.items():
        if name not in large:
            rest.update(counts)
    lines = sorted(large.items(), key=lambda one: (-sum(one[1].values()), one[0]))
    if rest:
        lines.append((words("month.domains_others"), dict(rest)))
    return [
        {"name": name, "total": dates.number(sum(counts.values()), language)}
        | {state.value: dates.number(counts.get(state, 0), language) for state in _SHOWN}
        for name, counts in lines
    ] if large else []  # fmt: skip


def corrections(issue: Issue, language: Language) -> list[str]:
    """Dated sentences for the page of an issue, newest first."""
    zone, words = site().config.list.timezone, tongue.words()
    return [words("month.correct_of", day=dates.day(at, zone, tongue.spoken(), year=True), words=said)
            for at, said in site().app.store.corrections.of(issue.id, language)]  # fmt: skip
