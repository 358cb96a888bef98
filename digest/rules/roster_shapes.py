"""Readers written down as other programs write them, so that a list can be taken anywhere. Pure; formulas are defused.

What a program has no word for is left out: who only asked, where it knows no such state.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.model import Subscriber, SubscriberState
from digest.rules.roster_columns import neutral

_ASKED = frozenset({SubscriberState.ASKED, SubscriberState.WAITING})


@dataclass(frozen=True, slots=True)
class ExportShape:
    """header: empty for a plain list. row: None for somebody whom this shape cannot tell."""

    header: tuple[str, ...]
    row: Callable[[Subscriber], Sequence[str] | None]


def shapes() -> Mapping[str, ExportShape]:
    """By the name that the command line takes."""
    return {
        "digest": ExportShape(_DIGEST, _digest),
        "mailchimp": ExportShape(_MAILCHIMP, _mailchimp),
        "substack": ExportShape(
            (
                "email",
                "active_subscription",
                "expiry",
                "plan",
                "email_disabled",
                "created_at",
                "first_payment_at",
            ),
            _substack,
        ),
        "ghost": ExportShape(_GHOST, _ghost),
        "listmonk": ExportShape(
            ("uuid", "email", "name", "attributes", "status", "created_at", "updated_at"), _listmonk
        ),
        "mailman": ExportShape((), _mailman),
        "buttondown": ExportShape(_BUTTONDOWN, _buttondown),
        "keila": ExportShape(("Email", "First name", "Last name", "Data", "Status", "External ID"), _keila),
        "constant-contact": ExportShape(_CONSTANT_CONTACT, _constant_contact),
    }


def cells(shape: ExportShape, reader: Subscriber) -> list[str] | None:
    """One row, ready for csv: no cell begins a formula. A plain list is no spreadsheet and is left as it is."""
    row = shape.row(reader)
    return None if row is None else [neutral(cell) if shape.header else cell for cell in row]


_DIGEST = ("email", "state", "language", "timezone", "role", "topics", "asked_at", "confirmed_at", "left_at", "cadence",
           "paused_until")  # fmt: skip
_MAILCHIMP = (
    "Email Address", "First Name", "Last Name", "MEMBER_RATING", "OPTIN_TIME", "OPTIN_IP", "CONFIRM_TIME", "CONFIRM_IP",
    "LATITUDE", "LONGITUDE", "GMTOFF", "DSTOFF", "TIMEZONE", "CC", "REGION", "UNSUB_TIME", "LAST_CHANGED", "LEID",
    "EUID", "NOTES", "TAGS",
)  # fmt: skip
_GHOST = ("id", "email", "name", "note", "subscribed_to_emails", "complimentary_plan", "stripe_customer_id",
          "created_at", "deleted_at", "labels", "tiers")  # fmt: skip
_BUTTONDOWN = ("id", "creation_date", "email_address", "notes", "metadata", "tags", "referrer_url", "secondary_id",
               "type")  # fmt: skip
_CONSTANT_CONTACT = ("Email address", "First name", "Last name", "Email status", "Email permission status",
                     "Confirmed Opt-Out Date", "Email Lists", "Source Name", "Tags", "Created At", "Updated At")  # fmt: skip


def _digest(reader: Subscriber) -> Sequence[str]:
    moments = (reader.asked_at, reader.confirmed_at, reader.left_at)
    return [reader.address.reveal(), reader.state, reader.language, reader.timezone or "", reader.role or "",
            " ".join(reader.topics), *map(_iso, moments), reader.cadence, _iso(reader.paused_until)]  # fmt: skip


def _mailchimp(reader: Subscriber) -> Sequence[str] | None:
    if reader.state in _ASKED:
        return None
    gone = _plain_time(reader.left_at) if _is_gone(reader) else ""
    if _is_gone(reader) and not gone:
        gone = _plain_time(reader.confirmed_at) or "1970-01-01 00:00:00"
    return [
        reader.address.reveal(), "", "", "2", _plain_time(reader.asked_at), "", _plain_time(reader.confirmed_at), "",
        "", "", "", "", reader.timezone or "", "", "", gone, "", str(reader.id), "", "", f"language:{reader.language}",
    ]  # fmt: skip


def _substack(reader: Subscriber) -> Sequence[str] | None:
    if reader.state in _ASKED:
        return None
    return [reader.address.reveal(), "false", "", "free", _true(_is_gone(reader)), _iso(_since(reader)), ""]


def _ghost(reader: Subscriber) -> Sequence[str] | None:
    if reader.state in _ASKED:
        return None
    label = f"language:{reader.language}"
    return [
        "",
        reader.address.reveal(),
        "",
        "",
        _true(not _is_gone(reader)),
        "false",
        "",
        _iso(_since(reader)),
        "",
        label,
        "",
    ]


def _listmonk(reader: Subscriber) -> Sequence[str] | None:
    """listmonk has no word for somebody who has not confirmed: its lists keep that, not its people."""
    if reader.state in _ASKED:
        return None
    attributes = json.dumps(
        {"language": reader.language.value, "timezone": reader.timezone}, ensure_ascii=False
    )
    status = "blocklisted" if _is_gone(reader) else "enabled"
    at = _iso(_since(reader))
    return ["", reader.address.reveal(), "", attributes, status, at, at]


def _mailman(reader: Subscriber) -> Sequence[str] | None:
    """Addresses alone: only of those who are in."""
    return [reader.address.reveal()] if reader.state is SubscriberState.CONFIRMED else None


def _buttondown(reader: Subscriber) -> Sequence[str] | None:
    words = {
        SubscriberState.CONFIRMED: "regular", SubscriberState.LEFT: "unsubscribed",
        SubscriberState.SUSPENDED: "undeliverable",
    }  # fmt: skip
    metadata = json.dumps({"language": reader.language.value})
    return ["", _iso(_since(reader)), reader.address.reveal(), "", metadata, "", "", str(reader.id),
            words.get(reader.state, "unactivated")]  # fmt: skip


def _keila(reader: Subscriber) -> Sequence[str] | None:
    words = {
        SubscriberState.CONFIRMED: "active", SubscriberState.LEFT: "unsubscribed",
        SubscriberState.SUSPENDED: "unreachable",
    }  # fmt: skip
    if reader.state not in words:
        return None
    data = json.dumps({"language": reader.language.value})
    return [reader.address.reveal(), "", "", data, words[reader.state], str(reader.id)]


def _constant_contact(reader: Subscriber) -> Sequence[str] | None:
    words = {
        SubscriberState.CONFIRMED: "Express", SubscriberState.LEFT: "Opted Out", SubscriberState.SUSPENDED: "Bounced",
    }  # fmt: skip
    at = _iso(_since(reader))
    return [reader.address.reveal(), "", "", "Active", words.get(reader.state, "Awaiting Confirmation"),
            _iso(reader.left_at), "", "", reader.language, at, at]  # fmt: skip


def _is_gone(reader: Subscriber) -> bool:
    return reader.state in {SubscriberState.LEFT, SubscriberState.SUSPENDED}


def _since(reader: Subscriber) -> datetime | None:
    return reader.confirmed_at or reader.asked_at


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def _plain_time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else ""


def _true(value: bool) -> str:
    return "true" if value else "false"
