"""Whoever left elsewhere never comes in as a reader, in whatever words and under whatever header a file says so."""

import pytest

from digest.app import App
from digest.model import SubscriberState
from digest.rules.roster import read_roster
from digest.rules.roster_presets import shape_of
from digest.rules.roster_status import NO_CONSENT, Standing
from tests.readers_kit import is_known, person
from tests.test_roster_presets import ANN, LUC, brought

GONE = (
    "do not mail", "desabonne", "Désinscrit", "Opt Out", "Unsubscribed (admin)", "complaint", "Plainte", "hard bounce",
    "hardbounced", "blocked", "cancelled", "Unsub", "abuse", "DÉSABONNÉE", "active (unsubscribed)", "not subscribed",
    "Inactive", "inactif", "Désactivé",
    "ne pas envoyer",
)  # fmt: skip
UNKNOWN = (
    "cancelled trial",
    "payment cancelled",
    "blockchain",
    "0",
    "1",
    "?",
    "soft_bounced",
    "Ontario",
    "subscribed?no",
)
IN = ("subscribed", "Active", "enabled", "Abonnée", "confirmed", " Express ", "")


@pytest.mark.parametrize("word", GONE)
def test_a_word_that_says_somebody_left_keeps_them_out(app: App, word: str) -> None:
    report = brought(app, f"email,status\n{ANN},{word}\n".encode())
    assert report.counts == {"left": 1}


@pytest.mark.parametrize("word", UNKNOWN)
def test_a_status_that_is_not_understood_is_refused_and_named_by_the_dry_run(app: App, word: str) -> None:
    data = f"email,Status\n{ANN},{word}\n{LUC},subscribed\n".encode()
    for dry_run in (True, False):
        report = brought(app, data, dry_run=dry_run)
        assert report.counts == {"confirmed": 1}
        [(number, reason)] = report.refused
        assert number == 2
        assert f"Status: {word}" in reason
    assert not is_known(app, ANN)


def test_a_status_that_holds_an_address_is_not_repeated(app: App) -> None:
    [(_, reason)] = brought(app, f"email,status\n{ANN},see luc@example.org\n".encode()).refused
    assert "@" not in reason


@pytest.mark.parametrize("word", IN)
def test_a_word_that_says_somebody_reads_lets_them_in(app: App, word: str) -> None:
    assert brought(app, f"email,status\n{ANN},{word}\n".encode()).counts == {"confirmed": 1}


COLUMNS = {
    ("unsubscribed", "true"): Standing.LEFT, ("unsubscribed", "no"): Standing.SUBSCRIBED,
    ("unsubscribed", "2024-05-06T07:08:09Z"): Standing.LEFT, ("unsubscribed", "perhaps"): Standing.UNCLEAR,
    ("subscribed", "no"): Standing.LEFT, ("subscribed", "yes"): Standing.SUBSCRIBED,
    ("subscribed", ""): Standing.ASKED, ("Subscribed", "maybe"): Standing.UNCLEAR,
    ("Subscription status", "Unsubscribed"): Standing.LEFT, ("Subscription status", "Bounced"): Standing.BOUNCED,
    ("Opt-out", "1"): Standing.LEFT, ("Opt-out", "0"): Standing.SUBSCRIBED, ("bounced", "1"): Standing.BOUNCED,
    ("Payment status", "cancelled"): Standing.SUBSCRIBED, ("Trial cancelled at", "2024-05-06"): Standing.SUBSCRIBED,
    ("Bounces", "3"): Standing.UNCLEAR, ("Complaint", "yes"): Standing.COMPLAINED, ("Plainte", "oui"): Standing.COMPLAINED,
    ("Désabonné", "oui"): Standing.LEFT, ("Désinscription", "12/05/2024"): Standing.LEFT, ("Abonné", "non"): Standing.LEFT,
    ("Abonné", "oui"): Standing.SUBSCRIBED, ("Active", "0"): Standing.LEFT, ("Actif", "vrai"): Standing.SUBSCRIBED,
    ("confirmed", "false"): Standing.ASKED, ("Statut", "désabonné"): Standing.LEFT, ("unsub", "0"): Standing.SUBSCRIBED,
    ("Do not email", "x"): Standing.LEFT, ("state", "Ontario"): Standing.UNCLEAR,
}  # fmt: skip


