"""The doors for readers: the front page, asking, confirming, the way to the settings. Opening a page never decides anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Blueprint, Response, request
from werkzeug.exceptions import Gone, NotFound

from digest import errors, join
from digest.join import Ask, Known
from digest.model import Language, Reading, SubscriberState
from digest.render import dates
from digest.render.view import section_name
from digest.rules.consent import Answer
from digest.rules.cuts import CHOICES
from digest.rules.guard import neighbourhood
from digest.rules.next_letter import next_letter
from digest.rules.tokens import Purpose
from digest.web import language as tongue
from digest.web import shelf
from digest.web.pages import page, to
from digest.web.site import post_notices, site

ROLES = (
    "design",
    "development",
    "product",
    "policy",
    "research",
    "data",
    "operations",
    "leadership",
    "other",
)
_ENDED = {SubscriberState.LEFT: "off", SubscriberState.SUSPENDED: "fails"}
_ON_HOME = 4
FAILED = "digest.failed"  # in the environment of a request: what web/doorstep.py met already


@dataclass(frozen=True, slots=True)
class Form:
    """What the form shows: empty, or as somebody sent it, with what is wrong in words."""

    email: str = ""
    language: str = ""
    role: str = ""
    error: str = ""
    note: str = ""
    invitation: str = ""
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Act:
    """One button of a page."""

    path: str
    button: str
    fields: dict[str, str]
    is_main: bool = True


def doors() -> Blueprint:
    blueprint = Blueprint("public", __name__)
    rule = blueprint.add_url_rule
    rule("/", view_func=home)
    rule("/subscribe", view_func=subscribe, methods=["POST"])
    rule("/code", view_func=code_page)
    rule("/code", view_func=confirm_code, methods=["POST"])
    rule("/confirm/<token>", view_func=confirm_page)
    rule("/confirm/<token>", view_func=confirm, methods=["POST"])
    rule("/manage", view_func=manage_page)
    rule("/manage", view_func=manage, methods=["POST"])
    return blueprint


# --- the front page and asking -----------------------------------------------------------------------------------


def home() -> Response:
    return _home(Form(language=first_language()))


def shown_again(error: str) -> dict[str, Any]:
    """A form that comes back filled in needs no time to be typed; it counts as shown a little earlier."""
    return {"shown_form": lambda: site().app.join.form(typed_before=True)} if error else {}


def in_words(reading: Reading) -> str:
    """The key of `in English`, `en français et en anglais`."""
    return f"web.in_{reading.replace('+', '_')}"


def first_language() -> str:
    """The page's own language where the letter has it, else the letter's first."""
    offered = site().config.list.languages
    return (tongue.spoken() if tongue.spoken() in offered else offered[0]).value


def _home(form: Form, *, status: int = 200) -> Response:
    language, newest = tongue.spoken(), shelf.newest()
    issue = shelf.view(newest, language) if newest else None
    # The two first columns; what does not fit on the front page is one click away.
    columns = [
        {"name": section.id, "title": section.name, "items": section.items[:_ON_HOME],
         "rest": max(0, len(section.items) - _ON_HOME)}
        for section in (issue.sections[:2] if issue else ())
    ]  # fmt: skip
    return page(
        "home.html", status=status, title="", is_public=True, form=form, issue=issue, columns=columns,
        next_send=next_send(), **form_values(), **shown_again(form.error),
    )  # fmt: skip


def form_values() -> dict[str, Any]:
    """What form.html needs besides the form itself."""
    config, language = site().config, tongue.spoken()
    signup = config.signup
    sections = [
        (one, section_name(one, language, config=config)) for one in config.letter.sections if one in CHOICES
    ]
    return {"roles": ROLES, "sections": sections if len(sections) > 1 else [],
            "policy": signup.policy, "wording": signup.wording.in_(language), "notice": signup.notice.in_(language)}  # fmt: skip


def known_zone(name: str) -> str | None:
    """A time zone as typed, if there is one of that name."""
    try:
        return ZoneInfo(name).key if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def next_send() -> str:
    """The day of the next issue that reaches somebody who comes now, in words."""
    config, app = site().config, site().app
    at = next_letter(
        app.store.issues.all(),
        line=config.schedule.send,
        zone=config.list.timezone,
        now=app.clock(),
    )
    return dates.long_day(at, config.list.timezone, tongue.spoken())


def subscribe() -> Response:
    """The same bytes for every address that is one; whether it is known, only its mailbox learns."""
    failed = request.environ.get(FAILED)
    if failed is not None:
        raise failed
    pairs = list(request.form.items(multi=True))
    try:
        site().app.join.ask(ask_in(pairs, path=request.path, ip=request.remote_addr))
    except errors.AddressRefused:
        return _home(replace(typed(pairs), error=tongue.words()("web.email_error")), status=400)
    post_notices()
    return asked()


def typed(pairs: Sequence[tuple[str, str]]) -> Form:
    """Of a field that comes twice the first counts, but for topics."""
    fields = dict(reversed(pairs))
    return Form(
        email=fields.get("email", "").strip()[:320],
        language=fields.get("language", ""),
        role=fields.get("role", ""),
        note=fields.get("note", "")[:1000],
        invitation=fields.get("invitation", "")[:64],
        topics=topics([value for name, value in pairs if name == "topics"]),
    )


def ask_in(pairs: Sequence[tuple[str, str]], *, path: str, ip: str | None) -> Ask:
    """What somebody asks for with these fields of the form."""
    fields, sent = dict(reversed(pairs)), typed(pairs)
    return Ask(
        address=sent.email, language=sent.language or None, role=sent.role if sent.role in ROLES else None,
        timezone=known_zone(fields.get("timezone", "")), topics=sent.topics,
        note=sent.note, invitation=sent.invitation, page=path, network=neighbourhood(ip), ip=ip,
        form=join.Form(token=fields.get("form", ""), trap=fields.get("nickname", "")), read_in=tongue.of_path(path),
    )  # fmt: skip


def asked(**values: Any) -> Response:
    """The answer to everybody who asked."""
    return _code(title="asked", paragraphs=("asked_lead", "asked_more"), **values)


def topics(sent: list[str]) -> tuple[str, ...]:
    """Sections as a form or a program sends them: several fields, or one with spaces or commas."""
    return tuple(word for text in sent[:9] for word in text[:200].replace(",", " ").split())


def network() -> str | None:
    """Where the form came from, shortened so that it names a neighbourhood and not a person."""
    return neighbourhood(request.remote_addr)


def shown() -> join.Form:
    """What proves that our form was shown; the guard of sign-up judges it."""
    return join.Form(token=request.form.get("form", ""), trap=request.form.get("nickname", ""))


# --- confirming --------------------------------------------------------------------------------------------------


def code_page() -> Response:
    return _code(title="code_alone", paragraphs=("code_alone_lead",))


def _code(
    *, title: str, paragraphs: tuple[str, ...], sent: Form | None = None, code: str = "", status: int = 200,
    **values: Any,
) -> Response:  # fmt: skip
    """A page with the form for the six digits of the letter."""
    words = tongue.words()
    heading = words(f"web.{title}_title")
    return page("code.html", status=status, title=heading, heading=heading, is_asked=title == "asked",
                paragraphs=[words(f"web.{name}") for name in paragraphs], form=sent or Form(), code=code, **values)  # fmt: skip


def confirm_code() -> Response:
    """The same as the link, by six digits typed where one asked. What does not fit is told in one sentence for all."""
    email, code = request.form.get("email", "").strip()[:320], request.form.get("code", "")[:20]
    try:
        known = site().app.join.confirm_code(
            email, code, ip=request.remote_addr, page=request.path, network=network()
        )
    except errors.InputRefused as refused:
        name = "email_error" if isinstance(refused, errors.AddressRefused) else "code_error"
        sent = Form(email=email, error=tongue.words()(f"web.{name}"))
        return _code(title="code_alone", paragraphs=("code_alone_lead",), sent=sent, code=code, status=400)
    post_notices()
    return _confirmed(known)


def confirm_page(token: str) -> Response:
    known = who(token, allowed=frozenset({Purpose.CONFIRM}))
    if not site().app.join.may_confirm(known):
        raise refused(token)
    if known.answer is Answer.ALREADY:
        return about(known, "already")
    button = Act(here(), tongue.words()("web.confirm_button"), {})
    return about(known, "confirm", actions=[button])


def confirm(token: str) -> Response:
    who(token, allowed=frozenset({Purpose.CONFIRM}))
    try:
        known = site().app.join.confirm(token, page=request.path, network=network())
    except errors.TokenRefused:
        raise refused(token) from None
    post_notices()
    return _confirmed(known)


def _confirmed(known: Known) -> Response:
    """What comes when, and the newest issue to read meanwhile."""
    if known.answer is not Answer.DONE:
        return about(known, "already" if known.answer is Answer.ALREADY else "waiting")
    newest, language = shelf.newest(), tongue.spoken()
    read = [(to(f"/issues/{newest.period}"), tongue.words()("web.confirmed_read", month=dates.month(newest.period, language)))
            ] if newest else []  # fmt: skip
    return about(known, "confirmed", "confirmed_more", links=read)


# --- the way to the settings -------------------------------------------------------------------------------------


def manage_page() -> Response:
    return _manage()


def _manage(*, email: str = "", error: str = "", status: int = 200) -> Response:
    return page("manage.html", status=status, title=tongue.words()("web.manage_title"), is_public=True,
                email=email, error=error, **shown_again(error))  # fmt: skip


def manage() -> Response:
    email = request.form.get("email", "").strip()[:320]
    try:
        site().app.join.manage(email, form=shown(), ip=request.remote_addr)
    except errors.AddressRefused:
        return _manage(email=email, error=tongue.words()("web.email_error"), status=400)
    post_notices()
    return say("asked", "manage_asked_lead", mentions_letter=True)


# --- inside ------------------------------------------------------------------------------------------------------


def who(token: str, *, allowed: frozenset[Purpose]) -> Known:
    """The person behind a link; from here on the page speaks their language. Aborts with 404 or 410."""
    try:
        known = site().app.join.who(token, allowed=allowed)
    except errors.TokenRefused:
        raise refused(token) from None
    site().app.join.seen(known)
    tongue.speak(known.subscriber.language.first)
    return known


def refused(token: str) -> Exception:
    """410 for a link we made whose time is over, 404 for one that we never made."""
    here = site().app
    tongue.speak(tongue.preferred())
    try:
        ours = here.links.read(token, allowed=frozenset(Purpose), now=datetime.min.replace(tzinfo=UTC))
    except (errors.TokenRefused, ValueError, OverflowError):
        return NotFound("broken link")
    try:
        known = here.store.subscribers.get(ours.subscriber)
    except errors.NotFound:
        return Gone("forgotten")
    tongue.speak(known.language.first)
    # Only who holds a link that we made for them reads this; a stranger's guess is broken above.
    return Gone(_ENDED.get(known.state, "expired link"))


def about(
    known: Known, heading: str, *more: str, actions: list[Act] | None = None,
    links: list[tuple[str, str]] | None = None, why: Mapping[str, Any] | None = None,
) -> Response:  # fmt: skip
    """A page about one person, who is named by the masked address only. why: the question to who has just left."""
    words = tongue.words()
    slots = {"address": known.subscriber.address.masked, "day": next_send(),
             "language": words(in_words(known.subscriber.language))}  # fmt: skip
    paragraphs = [words(f"web.{heading}_lead", **slots), *(words(f"web.{name}", **slots) for name in more)]
    title = words(f"web.{heading}_title")
    return page("say.html", title=title, heading=title, paragraphs=paragraphs, actions=actions or [], links=links or [],
                mentions_letter=False, also=None, said="", why=why)  # fmt: skip


def say(heading: str, *texts: str, mentions_letter: bool = False) -> Response:
    words = tongue.words()
    title = words(f"web.{heading}_title")
    return page("say.html", title=title, heading=title, paragraphs=[words(f"web.{name}") for name in texts], actions=[],
                links=[], mentions_letter=mentions_letter, also=None, said="")  # fmt: skip


def again() -> list[tuple[str, str]]:
    return [(to("/"), tongue.words()("web.start_again"))]


def here(path: str | None = None) -> str:
    """Where the buttons of this page post to: itself, or a bare path, in the language it is shown in."""
    query = "?lang=en" if request.args.get("lang") == Language.EN else ""
    shown = request.path if path is None else tongue.path_in(tongue.of_path(request.path), path)
    return f"{request.script_root}{shown}{query}"
