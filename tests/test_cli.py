"""The commands as an operator meets them: what they print, the JSON forms of the contract, one sentence for an error."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from digest import cli_issues
from digest.app import now
from digest.cli import run
from digest.errors import MailError
from digest.model import DeliveryState, IssueState, Period, SubscriberId, SubscriberState
from digest.rules.assemble import SECTIONS
from digest.send import Report
from tests.operator_kit import Community, community
from tests.smtp_kit import Event, Sink

ROOT = Path(__file__).parent.parent


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Community]:
    """The sample community under the real clock, since commands read that one; nothing collected yet."""
    with community(tmp_path, clock=now) as made:
        yield made


Digest = Callable[..., str]


@pytest.fixture
def digest(here: Community, capsys: pytest.CaptureFixture[str]) -> Digest:
    def call(*words: str, status: int = 0) -> str:
        capsys.readouterr()
        assert run(["--config", str(here.config), *words]) == status, capsys.readouterr().err
        return capsys.readouterr().out

    return call


def this_month(here: Community) -> str:
    local = here.app.clock()
    return str(Period(local.year, local.month))


def approved(here: Community, digest: Digest) -> str:
    month = this_month(here)
    here.join(3)
    digest("collect", "--all")
    digest("assemble", "--period", month)
    digest("approve", month)
    return month


# --- JSON -------------------------------------------------------------------------------------------------------


def test_collect_says_what_each_source_brought(digest: Digest) -> None:
    told = json.loads(digest("collect", "--json"))
    assert list(told) == ["sources"]
    by_name = {source["name"]: source for source in told["sources"]}
    assert len(by_name) == 6
    for source in by_name.values():
        assert list(source) == ["name", "kind", "url", "outcome", "new", "updated", "seconds", "error"]
    assert by_name["Northern Services Lab"]["outcome"] == "new"
    assert by_name["Northern Services Lab"]["error"] is None
    broken = by_name["Atlantic Data Circle"]
    assert broken["outcome"] == "failed"
    assert broken["error"]["kind"] == "not-a-feed"
    assert list(broken["error"]) == ["kind", "message"]
    again = json.loads(digest("collect", "--json"))
    assert {source["outcome"] for source in again["sources"]} == {"waiting"}
    named = json.loads(digest("collect", "Civic calendar", "--json"))
    assert [source["name"] for source in named["sources"]] == ["Civic calendar"]


def test_items_are_told_whole_and_in_their_own_zone(digest: Digest) -> None:
    digest("collect", "--all")
    found = json.loads(digest("items", "--json"))["items"]
    keys = ["id", "kind", "title", "url", "source", "also_in", "language", "published", "author", "summary", "starts",
            "ends", "timezone", "all_day", "place", "online", "cancelled"]  # fmt: skip
    assert all(list(item) == keys for item in found)
    by_title = {item["title"]: item for item in found}
    shared = by_title["We wrote our procurement notice on one page, and eleven firms answered"]
    assert {shared["source"], *shared["also_in"]} == {"Northern Services Lab", "Common Ground Civic"}
    assert shared["starts"] is None
    meetup = by_title["Prairie digital meet-up"]
    assert meetup["starts"].endswith("T17:30:00-06:00"), "Edmonton no longer turns its clocks back"
    assert meetup["timezone"] == "America/Edmonton"
    assert (meetup["all_day"], meetup["cancelled"], meetup["published"]) == (False, False, None)
    assert by_title["Services Together · Services ensemble"]["all_day"] is True
    assert by_title["Data stewards’ lunch"]["cancelled"] is True
    for item in found:
        for name in ("published", "starts", "ends"):
            if item[name] is not None:
                assert datetime.fromisoformat(item[name]).utcoffset() is not None


def test_the_pool_of_one_month_is_that_months(here: Community, digest: Digest) -> None:
    digest("collect", "--all")
    month = this_month(here)
    some = json.loads(digest("items", "--period", month, "--json"))["items"]
    everything = json.loads(digest("items", "--json"))["items"]
    assert 0 < len(some) < len(everything)
    dates = {(item["starts"] or item["published"])[:7] for item in some}
    assert month in dates


def test_assemble_and_show_agree(here: Community, digest: Digest) -> None:
    digest("collect", "--all")
    month = this_month(here)
    made = json.loads(digest("assemble", "--period", month, "--json"))
    assert list(made) == ["issue", "state", "sections", "bench"]
    assert (made["issue"], made["state"]) == (month, "draft")
    assert [section["name"] for section in made["sections"]] == list(SECTIONS)
    assert all(isinstance(item, int) for section in made["sections"] for item in section["items"])
    assert json.loads(digest("show", month, "--as", "json")) == made
    assert json.loads(digest("issues", "--json"))["issues"][0]["issue"] == month


def test_status_counts_all_eight_states(here: Community, digest: Digest) -> None:
    month = approved(here, digest)
    told = json.loads(digest("status", month, "--json"))
    names = ["queued", "claimed", "committing", "sent", "deferred", "failed", "cancelled", "unsure"]
    assert told == {
        "issue": month,
        "state": "approved",
        "deliveries": {**dict.fromkeys(names, 0), "queued": 3},
    }
    assert list(told["deliveries"]) == names
    digest("send", month)
    told = json.loads(digest("status", month, "--json"))
    assert (told["state"], told["deliveries"]["sent"]) == ("sent", 3)


def test_preflight_lists_checks_and_ends_with_1_when_one_blocks(
    here: Community, digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest("collect", "--all")
    month = this_month(here)
    digest("assemble", "--period", month)
    here.join(1)
    monkeypatch.setenv("DIGEST_LIST__POSTAL_ADDRESS", '{"en": "", "fr": ""}')
    monkeypatch.setenv("DIGEST_LIST__URL", "https://letter.example.org")
    monkeypatch.setenv("DIGEST_MAIL__TRANSPORT", "smtp")
    told = json.loads(digest("preflight", month, "--json", status=1))
    assert told["issue"] == month
    assert all(list(check) == ["id", "severity", "outcome", "message"] for check in told["checks"])
    assert {check["severity"] for check in told["checks"]} <= {"block", "warn", "info"}
    assert {check["outcome"] for check in told["checks"]} <= {"pass", "fail", "accepted", "not-checked"}
    for name in ("LIST__POSTAL_ADDRESS", "LIST__URL", "MAIL__TRANSPORT"):
        monkeypatch.delenv(f"DIGEST_{name}")
    told = json.loads(digest("preflight", month, "--json"))
    assert not [
        check for check in told["checks"] if (check["severity"], check["outcome"]) == ("block", "fail")
    ]


def test_readers_are_counted_by_state_language_jurisdiction_and_role(digest: Digest) -> None:
    digest("subscribers", "add", "a@ontario.ca", "--basis", "express", "--origin", "a sheet")
    digest(
        "subscribers",
        "add",
        "b@csps-efpc.gc.ca",
        "--basis",
        "express",
        "--origin",
        "a sheet",
        "--language",
        "fr",
    )
    digest("subscribers", "add", "c@example.org", "--basis", "implied", "--origin", "a card")
    told = json.loads(digest("subscribers", "stats", "--json"))
    assert list(told) == ["asked", "waiting", "confirmed", "suspended", "left", "suppressed", "by_language",
                          "by_jurisdiction", "by_role"]  # fmt: skip
    assert (told["asked"], told["confirmed"]) == (1, 2)
    assert told["by_language"] == {"en": 1, "fr": 1}
    assert told["by_jurisdiction"] == {"ontario": 1, "federal": 1}


def test_check_says_what_is_broken(here: Community, digest: Digest) -> None:
    told = json.loads(digest("check", "--json"))
    assert told["ok"] is True
    found = {check["id"]: check["outcome"] for check in told["checks"]}
    assert (found["configuration"], found["database"], found["time-zones"], found["mail"]) == ("pass",) * 4
    assert found["source Civic calendar"] == "not-checked"
    digest("collect", "--all")
    found = {check["id"]: check["outcome"] for check in json.loads(digest("check", "--json"))["checks"]}
    assert found["source Civic calendar"] == "pass"
    assert found["source Atlantic Data Circle"] == "warn"


def test_a_cron_line_that_cannot_be_is_a_fault_of_the_configuration(
    here: Community, digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_SCHEDULE__SEND", "0 25 1 * *")
    found = {one["id"]: one for one in json.loads(digest("check", "--json", status=1))["checks"]}
    assert found["configuration"]["outcome"] == "fail"
    assert "'25' is no hour" in found["configuration"]["message"]
    assert "database" not in found


def test_without_its_password_only_what_mails_is_refused(
    here: Community, digest: Digest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    month = approved(here, digest)
    for name, value in {"TRANSPORT": "smtp", "SERVER": "127.0.0.1", "USERNAME": "me@example.org"}.items():
        monkeypatch.setenv(f"DIGEST_MAIL__{name}", value)
    assert month in digest("status", month)
    assert "3" in digest("subscribers", "stats")
    found = {one["id"]: one for one in json.loads(digest("check", "--json", status=1))["checks"]}
    assert found["database"]["outcome"] == "pass"
    assert "no password" in found["mail"]["message"]
    for words in (["send", month], ["send", month, "--test", "me@example.org"], ["serve", "--port", "0"]):
        assert run(["--config", str(here.config), *words]) == 1
        assert "set DIGEST_MAIL__PASSWORD" in capsys.readouterr().err
    assert json.loads(digest("status", month, "--json"))["state"] == "approved"


# --- words ------------------------------------------------------------------------------------------------------


def test_the_month_in_plain_words(here: Community, digest: Digest) -> None:
    here.join(2)
    month = this_month(here)
    assert "1 failed" in digest("collect")
    assert "not due" in digest("collect")
    assert "Services Lab" in digest("items")
    assert f"The draft of {month} is ready" in digest("assemble", "--period", month)
    assert month in digest("issues")
    assert "Coming up" in digest("show", month)
    assert "À venir" in digest("show", month, "--language", "fr")
    assert "<html" in digest("show", month, "--as", "html").lower()
    assert "BLOCKS" not in digest("preflight", month)
    assert "2 letters wait" in digest("approve", month)
    assert "draft again" in digest("hold", month)
    digest("approve", month)
    assert digest("send", month) == f"{month}: sent (2 sent)\n"
    assert digest("status", month) == f"{month}: sent (2 sent)\n"


def test_show_as_eml_is_a_message_for_nobody(here: Community) -> None:
    here.app.collect.visit(every=True)
    month = str(here.app.publish.assemble().period)
    command = [sys.executable, "-m", "digest", "--config", str(here.config), "show", month, "--as", "eml"]
    message = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=True).stdout
    assert b"To: reader@example.org\r\n" in message
    assert b"List-Unsubscribe: " in message


def test_a_test_letter_goes_to_one_address_and_no_reader(here: Community, digest: Digest) -> None:
    month = approved(here, digest)
    digest("send", month, "--test", "me@example.org")
    assert len(here.letters()) == 2
    digest("send", month, "--test", "me@example.org", "--language", "fr")
    assert len(here.letters()) == 3
    assert all(b"\r\nTo: me@example.org\r\n" in b"\r\n" + path.read_bytes() for path in here.letters())
    assert json.loads(digest("status", month, "--json"))["deliveries"]["queued"] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["send", "2026-11", "--language", "fr"], "--language goes with --test"),
        (["send", "2026-11", "--test", "me@example.org", "--only", "failed"], "name one"),
        (["preflight", "2026-11", "--because", "it may stand"], "--because goes with --accept"),
        (["preflight", "2026-11", "--accept", "nonsense"], 'no rule "nonsense"'),
        (["preflight", "2026-11", "--accept", "count"], "--because TEXT"),
    ],
)
def test_options_that_do_not_go_together_do_nothing(
    here: Community, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    here.app.join.add("zoe@example.org", basis="express", origin="a test")
    assert run(["--config", str(here.config), *words]) == 2
    assert said in capsys.readouterr().err
    assert not here.letters()
    assert (
        len(
            here.app.store.subscribers.everyone(
                states={SubscriberState.CONFIRMED}, after=SubscriberId(0), limit=9
            )
        )
        == 1
    )


def test_people_never_read_just_sent_while_a_letter_is_unsure(here: Community, digest: Digest) -> None:
    month = approved(here, digest)
    issue = here.app.store.issues.get(Period.parse(month))
    with here.app.store.write():
        run_ = here.app.store.deliveries.begin_run(issue.id, now=now(), lease_s=60)
        (one,) = here.app.store.deliveries.claim(run_, count=1, now=now())
        here.app.store.deliveries.commit(run_, outcomes=[], intents=[(one.id, 0)], now=now())
        here.app.store.deliveries.end_run(run_, now=now())
    counts = here.app.store.deliveries.counts(issue.id)
    counts = {**counts, DeliveryState.UNSURE: 1, DeliveryState.COMMITTING: 0}
    from dataclasses import replace

    from digest.cli_issues import status_line

    line = status_line(replace(issue, state=IssueState.SENT), counts)
    assert "sent, with 1 unsure" in line


def test_a_list_from_elsewhere_is_tried_then_taken(digest: Digest, tmp_path: Path) -> None:
    roster = tmp_path / "people.csv"
    roster.write_text("Email;Langue\nzoe@example.org;fr\nnobody;en\n", encoding="utf-8")
    words = ("subscribers", "import", str(roster), "--basis", "express", "--origin", "the old list")
    assert "this is what would happen" in digest(*words, "--dry-run")
    assert json.loads(digest("subscribers", "stats", "--json"))["confirmed"] == 0
    told = json.loads(digest(*words, "--json"))
    assert (told["confirmed"], told["dry_run"], [line["line"] for line in told["refused"]]) == (1, False, [3])
    assert "nobody" not in json.dumps(told["refused"])
    assert "zoe@example.org" in digest("subscribers", "list", "--state", "confirmed")
    assert digest("subscribers", "export").startswith("email,state,language")
    digest("subscribers", "export", str(tmp_path / "out.csv"))
    assert (tmp_path / "out.csv").stat().st_mode & 0o077 == 0


def test_an_import_tells_its_columns_and_its_progress_ends_whole(
    here: Community, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roster = tmp_path / "people.csv"
    roster.write_text(
        'email,E-mail,notes\n"zoe@example.org",,"one\ntwo"\n\nbo@example.org,,x\n', encoding="utf-8"
    )
    words = ["subscribers", "import", str(roster), "--basis", "express", "--origin", "x", "--dry-run"]
    assert run(["--config", str(here.config), *words]) == 0
    told, beside = capsys.readouterr()
    assert "Several columns hold addresses: email was read, not E-mail." in told
    assert "Columns that say nothing to us: notes." in told
    assert "Importing: 4 of 4" in beside


def test_a_spreadsheet_does_not_take_an_address_for_a_formula(digest: Digest) -> None:
    digest("subscribers", "add", "+tag@example.org", "--basis", "express", "--origin", "a sheet")
    assert "'+tag@example.org" in digest("subscribers", "export")


def test_a_forgotten_person_stays_forgotten(digest: Digest, capsys: pytest.CaptureFixture[str]) -> None:
    digest("subscribers", "add", "zoe@example.org", "--basis", "express", "--origin", "a sheet")
    digest("subscribers", "forget", "zoe@example.org", "--yes")
    digest("subscribers", "add", "zoe@example.org", "--basis", "express", "--origin", "a sheet", status=1)
    assert "zoe" not in digest("subscribers", "list")


def test_an_invitation_signs_in(here: Community, digest: Digest) -> None:
    link = digest("editors", "invite", "new@example.org", "--role", "editor", "--language", "fr").strip()
    assert link.startswith("http://127.0.0.1:8000/fr/desk/sign-in/")
    assert "editor" in {str(one.role) for one in here.app.store.editors.all()}


def test_a_backup_is_a_database(digest: Digest, tmp_path: Path) -> None:
    digest("backup", str(tmp_path / "copy.db"))
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM source").fetchone() == (6,)
    copy.close()
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0


def test_migrate_says_where_the_database_is(digest: Digest) -> None:
    assert "is at this version" in digest("migrate")


# --- errors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status", "2020-01"], "no issue 2020-01"),
        (["collect", "Civic calender"], 'Did you mean "Civic calendar"'),
        (["subscribers", "add", "nonsense", "--basis", "express", "--origin", "x"], "not an e-mail address"),
        (["subscribers", "add", "a@example.org", "--basis", "express", "--origin", " "], "where this consent comes from"),
        (["subscribers", "forget", "nobody@example.org"], "Nobody with that address"),
        (["editors", "invite", "nonsense"], "not an e-mail address"),
        (["backup", "/nowhere/at/all.db"], "/nowhere/at"),
    ],
)  # fmt: skip
def test_an_error_is_one_sentence_and_status_1(
    here: Community, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert run(["--config", str(here.config), *words]) == 1
    told = capsys.readouterr()
    assert said in told.err
    assert told.err.count("\n") == 1
    assert "Traceback" not in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    "line",
    ["frobnicate", "status", "status 2026-13", "show 2026-11 --as pdf", "subscribers add a@example.org", "collect --nope",
     "demo --readers 0"],
)  # fmt: skip
def test_a_wrong_command_line_is_status_2(capsys: pytest.CaptureFixture[str], line: str) -> None:
    assert run(line.split()) == 2
    assert "Usage:" in capsys.readouterr().err


def test_debug_adds_the_traceback(here: Community, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--config", str(here.config), "--debug", "status", "2020-01"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "There is no"),
        ("[list\n", "not valid TOML"),
        ("[lst]\nname = 'x'\n", 'Did you mean "list"'),
        ("[list]\nnmae = 'x'\n", 'Did you mean "name"'),
        ("[schedule]\nsend = '0 25 1 * *'\n", "hour"),
        ("[mail]\npassword = 'x'\n", "does not belong in this file"),
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_be_used_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, said: str
) -> None:
    path = tmp_path / "config.toml"
    if text is not None:
        path.write_text(text)
    assert run(["--config", str(path), "issues"]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert not list(tmp_path.glob("*.db*")), "nothing is opened before the configuration is judged"


def test_a_kind_of_source_that_nobody_knows_is_named_and_stops_no_other(
    here: Community, digest: Digest
) -> None:
    here.config.write_text(here.config.read_text().replace('kind = "ical"', 'kind = "fax"'))
    by_name = {source["name"]: source for source in json.loads(digest("collect", "--json"))["sources"]}
    assert by_name["Civic calendar"]["error"]["kind"] == "unknown-kind"
    assert by_name["Northern Services Lab"]["outcome"] == "new"


def test_a_mail_server_that_refuses_pauses_the_issue_and_the_next_run_goes_on(
    here: Community, digest: Digest, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    month = approved(here, digest)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    for name, value in (
        ("TRANSPORT", "smtp"),
        ("SERVER", "127.0.0.1"),
        ("PORT", str(port)),
        ("SECURITY", "none"),
    ):
        monkeypatch.setenv(f"DIGEST_MAIL__{name}", value)
    assert run(["--config", str(here.config), "check"]) == 1
    assert "BROKEN" in capsys.readouterr().out
    assert run(["--config", str(here.config), "send", month]) == 1
    assert "is paused" in capsys.readouterr().err
    for name in ("TRANSPORT", "SERVER", "PORT", "SECURITY"):
        monkeypatch.delenv(f"DIGEST_MAIL__{name}")
    digest("send", month)
    assert len(here.letters()) == 3


def test_status_names_who_did_not_get_theirs_and_what_the_server_said(
    here: Community, digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    month, seen = approved(here, digest), list[str]()

    def refuse(event: Event) -> str | None:
        if event.point != "RCPT":
            return None
        seen.append(event.recipient)
        return {2: "550 5.1.1 nobody here", 3: "451 4.3.0 later"}.get(len(seen))

    with Sink(refuse) as sink:
        for name, value in {"TRANSPORT": "smtp", "SERVER": "127.0.0.1", "PORT": str(sink.port), "SECURITY": "none",
                            "CONNECTIONS": "1"}.items():  # fmt: skip
            monkeypatch.setenv(f"DIGEST_MAIL__{name}", value)
        digest("send", month)
    told = digest("status", month)
    assert f"failed: {seen[1]} (550 5.1.1 nobody here)" in told
    assert f"deferred: {seen[2]} (451 4.3.0 later)" in told


def test_a_scheduled_issue_waits_for_its_hour_unless_the_command_says_now(
    here: Community, digest: Digest, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the desk lets anybody hold for ten minutes at least is held there still when a command comes."""
    month = approved(here, digest)
    here.app.publish.schedule(Period.parse(month), by="1", at=here.app.clock())
    assert run(["--config", str(here.config), "send", month]) == 1
    said = capsys.readouterr().err
    assert f"digest hold {month}" in said
    assert f"digest send {month} --now" in said
    assert json.loads(digest("status", month, "--json"))["state"] == "scheduled"
    assert here.letters() == []
    assert digest("send", month, "--now") == f"{month}: sent (3 sent)\n"


