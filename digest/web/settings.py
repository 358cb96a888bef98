"""One's own settings. The link in a letter chooses the language or leaves; a link mailed a moment ago does all the rest."""

import csv
import io
import json
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from digest import errors
from digest.join import Known
from digest.join_choices import Choice, dossier_rows
from digest.model import Cadence, DeliveryState, IssueId, Period, Subscriber, SubscriberState
from digest.render import dates
from digest.render.view import section_name
from digest.rules import consent
from digest.rules.consent import Answer
from digest.rules.cuts import CHOICES
from digest.rules.roster_columns import neutral
from digest.rules.tokens import Purpose
from digest.web import language as tongue
from digest.web import leaving, public
from digest.web.pages import page
from digest.web.public import Act
from digest.web.site import post_notices, site

ZONES = (
    "America/St_Johns",
    "America/Halifax",
    "America/Toronto",
    "America/Winnipeg",
    "America/Regina",
    "America/Edmonton",
    "America/Vancouver",
    "America/Whitehorse",
)
_SETTLES = frozenset({Purpose.LETTER, Purpose.MANAGE})
_MANAGES = frozenset({Purpose.MANAGE})
_LEAVES_AS_IT_IS = frozenset(
    {DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.COMMITTING, DeliveryState.DEFERRED}
)


def doors() -> Blueprint:
    blueprint = Blueprint("settings", __name__)
    rule = blueprint.add_url_rule
    rule("/preferences/<token>", view_func=settings_page)
    rule("/preferences/<token>", view_func=settings, methods=["POST"])
    rule("/preferences/<token>/address", view_func=ask_address, methods=["POST"])
    rule("/preferences/<token>/mine.json", view_func=mine_json)
    rule("/preferences/<token>/mine.csv", view_func=mine_csv)
    rule("/preferences/<token>/forget", view_func=forget_page)
    rule("/preferences/<token>/forget", view_func=forget, methods=["POST"])
    rule("/address/<token>", view_func=address_page)
    rule("/address/<token>", view_func=move, methods=["POST"])
    return blueprint


# --- choices -----------------------------------------------------------------------------------------------------


def settings_page(token: str) -> Response:
    known, did = public.who(token, allowed=_SETTLES), request.args.get("did")
    said = tongue.words()("web.address_asked") if did == "asked" else ""
    return _settings(known, token, saved=did == "saved", said=said)


def _kept(token: str, *, did: str) -> AnyResponse:
    """To the page that says what was done, by GET: so Back and Reload send nothing twice."""
    path = public.here(f"/preferences/{token}")
    return redirect(f"{path}{'&' if '?' in path else '?'}did={did}", 303)


def settings(token: str) -> AnyResponse:
    known = public.who(token, allowed=_SETTLES)
    if request.form.get("leave") == "1":
        return _leave(token)
    if request.form.get("undo") == "1":
        return leaving.leave(token)
    if request.form.get("language") not in consent.readings(site().config.list.languages):
        return _settings(known, token)
    if known.token.purpose is Purpose.MANAGE and "cadence" in request.form:
        return _save(known, token)
    site().app.join.choose(token, language=request.form["language"], page=request.path)
    return _kept(token, did="saved")


def _leave(token: str) -> AnyResponse:
    """Leaving ends a mailed link, so the page that offers the undo stands behind the leaving link, which never ends."""
    gone = site().app.join.leave(token, method="link", page=request.path).subscriber
    link = site().app.links.unsubscribe(gone.id, version=gone.version, issue=IssueId(0))
    path = public.here(f"/unsubscribe/{link.rpartition('/')[2]}")
    return redirect(f"{path}{'&' if '?' in path else '?'}why=1", 303)


def _save(known: Known, token: str) -> AnyResponse:
    sent = request.form
    try:
        until = date.fromisoformat(sent["pause_until"]) if sent.get("pause_until") else None
        choice = Choice(
            language=sent["language"], timezone=sent.get("timezone", ""), cadence=sent["cadence"], pause_until=until,
            topics=tuple(sent.getlist("topics")),
            role=sent["role"] if sent.get("role") in public.ROLES else "",
        )  # fmt: skip
        site().app.join.choices.save(token, choice, page=request.path)
    except (ValueError, errors.InputRefused):
        return _settings(known, token, error=tongue.words()("web.pause_error"), status=400, sent=sent)
    return _kept(token, did="saved")


