"""The gate: who waits, who is let in, invitations, domains. Abuse cases S16 and S17 of the guide, and the CVE strings."""

import csv
import io
from contextlib import suppress
from dataclasses import replace

import pytest
from email_validator import EmailNotValidError, validate_email

from digest.app import App, open_app
from digest.config import Config
from digest.errors import AddressRefused, ConfigError, DomainRefused, InputRefused, NotFound, TokenRefused
from digest.invite import invite
from digest.join import Ask
from digest.join_roster import bring
from digest.model import EditorId, Language, NoticeKind, Role, SubscriberState
from digest.rules import consent
from digest.rules.consent import Answer, domain_of
from digest.rules.jurisdictions import canada, has_mixed_scripts, jurisdiction, read_directory
from tests.conftest import Clock
from tests.readers_kit import (
    confirm_token,
    is_known,
    joins,
    leave_token,
    letter_token,
    manage_token,
    person,
    taken,
)

GATED = '[signup]\npolicy = "domains"\ndomains = ["ontario.ca"]\n'
BO = "bo@elsewhere.example"


@pytest.fixture
def gated(make_config: object, clock: Clock) -> object:
    config: Config = make_config(GATED + '[[editors]]\naddress = "dana@example.org"\n')  # type: ignore[operator]
    with open_app(config, clock=clock) as app:
        yield app


def test_somebody_from_elsewhere_waits_is_let_in_and_greeted(gated: App, clock: Clock) -> None:
    assert joins(gated, BO, note="I run\nthe hack night").state is SubscriberState.WAITING
    taken(gated, clock)
    [waiting] = gated.join.gate.waiting()
    assert (waiting.subscriber.note, waiting.domain) == ("I run the hack night", "elsewhere.example")
    assert gated.join.gate.admit(waiting.subscriber.id, by="dana") is Answer.DONE
    assert gated.join.gate.admit(waiting.subscriber.id, by="dana") is Answer.ALREADY
    assert person(gated, BO).state is SubscriberState.CONFIRMED
    assert [one.kind for one in taken(gated, clock)] == [NoticeKind.WELCOME]
    assert gated.join.gate.waiting() == []


def test_a_list_asks_nobody_who_waits_to_confirm_again_not_even_after_months(
    gated: App, clock: Clock
) -> None:
    joins(gated, BO)
    taken(gated, clock)
    clock.forward(days=31)
    with gated.store.write():
        assert gated.store.notices.delete_settled(clock()) > 0
    bring(
        f"email\n{BO}\n".encode(), join=gated.join, store=gated.store, basis="implied", origin="a conference"
    )
    assert person(gated, BO).state is SubscriberState.WAITING
    assert taken(gated, clock) == []


def test_an_address_that_was_not_confirmed_never_waits_and_cannot_be_let_in(gated: App) -> None:
    gated.join.ask(Ask(address=BO))
    assert gated.join.gate.waiting() == []
    assert gated.join.gate.admit(person(gated, BO).id, by="dana") is Answer.ALREADY
    assert person(gated, BO).state is SubscriberState.ASKED


def test_letting_in_a_domain_releases_its_whole_queue_and_nobody_elses(gated: App) -> None:
    for text in ("a@city.example", "b@dept.city.example", "c@notcity.example", "d@city.example.evil.example"):
        joins(gated, text)
    assert gated.join.gate.admit_domain("City.example", by="dana", level="municipal") == 2
    assert {one.domain for one in gated.join.gate.waiting()} == {
        "notcity.example",
        "city.example.evil.example",
    }
    assert joins(gated, "e@city.example").state is SubscriberState.CONFIRMED
    for wrong in ("com", "not a domain", ""):
        with pytest.raises(AddressRefused):
            gated.join.gate.admit_domain(wrong, by="dana")
    with pytest.raises(InputRefused, match="level"):
        gated.join.gate.admit_domain("x.example", by="dana", level="royal")


