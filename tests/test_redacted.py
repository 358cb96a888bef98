"""No address comes into a log, a message of an error or a traceback: one type hides it everywhere."""

import json
import logging
import traceback
from collections.abc import Callable
from dataclasses import asdict

import pytest

from digest.app import App
from digest.errors import DigestError
from digest.join import Ask
from digest.join_roster import bring
from digest.model import Address, Subscriber
from tests.conftest import Clock
from tests.readers_kit import joins, leave_token, person

WHO = "rosalind.q@example.org"
SHOWS: dict[str, Callable[[Address], str]] = {
    "repr": repr,
    "str": str,
    "format": lambda one: f"{one}",
    "percent": lambda one: "%s %r" % (one, one),  # noqa: UP031
    "in a list": lambda one: str([one]),
    "in a tuple of a mapping": lambda one: str({"a": (one,)}),
    "an error": lambda one: str(ValueError(one)),
    "a traceback": lambda one: "".join(traceback.format_exception_only(KeyError(one))),
}


@pytest.mark.parametrize("way", SHOWS)
def test_an_address_does_not_show_itself(way: str) -> None:
    assert "rosalind" not in SHOWS[way](Address(WHO))


def test_a_reader_does_not_show_where_they_read(app: App, clock: Clock) -> None:
    joins(app, WHO)
    reader: Subscriber = person(app, WHO)
    assert "rosalind" not in f"{reader} {reader!r} {asdict(reader)}"
    with pytest.raises(TypeError):
        json.dumps(reader.address)


REFUSED = [
    f"{WHO}@canada.ca",
    f"{WHO} ",
    f"<{WHO}>",
    f"x,{WHO}",
    "rosalind.q@",
    "rosalind.q@localhost",
    "rosalind.q@-.ca",
]


@pytest.mark.parametrize("text", REFUSED)
def test_no_refusal_repeats_what_was_typed(app: App, text: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    acts: list[Callable[[], object]] = [
        lambda: app.join.ask(Ask(address=text)),
        lambda: app.join.manage(text),
        lambda: app.join.confirm_code(text, "123456"),
        lambda: app.join.add(text, basis="express", origin="a sheet"),
        lambda: app.join.forget(text),
        lambda: app.join.suppress(text, reason="left"),
        lambda: (
            bring(
                f"email\n{text}\n".encode(), join=app.join, store=app.store, basis="express", origin="x"
            ).refused
        ),
    ]
    said = ""
    for act in acts:
        try:
            said += str(act())
        except DigestError as error:
            said += str(error)
    assert "rosalind" not in said
    assert "rosalind" not in caplog.text


def test_a_whole_life_leaves_no_address_in_the_log(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    joins(app, WHO)
    app.send.notices()
    app.join.leave(leave_token(app, WHO))
    app.join.tidy()
    app.join.forget(WHO)
    with pytest.raises(DigestError) as refused:
        app.join.add(WHO, basis="express", origin="a sheet")
    assert "rosalind" not in "".join(traceback.format_exception(refused.value))
    assert "rosalind" not in caplog.text