def _settings(
    known: Known, token: str, *, saved: bool = False, error: str = "", said: str = "", status: int = 200,
    sent: MultiDict[str, str] | None = None, email: str = "",
) -> Response:  # fmt: skip
    """sent, email: what somebody typed into a form that was refused; it is not theirs to type again."""
    is_fresh = known.token.purpose is Purpose.MANAGE
    if known.subscriber.state is SubscriberState.LEFT:
        return leaving.left(known, links=_own(token) if is_fresh else ())
    words, chosen = tongue.words(), sent["language"] if sent else known.subscriber.language
    full = {**_full(known, token), **_typed(sent), "email": email} if is_fresh else None
    late = _on_its_way(known.subscriber) if saved else ""
    return page(
        "preferences.html", status=status, title=words("web.settings_title"), masked=known.subscriber.address.masked,
        action=public.here(f"/preferences/{token}"), chosen=chosen, saved=saved,
        kept=_kept_says(known.subscriber) if saved else "",
        readings=consent.readings(site().config.list.languages), full=full, error=error, said=said, late=late,
    )  # fmt: skip


def _kept_says(reader: Subscriber) -> str:
    """What follows from what was chosen, for somebody who gets letters, and for who gets none just now."""
    words, until = tongue.words(), _pausing(reader)
    name = {SubscriberState.SUSPENDED: "fails", SubscriberState.WAITING: "waiting"}.get(reader.state, "")
    name = name or ("paused" if until else "")
    slots = {"language": words(public.in_words(reader.language)), "day": _day(until, reader) if until else ""}
    return words(f"web.settings_saved_{name}" if name else "web.settings_saved", **slots)


def _pausing(reader: Subscriber) -> datetime | None:
    """When letters come again to somebody who pauses."""
    until = reader.paused_until
    return until if until is not None and until > site().app.clock() else None


def _day(at: datetime, reader: Subscriber) -> str:
    return dates.long_day(at, reader.timezone or site().config.list.timezone, tongue.spoken())


def _own(token: str) -> list[tuple[str, str]]:
    """What somebody who has left may still want of us: a copy, or to be forgotten."""
    named = (("mine.json", "own_json"), ("mine.csv", "own_csv"), ("forget", "forget_link"))
    return [
        (public.here(f"/preferences/{token}/{path}"), tongue.words()(f"web.{name}")) for path, name in named
    ]


def _on_its_way(reader: Subscriber) -> str:
    """Says so when the next letter was made before this was chosen."""
    waiting = [
        one.issue for one in site().app.store.deliveries.of(reader.id) if one.state in _LEAVES_AS_IT_IS
    ]
    if not waiting:
        return ""
    month = dates.month(Period.parse(waiting[-1]), tongue.spoken())
    return tongue.words()("web.settings_on_its_way", month=month)


def _typed(sent: MultiDict[str, str] | None) -> dict[str, Any]:
    """A refused form, as it came."""
    if sent is None:
        return {}
    language, config = tongue.spoken(), site().config
    wanted = sent.getlist("topics")
    return {
        "zone": sent.get("timezone", ""), "role": sent.get("role", ""), "cadence": sent.get("cadence", ""),
        "pause": sent.get("pause_until", "")[:10],
        "topics": [(one, section_name(one, language, config=config), one in wanted)
                   for one in config.letter.sections if one in CHOICES],
    }  # fmt: skip