def test_a_domain_that_is_everybodys_is_not_let_in_whole(gated: App) -> None:
    """Nor does the desk offer it; the person is let in alone. The government of Canada is not everybody."""
    for text in ("a@gmail.com", "b@ontario.ca.evil.example", "c@toronto-ca.example", "d@agency.example"):
        joins(gated, text)
    waiting = {one.domain: (one.is_everybodys, one.worn) for one in gated.join.gate.waiting()}
    assert waiting == {
        "gmail.com": (True, ""), "ontario.ca.evil.example": (False, "ontario.ca"),
        "toronto-ca.example": (False, "toronto.ca"), "agency.example": (False, ""),
    }  # fmt: skip
    for name in ("gmail.com", "videotron.ca", "on.ca", "qc.ca", "co.uk", "com.au"):
        with pytest.raises(DomainRefused, match="one by one"):
            gated.join.gate.admit_domain(name, by="dana")
        gated.join.gate.admit_domain(name, by="dana", admitted=False)
    for name in ("gc.ca", "gov.uk", "gouv.qc.ca", "ottawa.ca"):
        gated.join.gate.admit_domain(name, by="dana")
    assert person(gated, "a@gmail.com").state is SubscriberState.WAITING


def test_a_refusal_is_a_letter_and_then_nothing_is_kept(gated: App, clock: Clock) -> None:
    joins(gated, BO)
    old = confirm_token(gated, BO)
    taken(gated, clock)
    who = person(gated, BO)
    assert gated.join.gate.decline(who.id, by="dana") is Answer.DONE
    assert gated.join.gate.decline(who.id, by="dana") is Answer.ALREADY
    assert gated.join.gate.waiting() == []
    gated.send.notices()
    letters = list(gated.config.path(gated.config.mail.folder).rglob("*.eml"))
    assert len(letters) == 1
    assert gated.join.confirm(old).answer is Answer.WAITING
    clock.forward(days=8)
    gated.join.tidy()
    assert not is_known(gated, BO)
    with pytest.raises(NotFound):
        gated.join.gate.admit(who.id, by="dana")


def test_an_editors_link_lets_in_whoever_confirms(gated: App, clock: Clock) -> None:
    editor = gated.store.editors.all()[0].id
    link = gated.join.gate.editor_invitation(editor).rpartition("/")[2]
    assert joins(gated, BO, invitation=link).state is SubscriberState.CONFIRMED
    clock.forward(days=31)
    assert joins(gated, "late@elsewhere.example", invitation=link).state is SubscriberState.WAITING


def test_a_readers_link_lets_in_colleagues_while_the_reader_stays(gated: App) -> None:
    joins(gated, "ann@ontario.ca")
    link = gated.join.gate.invitation(manage_token(gated, "ann@ontario.ca")).rpartition("/")[2]
    invited = joins(gated, BO, invitation=link)
    assert invited.state is SubscriberState.CONFIRMED
    assert invited.sponsor == f"reader:{person(gated, 'ann@ontario.ca').id}"
    gated.join.ask(Ask(address="cy@elsewhere.example", invitation=link))
    gated.join.leave(leave_token(gated, "ann@ontario.ca"))
    gated.join.confirm(confirm_token(gated, "cy@elsewhere.example"))
    assert person(gated, "cy@elsewhere.example").state is SubscriberState.WAITING


