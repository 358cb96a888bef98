"""Looking outside for preflight: what answers, what is dead, what cannot be told; kept, and not asked twice a day."""

from collections.abc import Callable

import dns.resolver
import pytest

from digest.app import App
from digest.config import CollectPart
from digest.mail.records import sender_records
from digest.mail.spam import spam_score
from digest.model import IssueState
from digest.publish_look import Look, Outside
from digest.sources import open_answering
from tests.conftest import Clock
from tests.http_kit import answer, serving
from tests.test_publish import PERIOD, stocked

__all__ = ["stocked"]


def looking(
    app: App, link: Callable[[str], str], *, spam: str | None = None, records: str | None = None
) -> Look:
    outside = Outside(link=link, spam=lambda data: spam, records=lambda domain: records)
    return Look(app.store, app.publish, app.press, outside, config=app.config, clock=app.clock)


def outcomes(app: App, rule: str) -> set[str]:
    return {c.outcome for c in app.publish.preflight(PERIOD) if c.id == rule}


def test_looking_turns_not_checked_into_an_answer(stocked: App) -> None:
    stocked.publish.assemble()
    assert (
        outcomes(stocked, "link-live")
        == outcomes(stocked, "spam")
        == outcomes(stocked, "auth")
        == {"not-checked"}
    )
    dead = "https://blog.example.org/2"
    looking(stocked, lambda url: "404" if url == dead else "ok", spam="-1.0 NONE", records="SPF DMARC").at(
        PERIOD
    )
    told = [c for c in stocked.publish.preflight(PERIOD) if c.id == "link-live"]
    assert [(c.outcome, c.where) for c in told] == [("fail", "item:2")]
    assert outcomes(stocked, "spam") == outcomes(stocked, "auth") == {"pass"}


def test_without_tools_or_network_it_stays_not_checked(stocked: App) -> None:
    stocked.publish.assemble()
    looking(stocked, lambda url: "dns").at(PERIOD)
    assert outcomes(stocked, "spam") == outcomes(stocked, "auth") == {"not-checked"}


def test_a_link_is_visited_once_a_day(stocked: App, clock: Clock) -> None:
    stocked.publish.assemble()
    asked: list[str] = []
    look = looking(stocked, lambda url: asked.append(url) or "ok")  # type: ignore[func-returns-value]
    look.at(PERIOD)
    assert sorted(asked) == [f"https://blog.example.org/{n}" for n in range(1, 6)]
    look.at(PERIOD)
    assert len(asked) == 5
    clock.forward(hours=25)
    look.at(PERIOD)
    assert len(asked) == 10


def test_an_approved_letter_is_looked_at_as_it_was_frozen(stocked: App) -> None:
    stocked.publish.assemble()
    stocked.publish.approve(PERIOD, by="test")
    assert stocked.store.issues.get(PERIOD).state is IssueState.APPROVED
    looking(stocked, lambda url: "ok", spam="0.0 NONE").at(PERIOD)
    assert outcomes(stocked, "spam") == {"pass"}


def test_links_are_asked_with_the_collectors_manners() -> None:
    with serving() as site:
        site.pages.update({"/ok": b"hello", "/gone": answer(status=410), "/no": answer(status=404),
                           "/shy": answer(status=403), "/big": b"x" * 9_000})  # fmt: skip
        manners = CollectPart(allow_private=("127.0.0.0/8",), delay_s=0, max_bytes=8_000)
        look = open_answering(manners, contact="https://digest.example.org").look
        said = {path: look(site.url(path)) for path in site.pages}
        guarded = open_answering(CollectPart(), contact="x").look(site.url("/ok"))
    assert said == {"/ok": "ok", "/gone": "gone", "/no": "404", "/shy": "403", "/big": "ok"}
    assert guarded == "private-address"


class Resolver(dns.resolver.Resolver):
    """Answers from a table, or not at all."""

    def __init__(self, table: dict[str, list[str]] | None) -> None:
        super().__init__(configure=False)
        self.table = table

    def resolve(self, qname: str, *_: object, **__: object) -> list[object]:  # type: ignore[override]
        if self.table is None:
            raise dns.resolver.NoNameservers
        if qname not in self.table:
            raise dns.resolver.NXDOMAIN
        return [type("Record", (), {"strings": [text.encode()]})() for text in self.table[qname]]


@pytest.mark.parametrize(("table", "found"), [
    ({"list.ca": ["v=spf1 -all"], "_dmarc.list.ca": ["v=DMARC1; p=reject"]}, "SPF DMARC"),
    ({"list.ca": ["google-site-verification=1", "v=spf1 -all"]}, "SPF"), ({}, ""), (None, None),
])  # fmt: skip
def test_records_are_those_that_stand(table: dict[str, list[str]] | None, found: str | None) -> None:
    assert sender_records("list.ca", resolver=Resolver(table)) == found


def test_our_own_key_is_looked_for_when_letters_are_signed_here() -> None:
    table = {"list.ca": ["v=spf1 -all"], "letter._domainkey.list.ca": ["v=DKIM1; k=rsa; p=MIIB"]}
    assert sender_records("list.ca", selector="letter", resolver=Resolver(table)) == "SPF DKIM"
    revoked = table | {"letter._domainkey.list.ca": ["v=DKIM1; k=rsa; p="]}
    assert sender_records("list.ca", selector="letter", resolver=Resolver(revoked)) == "SPF"


def test_nobody_is_asked_about_a_domain_of_examples() -> None:
    assert sender_records("lists.example.org", resolver=Resolver({})) is None


def test_without_spamassassin_there_is_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert spam_score(b"Subject: x\r\n\r\nx\r\n") is None