def test_first_letters_are_taken_back_by_command(here: Community, digest: Digest) -> None:
    with here.config.open("a", encoding="utf-8") as file:
        file.write('\n[mail]\ncanary = "share"\ncanary_percent = 40\n')
    month = approved(here, digest)
    assert "The rest goes with" in digest("send", month)
    assert digest("hold", month, "--take-back") == f"{month} is a draft again.\n"
    assert json.loads(digest("status", month, "--json"))["state"] == "draft"


def test_a_send_that_is_asked_to_stop_says_what_is_left_and_goes_on_later(
    here: Community, digest: Digest, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGTERM after the first letters: the rest stays queued, nobody is doubled."""
    month = this_month(here)
    here.join(2000)
    digest("collect", "--all")
    digest("assemble", "--period", month)
    digest("approve", month)
    process = subprocess.Popen(
        [sys.executable, "-m", "digest", "--config", str(here.config), "send", month], cwd=ROOT, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 30
        while not here.letters():
            assert time.monotonic() < until
            assert process.poll() is None, process.communicate()[1]
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "letters waiting; go on with" in errors
    assert 0 < len(here.letters()) < 2000
    digest("send", month)
    assert json.loads(digest("status", month, "--json"))["deliveries"]["sent"] == 2000
    assert len(here.letters()) == 2000


# --- serve ------------------------------------------------------------------------------------------------------


def test_serve_answers_until_sigterm_and_leaves_cleanly(here: Community) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "digest", "--config", str(here.config), "serve", "--port", str(port)], cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            assert answer.status == 200
        until = time.monotonic() + 30
        while not here.app.store.issues.all():  # the metronome has collected and made a draft
            assert time.monotonic() < until
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "Traceback" not in errors
    finally:
        process.kill()
        process.communicate()


def test_serve_says_when_its_port_is_taken(here: Community, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run(["--config", str(here.config), "serve", "--port", str(taken.getsockname()[1])]) == 1
    assert "is taken" in capsys.readouterr().err


def test_a_paused_run_ends_its_reason_before_it_says_how_to_go_on(here: Community, digest: Digest) -> None:
    month = approved(here, digest)
    issue = here.app.store.issues.get(Period.parse(month))
    report = Report(period=issue.period, state=IssueState.PAUSED, reason="550 no such user (address)")
    with pytest.raises(MailError, match=r"\(address\)\. Go on with: digest send"):
        cli_issues._tell(report, issue, {}, here.app, first=None)
