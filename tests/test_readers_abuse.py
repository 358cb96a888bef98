"""The abuse cases S1 to S19 of the guide (readers): which tests hold each of them, and the cases no other file holds."""

import ast
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from email_validator import EmailNotValidError, validate_email
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from digest.app import App, open_app
from digest.config import Config
from digest.errors import AddressRefused, ConfigError, TokenRefused
from digest.invite import invite
from digest.mail.envelope import Offers, Unsendable, path, wire
from digest.model import Address, DeliveryState, IssueId, Language, Letter, Role, SubscriberId
from digest.render.press import Press
from digest.rules import consent
from digest.rules.tokens import Links, Purpose
from digest.web import create_web
from tests import render_kit
from tests.conftest import NOW, Clock
from tests.readers_kit import ANN, is_known, shown_form
from tests.smtp_kit import Sink, letter
from tests.test_mail_engine import transport

TESTS = Path(__file__).parent
GUARDS, WEB, PUBLIC, HERE = "test_join_guards", "test_readers_web", "test_web_public", "test_readers_abuse"
CASES: dict[str, tuple[tuple[str, str], ...]] = {
    "S1": ((GUARDS, "test_500_posts_for_one_address_are_one_letter_a_day"),
           (PUBLIC, "test_asking_answers_the_same_bytes_for_every_address")),
    "S2": ((GUARDS, "test_a_flood_of_3000_addresses_ends_at_the_caps"),
           (GUARDS, "test_one_mail_domain_and_one_neighbourhood_have_caps_of_their_own")),
    "S3": ((WEB, "test_no_route_subscribes_without_a_form_that_was_shown"),
           (WEB, "test_json_takes_the_same_way_in")),
    "S4": ((GUARDS, "test_nothing_but_the_address_goes_into_the_confirmation"),),
    "S5": ((GUARDS, "test_a_form_that_proves_nothing_stores_and_sends_nothing"),
           (GUARDS, "test_who_is_quick_or_has_no_form_is_heard_but_only_so_often")),
    "S6": ((WEB, "test_looking_decides_nothing_however_often"),
           ("test_browser_readers", "test_a_scanner_that_runs_scripts_decides_nothing")),
    "S7": ((PUBLIC, "test_one_click_leaves_without_a_cookie_in_both_encodings_however_often"),
           (PUBLIC, "test_a_wrong_body_shows_the_page_and_changes_nothing")),
    "S8": ((WEB, "test_a_used_link_is_answered_kindly_in_the_readers_language"),),
    "S9": ((WEB, "test_nobody_can_ask_who_is_subscribed"),
           ("test_doorstep", "test_nobody_can_ask_at_the_doorstep_who_is_subscribed"),
           (GUARDS, "test_known_and_unknown_take_the_same_time"),
           ("test_web_desk", "test_asking_for_a_link_answers_alike_and_mails_editors_only_once_a_minute")),
    "S10": (("test_tokens", "test_every_flipped_bit_and_other_key_is_refused"),
            (WEB, "test_a_forged_link_opens_nothing"),
            (HERE, "test_what_an_earlier_key_signed_is_good_until_it_is_retired"),
            (HERE, "test_a_link_of_another_list_opens_nothing_here")),
    "S11": (("test_join_choices", "test_the_link_of_a_letter_opens_none_of_this"),
            (WEB, "test_the_link_in_a_letter_shows_and_does_none_of_it"),
            (PUBLIC, "test_leaving_can_be_taken_back_for_a_day_and_not_longer")),
    "S12": ((GUARDS, "test_an_old_link_is_worth_nothing_after_forgetting_or_a_complaint"),),
    "S13": ((WEB, "test_the_queue_is_shut_to_strangers_and_to_forms_without_their_token"),
            ("test_web_safety", "test_every_desk_form_refuses_a_missing_and_a_foreign_token"),
            ("test_web_safety", "test_every_desk_form_refuses_a_foreign_origin"),
            ("test_web_safety", "test_a_route_that_only_takes_forms_refuses_get")),
    "S14": ((HERE, "test_no_field_of_a_form_adds_a_header_to_a_letter"),
            (HERE, "test_no_feed_title_adds_a_header_to_an_issue"),
            ("test_letter_message", "test_a_line_break_never_enters_a_header")),
    "S15": ((HERE, "test_only_crlf_stands_on_the_wire_and_dots_are_stuffed"),
            (HERE, "test_no_address_brings_a_command_of_its_own")),
    "S16": ((HERE, "test_addresses_are_read_as_they_were_when_last_looked_at"),),
    "S17": (("test_join_gate", "test_nobody_comes_in_by_pretending"),
            ("test_join_gate", "test_our_reading_of_an_address_is_email_validators_reading"),
            ("test_join_gate", "test_the_desk_is_told_of_mixed_alphabets")),
    "S18": ((GUARDS, "test_addresses_of_functions_and_blocked_domains_get_nothing_and_no_other_answer"),),
    "S19": ((HERE, "test_an_editors_link_opened_fifty_times_signs_nobody_in"),
            ("test_web_desk", "test_opening_a_sign_in_link_signs_nobody_in_and_a_press_does_so_once"),
            ("test_browser_readers", "test_a_scanner_does_not_sign_in_with_an_editors_link")),
}  # fmt: skip
BREAKS = (
    "\r",
    "\n",
    "\r\n",
    "\u2028",
    "\u2029",
    "\x85",
    "\x0b",
    "\r\n ",
    "%0d%0a",
    "\n\t",
    "=0D=0A",
    "=?utf-8?q?=0D=0A?=",
)


