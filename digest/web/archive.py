"""The issues everyone may read, as pages, text, data, feeds and calendars. Nothing of any reader is in them, ever."""

import json
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from flask import Blueprint, make_response
from werkzeug.wrappers import Response as AnyResponse

from digest.errors import NotFound
from digest.model import Issue, Item, ItemId, Language, Period, Placed
from digest.render import dates
from digest.render.calendar import event_file, issue_file, subscription_file
from digest.render.card import can_draw, card
from digest.render.context import IssueView
from digest.render.linked import issue_data
from digest.render.markdown import issue_markdown
from digest.render.theme import themes
from digest.render.view import item_view
from digest.web import language as tongue
from digest.web import shelf
from digest.web.desk_after import corrections
from digest.web.pages import page, public_url, rendered
from digest.web.public import next_send
from digest.web.security import keep_public
from digest.web.site import site

_IN_FEEDS = 20
_IN_CALENDAR = 13  # a year's issues and the newest


def doors() -> Blueprint:
    blueprint = Blueprint("archive", __name__)
    rule = blueprint.add_url_rule
    rule("/issues/", view_func=issues)
    rule("/issues/<period>", view_func=issue_page)
    rule("/issues/<period>.txt", view_func=issue_text)
    rule("/issues/<period>.md", view_func=issue_md)
    rule("/issues/<period>.json", view_func=issue_json)
    rule("/issues/<period>.ics", view_func=issue_calendar)
    rule("/issues/<period>.png", view_func=issue_card)
    rule("/logo/<name>", view_func=logo)
    rule("/items/<int:number>", view_func=item_page)
    rule("/items/<int:number>.ics", view_func=item_calendar)
    rule("/feed.xml", view_func=rss)
    rule("/feed.atom", view_func=atom)
    rule("/feed.json", view_func=json_feed)
    rule("/events.ics", view_func=calendar)
    return blueprint


# --- pages -------------------------------------------------------------------------------------------------------


def issues() -> AnyResponse:
    language = tongue.spoken()
    views = [shelf.view(issue, language) for issue in shelf.latest(1000)]
    return keep_public(page("issues.html", title=tongue.words()("web.archive_title"), is_public=True, issues=views,
                            next_send=next_send()))  # fmt: skip


def issue_page(period: str) -> AnyResponse:
    issue, language = shelf.public_issue(period), tongue.spoken()
    view, months = shelf.view(issue, language), shelf.published()
    here = months.index(issue.period)
    return keep_public(
        page(
            "issue.html", title=view.title, is_public=True, issue=view, sent_day=_sent_day(issue),
            corrections=corrections(issue, language),
            data=issue_data(view, published=_dated(issue)), card=f"{view.web_url}.png" if can_draw() else "",
            later=_neighbour(months[here - 1] if here else None),
            earlier=_neighbour(months[here + 1] if here + 1 < len(months) else None),
        )
    )  # fmt: skip


def _neighbour(period: Period | None) -> dict[str, str] | None:
    return {"period": str(period), "month": dates.month(period, tongue.spoken())} if period else None


def _sent_day(issue: Issue) -> str:
    return dates.long_day(_dated(issue), site().config.list.timezone, tongue.spoken())


def item_page(number: int) -> AnyResponse:
    issue, placed = _public_item(number)
    language = tongue.spoken()
    item = item_view(placed, language, site().config)
    return keep_public(
        page("item.html", title=item.title, is_public=True, item=item, issue=shelf.view(issue, language),
             month=dates.month(issue.period, language))
    )  # fmt: skip


def _public_item(number: int) -> tuple[Issue, Placed]:
    """Raises NotFound for an item that stands in no public issue."""
    for issue in shelf.latest(1000):
        for placed in issue.placed:
            if placed.item.id == number and placed.section is not None:
                return issue, placed
    raise NotFound("There is no such item.")


# --- text and data -----------------------------------------------------------------------------------------------


def issue_text(period: str) -> AnyResponse:
    """The text part of the letter that was sent; the links that were a reader's own lead to pages for everyone."""
    view = shelf.view(shelf.public_issue(period), tongue.spoken())
    return _file(site().app.press.text_for_all(view), "text/plain; charset=utf-8")


def issue_md(period: str) -> AnyResponse:
    """To paste where people talk."""
    view = shelf.view(shelf.public_issue(period), tongue.spoken())
    return _file(issue_markdown(view), "text/markdown; charset=utf-8")


def issue_card(period: str) -> AnyResponse:
    """The picture that is shown where somebody shares the issue."""
    issue = shelf.public_issue(period)
    if not can_draw():
        raise NotFound("No pictures are drawn here.")
    return _file(card(shelf.view(issue, tongue.spoken()), themes(site().config)[0]), "image/png")


def issue_json(period: str) -> AnyResponse:
    issue, language = shelf.public_issue(period), tongue.spoken()
    view = shelf.view(issue, language)
    by_id = {placed.item.id: placed.item for placed in issue.placed}
    data = {
        "issue": view.period, "number": view.number, "language": language.value, "title": view.title,
        "url": view.web_url, "published": _dated(issue).isoformat(),
        "note": "\n\n".join("".join(run.url or run.text for run in paragraph) for paragraph in view.note),
        "sections": [
            {"name": section.id, "title": section.name,
             "items": [{**_item_json(by_id[ItemId(item.id)]), "title": item.title, "summary": item.blurb}
                       for item in section.items]}
            for section in view.sections
        ],
    }  # fmt: skip
    return _json(data, "application/json")