@pytest.mark.parametrize("days", [0, 2])
def test_who_waits_comes_in_by_an_invitation(gated: App, clock: Clock, days: int) -> None:
    """The page says: confirm your address and you are in. Nothing else of theirs changes by somebody's typing."""
    joins(gated, "ann@ontario.ca")
    link = gated.join.gate.invitation(manage_token(gated, "ann@ontario.ca")).rpartition("/")[2]
    before = joins(gated, BO, note="I run the hack night")
    assert before.state is SubscriberState.WAITING
    old = confirm_token(gated, BO)
    assert gated.join.confirm(old).answer is Answer.WAITING, (
        "the letter of the first asking lets nobody in by itself"
    )
    taken(gated, clock)
    clock.forward(days=days)
    gated.join.ask(Ask(address=BO, invitation="nonsense", language="fr"))
    gated.join.ask(Ask(address=BO, invitation=link, language="fr", note="somebody else's words"))
    [waiting] = gated.join.gate.waiting()
    assert waiting.subscriber == replace(before, sponsor=f"reader:{person(gated, 'ann@ontario.ca').id}")
    assert len(taken(gated, clock)) == (1 if days else 0), "one letter a day"
    found = gated.join.confirm(confirm_token(gated, BO))
    assert (found.answer, found.subscriber.state) == (Answer.DONE, SubscriberState.CONFIRMED)
    assert gated.join.gate.waiting() == []
    assert [one.kind for one in taken(gated, clock)] == [NoticeKind.WELCOME]
    log = gated.store.consents.of(before.id)
    assert consent.standing(log) is SubscriberState.CONFIRMED


def test_an_invitation_lets_in_nobody_whom_an_editor_refused_nor_over_the_twenty(
    gated: App, clock: Clock
) -> None:
    joins(gated, "ann@ontario.ca")
    link = gated.join.gate.invitation(manage_token(gated, "ann@ontario.ca")).rpartition("/")[2]
    refused, late = joins(gated, BO), joins(gated, "late@elsewhere.example")
    gated.join.gate.decline(refused.id, by="dana")
    for number in range(19):
        assert (
            joins(gated, f"r{number}@elsewhere.example", invitation=link).state is SubscriberState.CONFIRMED
        )
    clock.forward(days=2)
    link = gated.join.gate.invitation(manage_token(gated, "ann@ontario.ca")).rpartition("/")[2]
    for text in (BO, "late@elsewhere.example"):
        gated.join.ask(Ask(address=text, invitation=link))
    assert gated.join.confirm(confirm_token(gated, BO)).answer is Answer.WAITING
    assert person(gated, BO).sponsor is None
    assert gated.join.confirm(confirm_token(gated, "late@elsewhere.example")).answer is Answer.DONE, (
        "the twentieth"
    )
    assert late.sponsor is None
    gated.join.crowd.tidy()
    joins(gated, "more@elsewhere.example", invitation=link)
    assert person(gated, "more@elsewhere.example").state is SubscriberState.WAITING


def test_an_invitation_opens_the_page_in_its_readers_language(gated: App) -> None:
    joins(gated, "ann@ontario.ca", language="fr+en")
    assert "/fr/invited/" in gated.join.gate.invitation(manage_token(gated, "ann@ontario.ca"))


def test_an_invitation_ends_with_its_maker_and_is_not_theirs_again_when_they_come_back(gated: App) -> None:
    joins(gated, "ann@ontario.ca")
    link = gated.join.gate.invitation(manage_token(gated, "ann@ontario.ca")).rpartition("/")[2]
    assert gated.join.gate.is_invitation(link)
    gated.join.leave(leave_token(gated, "ann@ontario.ca"))
    assert not gated.join.gate.is_invitation(link)
    joins(gated, "ann@ontario.ca")
    assert not gated.join.gate.is_invitation(link)
    assert joins(gated, BO, invitation=link).state is SubscriberState.WAITING


def test_an_editor_who_was_removed_invites_nobody_any_more(gated: App) -> None:
    invite(gated.store, gated.links, address_text="eve@example.org", role=Role.EDITOR, language=Language.EN,
           now=gated.clock())  # fmt: skip
    editor = gated.store.editors.all()[-1].id
    link = gated.join.gate.editor_invitation(editor).rpartition("/")[2]
    gated.join.ask(Ask(address=BO, invitation=link))
    with gated.store.write():
        assert gated.store.editors.remove(editor)
    assert not gated.join.gate.is_invitation(link)
    gated.join.confirm(confirm_token(gated, BO))
    assert person(gated, BO).state is SubscriberState.WAITING


