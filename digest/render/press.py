"""The press: an issue and a reading in, one edition out; a notice in, its bytes out. It opens templates, nothing else."""

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from jinja2 import Environment, TemplateError

from digest.config import Config
from digest.errors import RenderError
from digest.model import Address, Edition, Issue, Language, NoticeKind, Reading
from digest.render.context import Half, IssueView, LetterContext, Links, LogoView
from digest.render.frozen import written
from digest.render.letter import Compiled, Marks, compile_letter, date_header
from digest.render.logo import Logo
from digest.render.message import (
    alternative,
    header_lines,
    issue_headers,
    notice_headers,
    quoted_printable,
    to_header,
)
from digest.render.templates import environment
from digest.render.theme import themes
from digest.render.view import issue_view, joint_subject
from digest.words import Words

if TYPE_CHECKING:
    from css_inline import CSSInliner

HEAD_CSS = "<!--HEADCSS-->"
CUT_OFF = 98_000  # bytes of HTML as it travels; preflight stops at 100,000, near 102 KB Gmail hides the rest
_LONGEST_LINKS = 1_000
_KEPT = 8  # editions remembered, by everything that is printed in them


class Signer(Protocol):
    """Who puts a signature of ours in front of a message."""

    def letter(self, compiled: Compiled) -> Compiled: ...
    def message(self, data: bytes) -> bytes: ...


