"""What a webhook is told: plain JSON, or blocks as Slack shows them. What a source wrote is text there, never markup."""

import json
from collections.abc import Sequence
from typing import Any

from digest.config import Config
from digest.model import Issue
from digest.render.context import IssueView, ItemView
from digest.render.view import issue_view
from digest.words import Words

_LONGEST, _MOST_BLOCKS = 2_900, 48  # Slack takes 3,000 characters a block and 50 blocks a message


def said(config: Config, *, kind: str, link: str, lines: Sequence[str] = ()) -> str:
    """The payload of a reminder, in the list's first language. lines: what it is about."""
    language = config.list.languages[0]
    words, name, key = Words(language), config.list.name.in_(language), kind.replace("-", "_")
    title, body = words(f"mail.{key}_title", name=name), words(f"mail.{key}_body", name=name)
    body = "\n".join([body, *lines])[:_LONGEST]
    if config.webhook.is_slack:
        blocks = [
            _section(f"*{mrkdwn(title)}*\n{mrkdwn(body)}"),
            _section(f"<{link}|{mrkdwn(words(f'mail.{key}_button'))}>"),
        ]
        return _json({"text": title, "blocks": blocks})
    return _json(
        {"kind": kind, "list": name, "language": language.value, "title": title, "text": body, "url": link}
    )


def sent(issue: Issue, config: Config) -> str:
    """The payload of an issue that has been sent."""
    view = issue_view(issue, config.list.languages[0], config)
    return _json(slack_issue(view) if config.webhook.is_slack else plain_issue(view, issue))


def plain_issue(view: IssueView, issue: Issue) -> dict[str, Any]:
    return {
        "kind": "sent", "list": view.list_name, "language": view.language.value, "issue": str(issue.period),
        "title": view.title, "subject": view.subject, "url": view.web_url,
        "sections": [
            {"name": section.name, "items": [_plain(item) for item in section.items]}
            for section in view.sections if section.items
        ],
    }  # fmt: skip


def _plain(item: ItemView) -> dict[str, Any]:
    return {"title": item.title, "url": item.url, "source": item.source, "blurb": item.blurb,
            "starts": item.when.starts if item.when else None}  # fmt: skip


def slack_issue(view: IssueView) -> dict[str, Any]:
    """The issue as Block Kit: a heading, the glance, a list a section, the way to the whole. Long ones are cut at an item."""
    words = Words(view.language)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": view.title[:150], "emoji": False}},
    ]
    if view.glance:
        blocks.append(
            {
                "type": "context",
                "elements": [{"type": "mrkdwn", "text": mrkdwn(" · ".join(view.glance))[:_LONGEST]}],
            }
        )
    for section in view.sections:
        blocks += [
            _section(part)
            for part in _parts(f"*{mrkdwn(section.name)}*", [_line(item) for item in section.items])
        ]
    way = _section(f"<{view.web_url}|{mrkdwn(words('letter.read_on_the_web'))}>")
    return {"text": view.subject, "blocks": [*blocks[:_MOST_BLOCKS], {"type": "divider"}, way]}


def _parts(head: str, lines: list[str]) -> list[str]:
    parts, here = [], head
    for line in lines:
        if len(here) + len(line) + 1 > _LONGEST:
            parts.append(here)
            here = line
        else:
            here = f"{here}\n{line}"
    return [*parts, here] if lines else []


def _line(item: ItemView) -> str:
    title = mrkdwn(" ".join(item.title.split()))[:300]
    when = f"{mrkdwn(item.when.line)} · " if item.when else ""
    address = (item.url or "").replace(">", "%3E").replace("|", "%7C")
    return f"• {when}" + (f"<{address}|{title}>" if address else title) + f" · {mrkdwn(item.source)}"


def mrkdwn(text: str) -> str:
    """Words that Slack leaves as they are: three signs are escaped, and nothing bold or struck begins by accident."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\u200b{sign}" if sign in "*_~`" else sign for sign in text)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:3_000]}}


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