def test_one_invitation_may_be_passed_around_but_lets_in_each_person_once(gated: App) -> None:
    joins(gated, "ann@ontario.ca")
    link = gated.join.gate.invitation(manage_token(gated, "ann@ontario.ca")).rpartition("/")[2]
    for text in (BO, "cy@elsewhere.example"):
        assert joins(gated, text, invitation=link).state is SubscriberState.CONFIRMED
    gated.join.ask(Ask(address=BO, invitation=link))
    assert [line.act for line in gated.store.consents.of(person(gated, BO).id)] == ["asked", "confirmed"]


def test_a_reader_brings_twenty_people_a_month_and_no_crowd(gated: App) -> None:
    joins(gated, "ann@ontario.ca")
    link = gated.join.gate.invitation(manage_token(gated, "ann@ontario.ca")).rpartition("/")[2]
    states = [joins(gated, f"g{n}@elsewhere.example", invitation=link).state for n in range(22)]
    assert states.count(SubscriberState.CONFIRMED) == consent.INVITED_MOST


def test_only_a_fresh_link_of_a_reader_invites(gated: App) -> None:
    joins(gated, "ann@ontario.ca")
    joins(gated, BO)
    with pytest.raises(TokenRefused):
        gated.join.gate.invitation(letter_token(gated, "ann@ontario.ca"))
    with pytest.raises(TokenRefused, match="Only readers"):
        gated.join.gate.invitation(manage_token(gated, BO))


def test_a_link_for_one_purpose_invites_nobody(gated: App) -> None:
    joins(gated, "ann@ontario.ca")
    for token in (manage_token(gated, "ann@ontario.ca"), leave_token(gated, "ann@ontario.ca"), "x" * 28, ""):
        assert joins(gated, f"x{len(token)}{token[:2].lower().replace('_', '')}@elsewhere.example", invitation=token
                     ).state is SubscriberState.WAITING  # fmt: skip


def test_a_forged_editor_number_invites_nobody(gated: App) -> None:
    link = gated.join.gate.editor_invitation(EditorId(999)).rpartition("/")[2]
    assert joins(gated, BO, invitation=link).state is SubscriberState.WAITING


def test_governments_come_in_by_themselves_when_the_operator_says_so(
    make_config: object, clock: Clock
) -> None:
    config: Config = make_config('[signup]\npolicy = "domains"\ngovernment = true\n')  # type: ignore[operator]
    with open_app(config, clock=clock) as app:
        for text, state in (
            ("a@tbs-sct.gc.ca", SubscriberState.CONFIRMED), ("a@ottawa.ca", SubscriberState.CONFIRMED),
            ("a@codefor.ca", SubscriberState.WAITING), ("a@gmail.example", SubscriberState.WAITING),
        ):  # fmt: skip
            assert joins(app, text).state is state


def test_an_operators_file_of_domains_wins_over_the_packaged_one(make_config: object, clock: Clock) -> None:
    config: Config = make_config(
        '[signup]\npolicy = "domains"\ngovernment = true\ndomains_file = "own.toml"\n'
    )  # type: ignore[operator]
    config.path("own.toml").write_text(
        '[municipal.ontario]\n"village.example" = "V"\n[other.x]\n"ottawa.ca" = "?"\n'
    )
    with open_app(config, clock=clock) as app:
        assert joins(app, "a@village.example").state is SubscriberState.CONFIRMED
        assert joins(app, "a@ottawa.ca").state is SubscriberState.WAITING


@pytest.mark.parametrize("text", ["not toml", '[royal.ontario]\n"x.example" = "X"\n', '[municipal]\n"x.example" = "X"\n',
                                  '[municipal.ontario]\n"x y" = "X"\n'])  # fmt: skip
