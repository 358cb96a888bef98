"""Addresses, the gate, and what an act does to a person."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.errors import AddressRefused, InputRefused
from digest.model import Address, Consent, Language, Subscriber, SubscriberId, SubscriberState
from digest.rules import consent
from digest.rules.jurisdictions import jurisdiction
from digest.rules.roster import read_roster

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def line(act: str, *, method: str = "link") -> Consent:
    return Consent(act=act, at=NOW, language=Language.EN, method=method)


def somebody(state: SubscriberState, **more: object) -> Subscriber:
    return Subscriber(
        id=SubscriberId(1), address=Address("ann@example.org"), state=state, language=Language.EN, **more
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "", "ann", "ann@", "@example.org", "ann@example", "ann@@example.org", "ann @example.org", '"ann"@example.org',
        "ann@[192.0.2.1]", "ann@example..org", ".ann@example.org", "ann@example.org\nBcc: x@example.org",
        "ann@example.org\r", "alice@canada.ca]<bob@evil.example>", "alice@canada.ca,bob@evil.example",
        "<alice@canada.ca>bob@evil.example", "a" * 65 + "@example.org", "ann@" + "a" * 250 + ".org",
        "ann@example.org\x00", "ann%0d%0a@exa mple.org", "postmaster@example.org", "ABUSE@example.org",
    ],
)  # fmt: skip
def test_what_nobody_can_be_written_to_at_is_refused_without_repeating_it(text: str) -> None:
    if text.endswith("\r"):
        assert (
            consent.judged_address(text).reveal() == "ann@example.org"
        )  # white space at the ends is a slip, not an attack
        return
    with pytest.raises(AddressRefused) as caught:
        consent.judged_address(text)
    assert "@" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Ann.B+tag@Example.ORG", "Ann.B+tag@example.org"),
        ("josé@québec.ca", "josé@québec.ca"),
        (" a@b.example ", "a@b.example"),
    ],
)
def test_an_address_is_kept_as_typed_with_its_domain_folded(text: str, stored: str) -> None:
    assert consent.judged_address(text).reveal() == stored


@pytest.mark.parametrize(
    ("text", "enters"),
    [
        ("a@ontario.ca", True), ("a@sub.ontario.ca", True), ("a@ONTARIO.CA", True),
        ("a@notontario.ca", False), ("a@ontario.ca.evil.example", False), ("a@ontarіo.ca", False), ("a@ontario.co", False),
    ],
)  # fmt: skip
def test_the_gate_compares_whole_labels(text: str, enters: bool) -> None:
    state = consent.admitted_state(consent.judged_address(text), policy="domains", domains=["ontario.ca"])
    assert (state is SubscriberState.CONFIRMED) is enters


def test_an_open_gate_lets_everybody_in() -> None:
    assert (
        consent.admitted_state(Address("a@b.example"), policy="open", domains=[]) is SubscriberState.CONFIRMED
    )


def test_one_letter_a_day_whoever_asks() -> None:
    asked = somebody(SubscriberState.ASKED)
    assert consent.reply_to_ask(None, last_letter=None, now=NOW) is consent.Reply.CONFIRM
    assert (
        consent.reply_to_ask(asked, last_letter=NOW - timedelta(hours=23), now=NOW) is consent.Reply.NOTHING
    )
    assert (
        consent.reply_to_ask(asked, last_letter=NOW - timedelta(hours=24), now=NOW) is consent.Reply.CONFIRM
    )
    member = somebody(SubscriberState.CONFIRMED)
    assert consent.reply_to_ask(member, last_letter=None, now=NOW) is consent.Reply.SETTINGS


def test_an_old_confirm_link_does_not_bring_back_who_left() -> None:
    gone = consent.leaving(somebody(SubscriberState.CONFIRMED, version=0), now=NOW).after
    assert gone is not None
    assert consent.confirming(gone, version=0, state=SubscriberState.CONFIRMED, now=NOW) is None


def test_leaving_is_undone_for_a_day() -> None:
    gone = consent.leaving(somebody(SubscriberState.CONFIRMED, confirmed_at=NOW), now=NOW).after
    assert gone is not None
    log = [line("confirmed"), line("left", method="link")]
    assert (
        consent.returning(gone, log=log, by=None, now=NOW + timedelta(hours=23)).answer is consent.Answer.DONE
    )
    assert consent.returning(gone, log=log, by=None, now=NOW + timedelta(hours=25)).after is None


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        (["asked", "confirmed", "waits", "left"], SubscriberState.WAITING),
        (["asked", "confirmed", "waits", "admitted", "left"], SubscriberState.CONFIRMED),
        (["confirmed", "suspended", "left"], None), (["asked", "left"], None), (["confirmed", "left complaint"], None),
        (["confirmed", "left import"], None), (["confirmed", "left one-click"], SubscriberState.CONFIRMED),
    ],
)  # fmt: skip
def test_the_undo_leads_back_to_where_one_stood_and_past_no_gate(
    acts: list[str], expected: SubscriberState | None
) -> None:
    gone = somebody(SubscriberState.LEFT, confirmed_at=NOW, left_at=NOW)
    log = [line(act.split()[0], method=act.partition(" ")[2] or "link") for act in acts]
    after = consent.returning(gone, log=log, by=None, now=NOW).after
    assert (after.state if after else None) is expected


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("ontario.ca", "ontario"),
        ("pc.gc.ca", "federal"),
        ("canada.ca.evil.example", "elsewhere"),
        ("toronto.ca", "municipal"),
    ],
)
def test_jurisdictions_go_by_whole_labels(domain: str, expected: str) -> None:
    assert jurisdiction(domain) == expected


@pytest.mark.parametrize(
    ("data", "addresses"),
    [
        (b"email,name\nann@example.org,Ann\n\nluc@example.org,Luc\n", ["ann@example.org", "luc@example.org"]),
        ("\ufeffEmail;First name\r\nann@example.org;Ann\r\n".encode(), ["ann@example.org"]),
        (b"ann@example.org\nluc@example.org\n", ["ann@example.org", "luc@example.org"]),
        (b'"Email Address","First Name",NOTES\nann@example.org,Ann,"two\nlines"\nluc@example.org,Luc,\n',
         ["ann@example.org", "luc@example.org"]),
        ("email\tname\nren\xe9@example.org\tR".encode("cp1252"), ["rené@example.org"]),
    ],
)  # fmt: skip
def test_a_list_is_read_whatever_its_delimiter_and_encoding(data: bytes, addresses: list[str]) -> None:
    assert [line.address for line in read_roster(data)] == addresses


def test_line_numbers_are_those_of_the_file() -> None:
    rows = list(read_roster(b'email,notes\na@example.org,"x\ny"\nb@example.org,z\n'))
    assert [row.number for row in rows] == [2, 4]


def test_those_whom_the_file_says_have_left_are_marked() -> None:
    rows = list(read_roster(b"email,status\na@example.org,enabled\nb@example.org,unsubscribed\n"))
    assert [row.has_left for row in rows] == [False, True]
    rows = list(read_roster(b"email,subscribed_to_emails\na@example.org,true\nb@example.org,false\n"))
    assert [row.has_left for row in rows] == [False, True]


def test_a_file_without_addresses_is_refused() -> None:
    with pytest.raises(InputRefused, match="No column of addresses"):
        list(read_roster(b"name,city\nAnn,Ottawa\n"))
    with pytest.raises(InputRefused, match="empty"):
        list(read_roster(b""))