def test_each_of_the_nineteen_cases_has_its_tests() -> None:
    assert list(CASES) == [f"S{number}" for number in range(1, 20)]
    missing = []
    for case, tests in CASES.items():
        for module, name in tests:
            tree = ast.parse((TESTS / f"{module}.py").read_text(encoding="utf-8"))
            if name not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
                missing.append(f"{case}: {module}.{name}")
    assert missing == []


# --- S10: keys and lists ------------------------------------------------------------------------------------------------


def test_what_an_earlier_key_signed_is_good_until_it_is_retired(
    make_config: Callable[[str], Config], clock: Clock
) -> None:
    config = make_config("")
    with open_app(config, clock=clock) as app:
        old = app.links.unsubscribe(SubscriberId(7), version=1, issue=IssueId(1)).rpartition("/")[2]
        mark, key_file = app.links.mark(Address(ANN)), app.store.path.with_suffix(".key")
    first, fresh = key_file.read_text().strip(), "f" * 64
    key_file.write_text(f"{fresh}\n{first}\n")
    with open_app(config, clock=clock) as app:
        new = app.links.unsubscribe(SubscriberId(7), version=1, issue=IssueId(1)).rpartition("/")[2]
        assert new != old
        assert app.links.read(old, allowed={Purpose.LEAVE}, now=NOW) == app.links.read(
            new, allowed={Purpose.LEAVE}, now=NOW
        )
        assert app.links.mark(Address(ANN)) == mark, "no import may bring back who was forgotten before"
    key_file.write_text(f"{fresh}\nretired {first}\n")
    with open_app(config, clock=clock) as app:
        assert app.links.read(new, allowed={Purpose.LEAVE}, now=NOW)
        with pytest.raises(TokenRefused):
            app.links.read(old, allowed={Purpose.LEAVE}, now=NOW)
        assert app.links.mark(Address(ANN)) == mark
    for wrong in (fresh, f"retired {first}"):
        key_file.write_text(wrong)
        with pytest.raises(ConfigError):
            open_app(config, clock=clock)


def test_a_link_of_another_list_opens_nothing_here(app: App) -> None:
    other = Links(
        app.config.list.url, key=hashlib.sha256(b"another list").digest(), domain="lists.example.com"
    )
    for made in (
        other.unsubscribe(SubscriberId(1), version=0, issue=IssueId(1)),
        other.manage(SubscriberId(1), version=0, now=app.clock()),
    ):
        with pytest.raises(TokenRefused):
            app.links.read(made.rpartition("/")[2], allowed=set(Purpose), now=app.clock())


# --- S14: headers -------------------------------------------------------------------------------------------------------


def _fields(data: bytes) -> list[str]:
    head = data.partition(b"\r\n\r\n")[0].decode("ascii")
    return [line.partition(":")[0] for line in head.split("\r\n") if not line.startswith((" ", "\t"))]