def test_a_broken_file_of_domains_is_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match=r"own\.toml"):
        read_directory(text, source="own.toml")


def test_the_packaged_file_knows_all_provinces_and_territories() -> None:
    places = {"ontario.ca": "ontario", "gov.bc.ca": "british-columbia", "gov.ab.ca": "alberta", "gov.sk.ca": "saskatchewan",
              "gov.mb.ca": "manitoba", "x.gouv.qc.ca": "quebec", "gnb.ca": "new-brunswick", "novascotia.ca": "nova-scotia",
              "gov.pe.ca": "prince-edward-island", "gov.nl.ca": "newfoundland-and-labrador", "yukon.ca": "yukon",
              "gov.nt.ca": "northwest-territories", "gov.nu.ca": "nunavut", "x.canada.ca": "federal",
              "halifax.ca": "municipal", "codefor.ca": "elsewhere", "example.org": "elsewhere"}  # fmt: skip
    assert {domain: jurisdiction(domain) for domain in places} == places
    found = canada().find("mail.toronto.ca")
    assert found is not None
    assert (found.organisation, found.jurisdiction, found.level) == (
        "City of Toronto",
        "ontario",
        "municipal",
    )


def test_the_packaged_file_knows_a_municipality_of_every_province_and_territory() -> None:
    cities = {"ontario": "stcatharines.ca", "quebec": "ville.levis.qc.ca", "british-columbia": "delta.ca",
              "alberta": "calgary.ca", "saskatchewan": "moosejaw.ca", "manitoba": "brandon.ca", "nunavut": "iqaluit.ca",
              "new-brunswick": "dieppe.ca", "nova-scotia": "cbrm.ns.ca", "prince-edward-island": "summerside.ca",
              "newfoundland-and-labrador": "stjohns.ca", "yukon": "whitehorse.ca",
              "northwest-territories": "yellowknife.ca"}  # fmt: skip
    for place, domain in cities.items():
        found = canada().find(f"mail.{domain}")
        assert found is not None
        assert (found.jurisdiction, found.level) == (place, "municipal")


# --- S16, S17: addresses that pretend ---------------------------------------------------------------------------------

PRETENDERS = [
    # CVE-2019-11340 (Tchap) and CVE-2019-16056: two addresses in one, cut at different signs
    "bob@evil.example@canada.ca", "bob@evil.example@canada.ca.evil.example", "bob@canada.ca@evil.example",
    "attacker@evil.example@ontario.ca",
    # CVE-2023-27043: what parseaddr takes the wrong half of
    "alice@canada.ca]<bob@evil.example>", "alice@canada.ca(<bob@evil.example>", "alice@canada.ca)<bob@evil.example>",
    "alice@canada.ca<<bob@evil.example>", "alice@canada.ca><bob@evil.example>", "alice@canada.ca@<bob@evil.example>",
    "alice@canada.ca,<bob@evil.example>", "alice@canada.ca;<bob@evil.example>", "alice@canada.ca:<bob@evil.example>",
    "alice@canada.ca.<bob@evil.example>", 'alice@canada.ca"<bob@evil.example>', "alice@canada.ca[<bob@evil.example>",
    # CVE-2026-41259 (as the guide names it: a domain block passed by another spelling of the domain)
    "bob@evil.example\u3002ontario.ca.evil.example", "bob@ONTARIO.CA.evil.example", "bob@ontario.ca%00.evil.example",
    "bob@ontario.ca\x00.evil.example", "bob@ontario.ca\u200b.evil.example", "bob@\u200bontario.ca.evil.example",
    # the rest of S17
    "x@ontario.ca.evil.example", "x@notontario.ca", "x@ontarіo.ca", "x@оntario.ca", "x@xn--ontaro-tvf.ca",
    '"x@ontario.ca"@evil.example', "x@[ontario.ca]", "x@ontario.ca#evil.example", "x@ontario.ca/evil.example",
]  # fmt: skip