class Press:
    """Makes letters of one list. folders: an operator's template folders, the first one winning. signer: for DKIM."""

    def __init__(
        self,
        config: Config,
        *,
        folders: Sequence[Path] = (),
        signer: Signer | None = None,
        logo: Logo | None = None,
    ) -> None:
        self._config = config
        self.logo = logo
        self._signer = signer
        self._templates = environment(folders)
        self._light, self._dark = themes(config)
        self._lately: dict[str, Edition] = {}

    @cached_property
    def _inliner(self) -> "CSSInliner":
        from css_inline import (
            CSSInliner,
        )  # only who prints needs it; 2 MB, which a million letters need not carry

        return CSSInliner(load_remote_stylesheets=False, minify_css=True)

    @property
    def templates(self) -> Environment:
        """The environment, with the operator's folders in front: web/ reads its pages through it too."""
        return self._templates

    def edition(self, issue: Issue, reading: Reading | Language, *, zone: str = "") -> Edition:
        """What one group of readers gets, with marks where their own links will stand, and its compiled letter.

        The same issue and configuration give the same bytes. Raises RenderError.
        """
        reading = Reading(reading)
        views = [issue_view(issue, language, self._config, zone=zone) for language in reading.languages]
        return self.of_views(views, reading, zone=zone)

    def view(self, issue: Issue, language: Language) -> IssueView:
        """What is printed of an issue in one language, for all zones of the list."""
        return issue_view(issue, language, self._config)

    def of_views(self, views: Sequence[IssueView], reading: Reading, *, zone: str = "") -> Edition:
        """The same from what was shown once: one view for each language of the reading. Raises RenderError."""
        mark = sha256(f"{reading} {zone} {views!r}{self._config.list.url}".encode()).hexdigest()
        return self._lately.get(mark) or self._printed(views, reading, zone, mark)

    def _printed(self, views: Sequence[IssueView], reading: Reading, zone: str, mark: str) -> Edition:
        marks = Marks(mark[:24])
        context, html = self._that_fits(views, marks)
        text, first = self.text(context), context.view
        headers = header_lines(issue_headers(self._config, reading, subject=context.subject, period=first.period,
                                             page=first.web_url))  # fmt: skip
        letter = compile_letter(headers, html=html, text=text, marks=marks, mail_to=first.contact).to_bytes()
        digest = sha256(b"\0".join([html.encode(), text.encode(), letter])).hexdigest()
        made = Edition(
            reading=reading, zone=zone, subject=context.subject, html=html, text=text, letter=letter, sha256=digest,
            view="" if zone or reading.is_both else written(first, home=self._config.list.url),
        )  # fmt: skip
        # A page of the desk, its checks and its frame each ask for the same letter. Whoever loses a race prints it again.
        self._lately = dict([*self._lately.items(), (mark, made)][-_KEPT:])
        return made

    def _that_fits(self, views: Sequence[IssueView], marks: Marks) -> tuple[LetterContext, str]:
        """The context and its HTML. Of a letter in both languages the second half tells less when it would be cut off."""
        context = self.context(views, marks)
        html = self.html(context)
        for told in ("titles", "link"):
            if len(views) < 2 or len(quoted_printable(html)) + _LONGEST_LINKS <= CUT_OFF:
                break
            first, second = context.halves
            context = replace(context, halves=(first, replace(second, told=told)))
            html = self.html(context)
        return context, html

    def preview(self, edition: Edition) -> tuple[str, str]:
        """HTML and text with links that do nothing, to be looked at: never a reader's own."""
        marks = self.compiled(edition).marks
        note = f"({Words(edition.language)('letter.own_link')})"
        return (
            marks.filled(edition.html, unsubscribe="#unsubscribe", preferences="#preferences"),
            marks.filled(edition.text, unsubscribe=note, preferences=note),
        )

    def text_for_all(self, view: IssueView) -> str:
        """The text part with words in place of a reader's own links."""
        marks = Marks("0" * 24)
        note = f"({Words(view.language)('letter.own_link')})"
        return marks.filled(self.text(self.context([view], marks)), unsubscribe=note, preferences=note)

    def compiled(self, edition: Edition) -> Compiled:
        """The letter to splice. Raises RenderError when the frozen bytes cannot be read."""
        compiled = Compiled.from_bytes(edition.letter)
        return self._signer.letter(compiled) if self._signer else compiled

    def notice(
        self, kind: NoticeKind, *, to: Address, language: Language, message_id: str, date: datetime,
        link: str | None = None, code: str | None = None, said: Sequence[str] = (),
    ) -> bytes:  # fmt: skip
        """A one-off letter's bytes. It holds nothing of the asker but the address. said: what it is about, a paragraph a
        line. Raises RenderError."""
        words, about = Words(language), self._config.list
        context = {
            "kind": kind.value, "key": kind.value.replace("-", "_"), "words": words, "language": language,
            "link": link, "code": code, "said": said, "list_name": about.name.in_(language), "home_url": self._home(language),
            "contact": about.reply_to or about.from_, "postal_address": about.postal_address.in_(language),
            "archive_url": f"{self._home(language)}issues/", "theme": self._light, "dark": self._dark,
        }  # fmt: skip
        subject = words(f"mail.{kind.value.replace('-', '_')}_subject", name=about.name.in_(language))
        html = self._page(f"mail/{kind.value}.html", context | {"subject": subject})
        text = self._render(f"mail/{kind.value}.txt", context | {"subject": subject})
        own = b"To: %s\r\nDate: %s\r\nMessage-ID: %s\r\n"
        slots = own % (to_header(to), date_header(date), message_id.encode("ascii"))
        headers = header_lines(notice_headers(self._config, language, subject=subject))
        data = alternative(slots + headers, quoted_printable(text), quoted_printable(html))
        return self._signer.message(data) if self._signer else data

    def context(self, views: Sequence[IssueView], marks: Marks) -> LetterContext:
        """What the templates are given. views: top to bottom."""
        halves = tuple(
            Half(
                view=view, words=Words(view.language), anchor="" if view is views[0] else f"{view.language}-"
            )
            for view in views
        )
        subject = views[0].subject if len(views) == 1 else joint_subject(views)
        links = Links(unsubscribe=marks.unsubscribe, preferences=marks.preferences)
        return LetterContext(halves=halves, view=halves[0].view, words=halves[0].words, subject=subject, links=links,
                             theme=self._light, dark=self._dark, logo=self._shown(views[0].list_name))  # fmt: skip

    def _shown(self, name: str) -> LogoView | None:
        url = logo_url(self.logo, self._config)
        return LogoView(url=url, width=self.logo.shown_px, alt=name) if self.logo and url else None

    def html(self, context: LetterContext) -> str:
        return self._page("letter/letter.html", _names(context))

    def text(self, context: LetterContext) -> str:
        return self._render("letter/letter.txt", _names(context))

    def _page(self, template: str, context: dict[str, Any]) -> str:
        """HTML with the styles of inline.css in its elements and those of head.css in its head.

        The inliner drops @media rules, so they are put back after it has run.
        """
        inlined = self._inliner.inline(self._render(template, context))
        head = _tight(self._render("letter/head.css", context))
        before, body, after = inlined.partition("<body")
        if before.count(HEAD_CSS) != 1:
            raise RenderError(f"The template {template} must hold {HEAD_CSS} once, in its head.")
        return before.replace(HEAD_CSS, f"<style>{head}</style>") + body + _without_idle_classes(after, head)

    def _render(self, template: str, context: dict[str, Any]) -> str:
        try:
            return self._templates.get_template(template).render(context)
        except TemplateError as error:
            where = f"{template}, line {error.lineno}" if hasattr(error, "lineno") else template
            raise RenderError(f"The template {where} cannot be used: {error}.") from error

    def _home(self, language: Language) -> str:
        return f"{self._config.list.url}/{'fr/' if language is Language.FR else ''}"


def logo_url(logo: Logo | None, config: Config) -> str | None:
    """Where mail programs find it; another picture has another address."""
    return f"{config.list.url}/logo/{logo.name}" if logo else None


def _tight(css: str) -> str:
    """The same rules in fewer bytes: each one travels with every letter."""
    return re.sub(r"\s*([{};,])\s*", r"\1", " ".join(css.split())).replace(": ", ":").replace(";}", "}")


def _without_idle_classes(html: str, css: str) -> str:
    """Their styles stand in the elements by now; a class is kept where the head still speaks of it."""
    used = set(re.findall(r"\.([a-z][\w-]*)", css))

    def kept(found: re.Match[str]) -> str:
        names = " ".join(name for name in found.group(1).split() if name in used)
        return f' class="{names}"' if names else ""

    return re.sub(r' class="([^"<>]*)"', kept, html)


def _names(context: LetterContext) -> dict[str, Any]:
    return {field.name: getattr(context, field.name) for field in fields(context)}