def _full(known: Known, token: str) -> dict[str, Any]:
    """What a fresh link shows besides the language."""
    reader, app, language = known.subscriber, site().app, tongue.spoken()
    zone = reader.timezone or ""
    zones = [*ZONES, *({zone} - {*ZONES, ""})]
    is_in = reader.state is SubscriberState.CONFIRMED
    until = _pausing(reader)
    local = until.astimezone(ZoneInfo(zone or site().config.list.timezone)) if until else None
    return {
        "zone": zone, "zones": [(one, dates.zone_name(one, app.clock(), language)) for one in zones],
        "roles": public.ROLES, "role": reader.role or "", "cadence": reader.cadence.value,
        "cadences": [one.value for one in Cadence], "comes": _comes(reader),
        "topics": [(one, section_name(one, language, config=site().config), not reader.topics or one in reader.topics)
                   for one in site().config.letter.sections if one in CHOICES],
        "pause": local.date().isoformat() if local else "", "fails": reader.state is SubscriberState.SUSPENDED,
        "paused": _day(until, reader) if until else "",
        "address": public.here(f"/preferences/{token}/address"), "forget": public.here(f"/preferences/{token}/forget"),
        "hello": public.here(f"/preferences/{token}/hello"),
        "json": public.here(f"/preferences/{token}/mine.json"), "csv": public.here(f"/preferences/{token}/mine.csv"),
        "invitation": app.join.gate.invitation(token) if is_in and site().config.signup.policy == "domains" else "",
    }  # fmt: skip


def _comes(reader: Subscriber) -> str:
    """What these choices bring, in a sentence. Sections are chosen of every issue; the other cadences have their own."""
    language = tongue.spoken()
    if reader.cadence is not Cadence.EVERY:
        return tongue.words()(f"web.settings_{reader.cadence.value}")
    if not reader.topics:
        return tongue.words()("web.settings_every")
    names = ", ".join(section_name(one, language, config=site().config) for one in reader.topics)
    return tongue.words()("web.settings_topics", topics=names)


# --- another address ---------------------------------------------------------------------------------------------


def ask_address(token: str) -> AnyResponse:
    """The same answer whether or not somebody reads at the new address already."""
    known = public.who(token, allowed=_MANAGES)
    try:
        site().app.join.choices.ask_address(token, request.form.get("email", "").strip()[:320])
    except errors.TokenRefused:
        raise public.refused(token) from None
    except errors.AddressRefused:
        error = tongue.words()("web.email_error")
        return _settings(known, token, error=error, status=400, email=request.form.get("email", "")[:320])
    post_notices()
    return _kept(token, did="asked")


def address_page(token: str) -> Response:
    known = public.who(token, allowed=frozenset({Purpose.ADDRESS}))
    button = Act(public.here(f"/address/{token}"), tongue.words()("web.address_button"), {})
    return public.about(known, "address", actions=[button])


def move(token: str) -> Response:
    public.who(token, allowed=frozenset({Purpose.ADDRESS}))
    try:
        known = site().app.join.choices.move(token, page=request.path, network=public.network())
    except errors.TokenRefused:
        raise public.refused(token) from None
    post_notices()
    return public.about(known, "waiting" if known.answer is Answer.WAITING else "moved")


# --- a copy, the end ---------------------------------------------------------------------------------------------


def mine_json(token: str) -> Response:
    known = _mine(token)
    return _file(json.dumps(known, ensure_ascii=False, indent=2), "application/json", "digest.json")


def mine_csv(token: str) -> Response:
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(("what", "value"))
    rows.writerows((name, neutral(value)) for name, value in dossier_rows(_mine(token)))
    return _file(text.getvalue(), "text/csv", "digest.csv")


def _mine(token: str) -> dict[str, Any]:
    public.who(token, allowed=_MANAGES)
    return site().app.join.choices.dossier(token)


def _file(text: str, kind: str, name: str) -> Response:
    response = Response(text, content_type=f"{kind}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def forget_page(token: str) -> Response:
    known = public.who(token, allowed=_MANAGES)
    button = Act(public.here(f"/preferences/{token}/forget"), tongue.words()("web.forget_button"), {})
    return public.about(known, "forget", "forget_more", actions=[button])


def forget(token: str) -> Response:
    public.who(token, allowed=_MANAGES)
    try:
        site().app.join.choices.forget(token)
    except errors.TokenRefused:
        raise public.refused(token) from None
    post_notices()
    return public.say("forgotten", "forgotten_lead")