@pytest.mark.parametrize("text", PRETENDERS)
def test_no_list_brings_in_who_pretends(gated: App, text: str) -> None:
    """A list vouches for consent, not for an address: what is refused at the form is refused here, and a domain is
    counted as what it is."""
    data = io.StringIO()
    csv.writer(data).writerows([["email"], [text]])
    with suppress(InputRefused):  # a zero byte: the whole file is no text
        bring(data.getvalue().encode(), join=gated.join, store=gated.store, basis="express", origin="x")
    for one in gated.store.subscribers.everyone():
        found = canada().find(domain_of(one.address))
        assert found is None or found.jurisdiction == "elsewhere"


@pytest.mark.parametrize("text", PRETENDERS)
def test_nobody_comes_in_by_pretending(gated: App, text: str) -> None:
    try:
        gated.join.ask(Ask(address=text))
    except AddressRefused:
        return
    stored = gated.store.subscribers.everyone()
    for one in stored:
        confirmed = gated.join.confirm(
            gated.links.confirm(one.id, version=one.version, now=gated.clock()).rpartition("/")[2]
        )
        assert confirmed.subscriber.state is SubscriberState.WAITING, text


@pytest.mark.parametrize("text", PRETENDERS)
def test_our_reading_of_an_address_is_email_validators_reading(text: str) -> None:
    """Differential: what it refuses we refuse, and the domain that we judge is the one after its last @."""
    try:
        theirs = validate_email(text.strip(), check_deliverability=False)
    except EmailNotValidError:
        with pytest.raises(AddressRefused):
            consent.readable_address(text)
        return
    ours = consent.readable_address(text)
    assert consent.domain_of(ours) == theirs.ascii_domain.lower()
    assert not consent.is_within(consent.domain_of(ours), ["ontario.ca", "canada.ca"])


@pytest.mark.parametrize(
    ("domain", "is_odd"),
    [
        ("ontarіo.ca", True), ("xn--ontaro-tvf.ca", True), ("xn--cnada-4ve.ca", True), ("ontario.ca", False),
        ("québec.ca", False), ("пример.рф", False),
    ],
)  # fmt: skip
def test_the_desk_is_told_of_mixed_alphabets(domain: str, is_odd: bool) -> None:
    assert has_mixed_scripts(domain) is is_odd


def test_an_editor_says_whose_a_domain_is_without_letting_it_in_and_takes_it_back(gated: App) -> None:
    gated.join.ask(Ask(address="bo@elsewhere.example"))
    gated.join.confirm(confirm_token(gated, "bo@elsewhere.example"))
    said = {"organisation": "A college", "jurisdiction": "nova-scotia", "level": "provincial"}
    assert gated.join.gate.admit_domain("elsewhere.example", by="1", admitted=False, **said) == 0
    [waiting] = gated.join.gate.waiting()
    assert waiting.whose is not None
    assert (waiting.whose.organisation, waiting.whose.jurisdiction) == ("A college", "nova-scotia")
    assert gated.join.gate.admit_domain("elsewhere.example", by="1") == 1
    [entry] = gated.join.gate.decided()
    assert (entry.admitted, entry.jurisdiction, entry.level) == (True, "nova-scotia", "provincial")
    gated.join.gate.admit_domain("elsewhere.example", by="1", admitted=False)
    assert person(gated, "bo@elsewhere.example").state is SubscriberState.CONFIRMED, "who is in stays in"
    gated.join.ask(Ask(address="cy@elsewhere.example"))
    gated.join.confirm(confirm_token(gated, "cy@elsewhere.example"))
    assert person(gated, "cy@elsewhere.example").state is SubscriberState.WAITING
    with pytest.raises(InputRefused):
        gated.join.gate.admit_domain("elsewhere.example", by="1", jurisdiction="atlantis")
