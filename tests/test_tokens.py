"""Links: one purpose, one person, and nothing a stranger can make up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import TokenRefused
from digest.model import Address, DeliveryId, IssueId, SubscriberId
from digest.rules.tokens import Links, Purpose

NOW = datetime(2026, 11, 20, tzinfo=UTC)
LINKS = Links("https://digest.example.org", key=b"k" * 32, domain="example.org")
OTHER = Links("https://digest.example.org", key=b"x" * 32, domain="example.org")
ANY = set(Purpose)


def token(url: str) -> str:
    return url.rpartition("/")[2]


@given(st.integers(1, 2**32 - 1), st.integers(0, 65535), st.integers(1, 2**32 - 1))
def test_a_token_says_again_what_it_was_made_with(subscriber: int, version: int, issue: int) -> None:
    url = LINKS.unsubscribe(SubscriberId(subscriber), version=version, issue=IssueId(issue))
    found = LINKS.read(token(url), allowed=ANY, now=NOW)
    assert (found.subscriber, found.version, found.issue) == (subscriber, version, issue)
    assert found.purpose is Purpose.LEAVE


def test_every_flipped_bit_and_other_key_is_refused() -> None:
    good = token(LINKS.confirm(SubscriberId(7), version=1, now=NOW))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place in range(len(good)):
        for letter in alphabet:
            changed = good[:place] + letter + good[place + 1 :]
            if changed != good:
                with pytest.raises(TokenRefused):
                    LINKS.read(changed, allowed=ANY, now=NOW)
    with pytest.raises(TokenRefused):
        OTHER.read(good, allowed=ANY, now=NOW)


@given(st.text(max_size=60))
def test_any_other_text_is_refused_and_never_raises_otherwise(text: str) -> None:
    with pytest.raises(TokenRefused):
        LINKS.read(text, allowed=ANY, now=NOW)


def test_a_token_serves_one_purpose() -> None:
    leave = token(LINKS.unsubscribe(SubscriberId(7), version=1, issue=IssueId(1)))
    with pytest.raises(TokenRefused, match="something else"):
        LINKS.read(leave, allowed={Purpose.CONFIRM}, now=NOW)


def test_confirm_ends_after_seven_days_and_leave_never() -> None:
    confirm = token(LINKS.confirm(SubscriberId(7), version=1, now=NOW))
    leave = token(LINKS.unsubscribe(SubscriberId(7), version=1, issue=IssueId(1)))
    assert LINKS.read(confirm, allowed=ANY, now=NOW + timedelta(days=6, hours=23))
    with pytest.raises(TokenRefused, match="expired"):
        LINKS.read(confirm, allowed=ANY, now=NOW + timedelta(days=7, minutes=2))
    assert LINKS.read(leave, allowed=ANY, now=NOW + timedelta(days=36500))


def test_the_bounce_token_survives_folded_case_and_refuses_forgery() -> None:
    made = LINKS.bounce_token(DeliveryId(123456))
    assert LINKS.read_bounce_token(made.upper()) == 123456
    assert len(made) == 26
    with pytest.raises(TokenRefused):
        OTHER.read_bounce_token(made)
    with pytest.raises(TokenRefused):
        LINKS.read_bounce_token("é" * 26)


def test_what_a_letter_carries_is_what_each_link_alone_would_be() -> None:
    reader, issue, delivery = SubscriberId(7), IssueId(3), DeliveryId(123456)
    assert LINKS.letter(reader, version=2, issue=issue, delivery=delivery) == (
        LINKS.unsubscribe(reader, version=2, issue=issue),
        LINKS.preferences(reader, version=2, issue=issue),
        LINKS.message_id(issue, delivery),
    )


def test_a_key_of_any_length_signs() -> None:
    long = Links("https://digest.example.org", key=b"k" * 200, domain="example.org")
    assert long.read_bounce_token(long.bounce_token(DeliveryId(5))) == 5
    with pytest.raises(TokenRefused):
        LINKS.read_bounce_token(long.bounce_token(DeliveryId(5)))


def test_message_ids_differ_by_reader_and_stay_the_same_at_every_try() -> None:
    first = LINKS.message_id(IssueId(1), DeliveryId(2))
    assert first == LINKS.message_id(IssueId(1), DeliveryId(2))
    assert first != LINKS.message_id(IssueId(1), DeliveryId(3))


def test_an_address_never_shows_itself() -> None:
    address = Address("ann@example.org")
    assert "ann" not in f"{address} {address!r} {[address]}"
    assert address == Address("ANN@example.org")


def test_a_forms_proof_has_one_spelling_so_that_it_counts_once() -> None:
    shown = next(made for made in (LINKS.form(now=NOW) for _ in range(500)) if "-" in made and "_" in made)
    assert LINKS.read_form(shown) == NOW
    for other in (shown.replace("-", "+"), shown.replace("_", "/")):
        assert LINKS.read_form(other) is None