def _item_json(item: Item) -> dict[str, Any]:
    """The names of `digest items --json`, without what belongs to editors only."""
    when = item.occasion
    return {
        "id": item.id, "kind": item.kind.value, "title": item.title, "url": item.url, "source": item.source,
        "also_in": list(item.also_in), "language": item.language, "author": item.author,
        "published": item.published.isoformat() if item.published else None,
        "starts": when.starts.isoformat() if when else None,
        "ends": when.ends.isoformat() if when and when.ends else None,
        "timezone": when.timezone if when else None, "all_day": when.all_day if when else None,
        "place": when.place if when else None, "online": when.online if when else None,
        "cancelled": when.status.value == "cancelled" if when else None,
    }  # fmt: skip


# --- feeds -------------------------------------------------------------------------------------------------------


def rss() -> AnyResponse:
    return _file(rendered("rss.xml", **_feed("/feed.xml")), "application/rss+xml; charset=utf-8")


def atom() -> AnyResponse:
    return _file(rendered("atom.xml", **_feed("/feed.atom")), "application/atom+xml; charset=utf-8")


def json_feed() -> AnyResponse:
    """JSON Feed 1.1."""
    feed = _feed("/feed.json")
    data = {
        "version": "https://jsonfeed.org/version/1.1", "title": feed["title"], "description": feed["description"],
        "home_page_url": feed["home_url"], "feed_url": feed["self_url"], "language": tongue.spoken().value,
        "items": [
            {"id": entry["url"], "url": entry["url"], "title": entry["view"].title, "summary": entry["view"].preheader,
             "content_html": entry["html"], "content_text": site().app.press.text_for_all(entry["view"]),
             "language": entry["view"].language.value, "date_published": entry["atom_date"],
             "attachments": [{"url": entry["view"].calendar_url, "mime_type": "text/calendar"}]
             if entry["view"].calendar_url else []}
            for entry in feed["entries"]
        ],
    }  # fmt: skip
    return _json(data, "application/feed+json")


def _feed(path: str) -> dict[str, Any]:
    language, about = tongue.spoken(), site().config.list
    issues = shelf.latest(_IN_FEEDS)
    entries = [_entry(issue, shelf.view(issue, language)) for issue in issues]
    return {
        "title": about.name.in_(language), "description": about.description.in_(language),
        "home_url": public_url("/", language), "self_url": public_url(path, language), "entries": entries,
        "updated": entries[0]["atom_date"] if entries else site().app.clock().isoformat(timespec="seconds"),
        "built": entries[0]["rss_date"] if entries else None,
    }  # fmt: skip


def _entry(issue: Issue, view: IssueView) -> Mapping[str, Any]:
    dated = _dated(issue)
    return {"view": view, "url": view.web_url, "html": rendered("feed_body.html", issue=view),
            "atom_date": dated.isoformat(timespec="seconds"), "rss_date": format_datetime(dated)}  # fmt: skip


def _dated(issue: Issue) -> datetime:
    return issue.sending_since or issue.sent_at or issue.send_at


# --- calendars ---------------------------------------------------------------------------------------------------


def issue_calendar(period: str) -> AnyResponse:
    issue, config = shelf.public_issue(period), site().config
    return _calendar(issue_file(issue, config=config, language=tongue.spoken(), now=_dated(issue)))


def item_calendar(number: int) -> AnyResponse:
    issue, placed = _public_item(number)
    if placed.item.occasion is None:
        raise NotFound("This item is no event.")
    return _calendar(
        event_file(placed.item, config=site().config, language=tongue.spoken(), now=_dated(issue))
    )


def calendar() -> AnyResponse:
    """Every event of a year's issues, each once."""
    issues = shelf.latest(_IN_CALENDAR)
    told: dict[ItemId, Item] = {}
    for issue in issues:
        told.update(
            {p.item.id: p.item for p in issue.placed if p.section is not None and p.item.occasion is not None}
        )
    now = _dated(issues[0]) if issues else site().app.clock()
    return _calendar(
        subscription_file(list(told.values()), config=site().config, language=tongue.spoken(), now=now)
    )


def _calendar(body: bytes) -> AnyResponse:
    return _file(body, "text/calendar; charset=utf-8; method=PUBLISH")


# --- inside ------------------------------------------------------------------------------------------------------


def logo(name: str) -> AnyResponse:
    """The picture at the head of the letter: today's, or of a letter that was approved with another. Its name is of its
    bytes, so nobody needs to ask for it twice."""
    picture = site().app.press.logo
    if picture is not None and name == picture.name:
        return _file(picture.data, picture.kind)
    if (kept := site().app.store.logos.find(name)) is None:
        raise NotFound("There is no such picture.")
    kind, data = kept
    return _file(data, kind)


def _file(body: str | bytes, kind: str, *, language: Language | None = None) -> AnyResponse:
    response = make_response(body)
    response.headers["Content-Type"] = kind
    response.headers["Content-Language"] = (language or tongue.spoken()).value
    return keep_public(response)


def _json(data: Mapping[str, Any], kind: str) -> AnyResponse:
    return _file(json.dumps(data, ensure_ascii=False, indent=1) + "\n", f"{kind}; charset=utf-8")