@pytest.mark.parametrize("sign", BREAKS)
def test_no_field_of_a_form_adds_a_header_to_a_letter(
    make_config: Callable[[str], Config], clock: Clock, sign: str
) -> None:
    hostile = f"Bo{sign}Bcc: evil@example.com{sign}{sign}X-Own: 1"
    with Sink() as sink:
        smtp = f'[mail]\ntransport = "smtp"\nserver = "127.0.0.1"\nport = {sink.port}\nsecurity = "none"\n'
        with open_app(make_config(smtp), clock=clock) as app:
            client = create_web(app).test_client()
            for name in ("email", "language", "role", "note", "timezone", "topics", "invitation"):
                sent = {"email": ANN, "form": shown_form(app, clock).token, name: hostile}
                client.post("/subscribe", data=sent)
                client.post("/fr/subscribe", data={**sent, "form": shown_form(app, clock).token})
                sent["email"] = f"{ANN}{sign}Bcc: evil@example.com"
                client.post("/subscribe", data={**sent, "form": shown_form(app, clock).token})
            client.application.extensions["digest"].errands.wait()
            app.send.notices()
            assert is_known(app)
    assert sink.accepted
    for one in sink.accepted:
        assert one.recipient == ANN
        assert not {"Bcc", "X-Own"} & set(_fields(one.data))
        assert b"evil" not in one.data


@pytest.mark.parametrize("sign", BREAKS)
@pytest.mark.parametrize("where", ["title", "source", "author", "place", "theme"])
def test_no_feed_title_adds_a_header_to_an_issue(sign: str, where: str) -> None:
    hostile = f"A{sign}Bcc: evil@example.com{sign}{sign}X-Own: 1"
    words = dict.fromkeys(("title", "source", "author", "place", "theme"), "harmless") | {where: hostile}
    event = render_kit.event(1, words["title"], "2026-12-03T12:00-05:00", place=words["place"])
    post = render_kit.post(2, words["title"], source=words["source"], author=words["author"])
    issue = render_kit.issue([event], [post], texts={("theme", "en"): words["theme"]})
    press = Press(render_kit.config())
    data = press.compiled(press.edition(issue, Language.EN)).splice(render_kit.reader())
    plain = press.compiled(press.edition(render_kit.issue([event], [post], texts={}), Language.EN))
    assert _fields(data) == _fields(plain.splice(render_kit.reader()))
    assert not {"Bcc", "X-Own"} & set(_fields(data))


# --- S15: the wire ------------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from([b".", b"..", b"\r\n", b"\n", b"\r", b"x", b"\r\n.\r\n", b"\n.\n", b"\r\n.\n", b"\0"]),
                max_size=12))  # fmt: skip
def test_only_crlf_stands_on_the_wire_and_dots_are_stuffed(pieces: list[bytes]) -> None:
    """The smuggling strings of 2023 among them: what is not plain CRLF is refused, and no body ends before its end."""
    body = b"".join(pieces)
    one = Letter(delivery=letter(1).delivery, sender="bounce@example.org", recipient=Address(ANN),
                 pieces=(b"Subject: x\r\n\r\n", body))  # fmt: skip
    bare = body.replace(b"\r\n", b"")
    try:
        sent = b"".join(wire(one, Offers()).body)
    except Unsendable:
        assert any(sign in bare for sign in (b"\r", b"\n", b"\0"))
        return
    assert not any(sign in bare for sign in (b"\r", b"\n", b"\0"))
    assert sent.endswith(b"\r\n")
    assert not re.search(rb"\r\n\.(\r\n|$)", sent)
    whole = one.data if one.data.endswith(b"\r\n") else one.data + b"\r\n"
    assert sent.replace(b"\r\n..", b"\r\n.") == whole


INJECTIONS = (
    "a@example.org>\r\nRCPT TO:<evil@example.com", "a@example.org\r\nDATA", "a\n@example.org", "a@exam\rple.org",
    "a@example.org\u2028RSET", "a b@example.org", "a@example.org> SIZE=1", "a\x00@example.org", "<a@example.org>",
)  # fmt: skip


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_address_brings_a_command_of_its_own(text: str) -> None:
    with pytest.raises(Unsendable):
        path(text)
    with pytest.raises(AddressRefused):
        consent.readable_address(text)
    with Sink() as sink:
        assert transport(sink).post(letter(1, to=text)).state is DeliveryState.FAILED
    assert not any("evil" in line or line.upper().startswith(("DATA", "RSET")) for line in sink.commands)


# --- S16: addresses, golden ---------------------------------------------------------------------------------------------