@pytest.mark.parametrize(("header", "cell"), COLUMNS)
def test_a_column_that_speaks_of_status_is_understood_or_proves_nothing(header: str, cell: str) -> None:
    [line] = read_roster(f"email,name,{header}\n{ANN},Ann,{cell}\n".encode())
    assert line.standing is COLUMNS[header, cell]


CONSENTS = ("gdpr_consent", "consent", "Consentement", "marketing consent", "Accepts Marketing", "Accepts Email Marketing",
            "email_marketing_consent", "permission", "Consentement RGPD", "Consent status")  # fmt: skip
SAYS = {"no": Standing.UNCLEAR, "FALSE": Standing.UNCLEAR, "non": Standing.UNCLEAR, "denied": Standing.UNCLEAR,
        "not_subscribed": Standing.LEFT, "perhaps": Standing.UNCLEAR, "": Standing.ASKED, "yes": Standing.SUBSCRIBED,
        "oui": Standing.SUBSCRIBED, "granted": Standing.SUBSCRIBED, "2024-05-06": Standing.SUBSCRIBED,
        "implied": Standing.ASKED, "withdrew (unsubscribed)": Standing.LEFT}  # fmt: skip


@pytest.mark.parametrize("header", CONSENTS)
@pytest.mark.parametrize("cell", SAYS)
def test_a_column_of_consents_is_believed_and_an_empty_one_proves_nothing(header: str, cell: str) -> None:
    [line] = read_roster(f"email,name,{header}\n{ANN},Ann,{cell}\n".encode())
    assert line.standing is SAYS[cell]


def test_who_has_not_agreed_stays_out_and_is_named_but_has_not_left(app: App) -> None:
    report = brought(app, f"email,gdpr_consent\n{ANN},no\n{LUC},yes\n".encode())
    assert report.counts == {"confirmed": 1}
    assert report.refused == [(2, f"{NO_CONSENT}gdpr_consent: no.")]
    assert not is_known(app, ANN)
    assert app.store.suppressions.count() == 0


@pytest.mark.parametrize(
    "name",
    [
        "consent_date",
        "consent text",
        "Consent source",
        "consent_ip",
        "SMS consent",
        "accepts sms marketing",
        "terms",
    ],
)
def test_what_is_said_about_a_consent_is_not_the_consent(name: str) -> None:
    shape = shape_of(["email", name])
    assert shape is not None
    assert shape.statuses == ()


def test_columns_of_links_moments_plans_and_provinces_are_left_alone() -> None:
    header = ["email", "unsubscribe_url", "subscribed_at", "active_subscription", "city", "state", "optin_ip"]
    shape = shape_of(header)
    assert shape is not None
    assert shape.statuses == ()


def test_of_two_columns_the_one_that_says_they_left_is_believed(app: App) -> None:
    data = f"email,unsubscribed,subscribed\n{ANN},true,yes\n{LUC},false,yes\n".encode()
    assert brought(app, data).counts == {"confirmed": 1, "left": 1}
    assert person(app, LUC).state is SubscriberState.CONFIRMED


def test_the_report_names_columns_that_say_nothing_and_which_addresses_were_read(app: App) -> None:
    data = f"email,Email Address,Address,status,Fav. colour,x@example.org\n{ANN},{LUC},12 Main St,active,red,1\n".encode()
    report = brought(app, data, dry_run=True)
    assert report.rivals == ["email", "Email Address"]
    assert report.unread == ["Address", "Fav. colour"]
    assert brought(app, f"email,status\n{ANN},active\n".encode()).rivals == []
    assert brought(app, f"{ANN}\n".encode()).unread == []