FORMS = (
    "alice@canada.ca", "Alice.Smith@Canada.CA", "alice+digest@canada.ca", "a@b.ca", "x" * 64 + "@example.com",
    "x" * 65 + "@example.com", "a@" + "d" * 63 + ".ca", "a@" + "d" * 64 + ".ca", "a@" + ("d" * 60 + ".") * 4 + "ca",
    '"alice smith"@canada.ca', "alice@[192.0.2.1]", "alice@[IPv6:2001:db8::1]", "alice@localhost", "alice@canada..ca",
    "alice..smith@canada.ca", ".alice@canada.ca", "alice.@canada.ca", "alice@canada.ca.", "alice@-canada.ca",
    "alice@canada-.ca", "alice@canada.c", "alice@ca", "alice", "@canada.ca", "alice@", "", " alice@canada.ca ",
    "alice @canada.ca", "alice@can ada.ca", "alice@canada.ca, bob@canada.ca", "alice@canada.ca;bob@canada.ca",
    "Alice <alice@canada.ca>", "alice@canada.ca (Alice)", "mailto:alice@canada.ca", "alice@québec.ca", "josé@québec.ca",
    "josé@canada.ca", "пример@пример.рф", "alice@straße.de", "alice@xn--qubec-csa.ca", "alice@xn--a.ca", "alice@cаnada.ca",
    "alice@ontarіo.ca", "alice@canada\u3002ca", "alice@canada.ca\u200b", "alice\u202e@canada.ca", "alice@exa_mple.com",
    "alice@example.test", "alice@example.invalid", "alice@example.onion", "alice!bob@example.com", "alice%bob@example.com",
    "o'brien@example.com", "alice/ca@example.com", "alice=bob@example.com", "{alice}@example.com", "\u00a0alice@canada.ca",
    "noreply@canada.ca", "abuse@canada.ca", "Postmaster@canada.ca", "e\u0301tienne@canada.ca", "alice@CANADA.CA",
)  # fmt: skip


def readings() -> bytes:
    """What becomes of each form, one a line: as it is kept, the domain that is judged, and what sending needs."""
    lines = []
    for text in FORMS:
        try:
            kept = consent.readable_address(text)
        except AddressRefused:
            lines.append(f"{quote(text, safe='@+.')}\trefused")
            continue
        whose = "a function" if consent.is_function(kept) else "a person"
        needs = "ASCII" if kept.reveal().rpartition("@")[0].isascii() else "SMTPUTF8"
        lines.append(
            f"{quote(text, safe='@+.')}\t{kept.reveal()}\t{consent.domain_of(kept)}\t{needs}\t{whose}"
        )
    return ("\n".join(lines) + "\n").encode()


def test_addresses_are_read_as_they_were_when_last_looked_at() -> None:
    """The table is golden: tests/data/addresses.tsv. What email-validator refuses is refused in it, and nothing else."""
    assert readings() == (TESTS / "data" / "addresses.tsv").read_bytes()
    for text, line in zip(FORMS, readings().decode().splitlines(), strict=True):
        try:
            theirs = validate_email(text.strip(), check_deliverability=False, strict=True)
        except EmailNotValidError:
            assert line.endswith("\trefused"), text
        else:
            assert line.split("\t")[2] == theirs.ascii_domain.lower(), text


# --- S19: editors -------------------------------------------------------------------------------------------------------


def test_an_editors_link_opened_fifty_times_signs_nobody_in(app: App, web: Flask) -> None:
    link = invite(app.store, app.links, address_text="dana@example.org", role=Role.EDITOR, language=Language.EN,
                  now=app.clock())  # fmt: skip
    target, url = link.removeprefix(app.config.list.url), app.config.list.url
    scanner = web.test_client()
    for method in ("GET", "HEAD", "OPTIONS"):
        for _ in range(50):
            answer = scanner.open(f"{target}?confirm=true", method=method, base_url=url)
            assert answer.status_code == 200
            assert "Set-Cookie" not in answer.headers
    for shut in (
        target[:-1],
        target + "A",
        "/desk/sign-in/" + "A" * 32,
        "/desk/sign-in/%0d%0a",
        "/desk/sign-in/" + "é" * 9,
    ):
        assert scanner.post(shut, base_url=url).status_code in {404, 410}, shut
    editor = web.test_client()
    assert editor.post(target, base_url=url).status_code == 303
    assert editor.post(target, base_url=url).status_code == 410
    assert "Sign out" in editor.get("/desk/", base_url=url).text
