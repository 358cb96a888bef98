"""Lists from eight other programs come in with what they say of each person, and go out again in the same shapes."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.app import App, open_app
from digest.cli import run
from digest.config import Config
from digest.errors import AddressRefused, InputRefused
from digest.join import Ask
from digest.join_roster import Report, bring
from digest.model import Address, NoticeKind, SubscriberState
from digest.rules.consent import everyday_addresses, is_function, is_shared, quick_address, readable_address
from digest.rules.roster import Roster, read_roster, survey
from digest.rules.roster_columns import as_typed, in_columns, line_of, neutral
from digest.rules.roster_presets import shape_of
from digest.rules.roster_shapes import cells, shapes
from digest.rules.roster_status import Standing
from tests.conftest import Clock
from tests.readers_kit import confirm_token, is_known, joins, leave_token, person, taken

ROSTERS = Path(__file__).parent / "data" / "rosters"
ANN, LUC = "ann@example.org", "luc@example.org"

FILES = {
    "mailchimp_subscribed.csv": ("mailchimp", {"confirmed": 2}),
    "mailchimp_unsubscribed.csv": ("mailchimp", {"left": 1}),
    "mailchimp_merge_tags.csv": ("mailchimp", {"confirmed": 2, "left": 2}),
    "substack_2023.csv": ("substack", {"confirmed": 2, "left": 1}),
    "substack_2025.csv": ("substack", {"confirmed": 2, "known": 1, "left": 1}),
    "ghost_members.csv": ("ghost", {"confirmed": 2, "left": 2}),
    "ghost_v4.csv": ("ghost", {"confirmed": 2, "left": 1}),
    "listmonk.csv": ("listmonk", {"confirmed": 2, "left": 2}),
    "keila.csv": ("keila", {"confirmed": 2, "left": 2}),
    "keila_excel.csv": ("keila", {"confirmed": 2}),
    "keila_spaces.csv": ("keila", {"confirmed": 2}),
    "buttondown.csv": ("buttondown", {"confirmed": 2, "asked": 1, "left": 2}),
    "constant_contact.csv": ("constant-contact", {"confirmed": 2, "asked": 1, "left": 1}),
    "mailman3.txt": ("plain", {"confirmed": 2}),
    "mailman2.txt": ("plain", {"confirmed": 2}),
}


def brought(app: App, data: bytes, **more: object) -> Report:
    return bring(data, join=app.join, store=app.store, basis="express", origin="the old list", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_program_comes_in_as_what_it_says(app: App, name: str) -> None:
    source, counts = FILES[name]
    data = (ROSTERS / name).read_bytes()
    dry = brought(app, data, dry_run=True)
    assert app.store.subscribers.everyone() == []
    report = brought(app, data)
    assert (report.source, dict(report.counts)) == (source, counts)
    assert (dry.counts, dry.refused) == (report.counts, report.refused)
    if "confirmed" in counts:
        assert person(app, ANN).state is person(app, LUC).state is SubscriberState.CONFIRMED
    assert not is_known(app, "gone@example.org")
    if "left" in counts:
        with pytest.raises(InputRefused, match="only they themselves"):
            app.join.add("gone@example.org" if counts != {"left": 2} else ANN, basis="express", origin="x")
    again = brought(app, data)
    assert again.counts["confirmed"] == again.counts["asked"] == 0
    assert again.counts["left"] == report.counts["left"]


def test_times_and_networks_of_the_other_list_become_the_proof(app: App) -> None:
    report = brought(app, (ROSTERS / "mailchimp_subscribed.csv").read_bytes())
    assert person(app, ANN).confirmed_at == datetime(2019, 3, 5, 12, 40, tzinfo=UTC)
    [line] = app.store.consents.of(person(app, ANN).id)
    assert (line.act, line.method, line.basis, line.network) == (
        "imported",
        "import",
        "express",
        "192.0.2.0/24",
    )
    assert line.origin == f"the old list (file {report.sha256[:16]}), there since 2019-03-05"
    assert line.at == app.clock()


def test_nobody_who_only_agreed_by_implication_is_taken_for_a_reader(app: App, clock: Clock) -> None:
    brought(app, (ROSTERS / "constant_contact.csv").read_bytes())
    assert person(app, "card@example.org").state is SubscriberState.ASKED
    assert [one.kind for one in taken(app, clock)] == [NoticeKind.CONFIRM]


def test_implied_consent_ends_after_two_years(app: App, clock: Clock) -> None:
    data = b"email,created_at\nold@example.org,2024-11-19\nnew@example.org,2024-11-22\nnone@example.org,\n"
    report = bring(data, join=app.join, store=app.store, basis="implied", origin="buyers")
    assert report.counts == {"asked": 2}
    assert [(number, "two years" in why) for number, why in report.refused] == [(2, True)]
    assert len(taken(app, clock)) == 2


def test_a_person_twice_in_a_file_is_one_and_leaving_wins(app: App) -> None:
    data = b"email,status\nann@example.org,enabled\nANN@example.org,enabled\nann@example.org,unsubscribed\n"
    report = brought(app, data)
    assert report.counts == {"confirmed": 1, "known": 1, "left": 1}
    assert person(app, ANN).state is SubscriberState.LEFT


def test_both_languages_travel_through_import_and_export(app: App) -> None:
    data = b"email,language\nann@example.org,fr+en\nluc@example.org,both\nkim@example.org,fr-CA\nlou@example.org,en+tlh\n"
    assert brought(app, data).counts == {"confirmed": 4}
    digest = shapes()["digest"]
    found = {}
    for text in (ANN, LUC, "kim@example.org", "lou@example.org"):
        row = dict(zip(digest.header, cells(digest, person(app, text)) or [], strict=True))
        found[text] = (row["language"], app.store.consents.of(person(app, text).id)[-1].language)
    assert found == {
        ANN: ("fr+en", "fr"), LUC: ("en+fr", "en"), "kim@example.org": ("fr", "fr"), "lou@example.org": ("en", "en"),
    }  # fmt: skip
    assert app.store.subscribers.stats().by_language == {"en": 1, "en+fr": 1, "fr": 1, "fr+en": 1}


@pytest.mark.parametrize(
    ("header", "cell", "language"),
    [
        ("tags", "board, language:fr", "fr"), ("Labels", "Langue: fr-CA; 2025", "fr"), ("TAGS", "newsletter,Français", "fr"),
        ("tags", "fr+en", "fr+en"), ("tags", "french fries, friends", "en"), ("tags", "", "en"),
        ("attributes", '{"city": "Québec", "language": "fr+en"}', "fr+en"), ("Data", '{"locale":"fr_CA"}', "fr"),
        ("metadata", "{not json", "en"), ("attributes", '{"language": null}', "en"),
    ],
)  # fmt: skip
def test_a_language_among_tags_or_attributes_is_heard(
    app: App, header: str, cell: str, language: str
) -> None:
    quoted = cell.replace('"', '""')
    assert brought(app, f'email,{header}\n{ANN},"{quoted}"\n'.encode()).counts == {"confirmed": 1}
    assert person(app).language == language


def test_an_import_brings_nobody_back(app: App) -> None:
    for text in (ANN, LUC, "cut@example.org"):
        joins(app, text)
    app.join.leave(leave_token(app))
    app.join.forget(LUC)
    app.join.suppress("cut@example.org", reason="complained")
    report = brought(app, b"email\nann@example.org\nluc@example.org\ncut@example.org\nnew@example.org\n")
    assert report.counts == {"confirmed": 1}
    assert [number for number, _ in report.refused] == [2, 3, 4]
    assert not is_known(app, LUC)


def _left(app: App, clock: Clock) -> None:
    app.join.leave(leave_token(app))


def _complained(app: App, clock: Clock) -> None:
    app.join.suppress(ANN, reason="complained")


def _forgotten(app: App, clock: Clock) -> None:
    app.join.forget(ANN)


def _forgotten_by_time(app: App, clock: Clock) -> None:
    app.join.leave(leave_token(app))
    clock.forward(days=1200)
    app.join.tidy()
    assert not is_known(app)


WAYS_OUT = (_left, _complained, _forgotten, _forgotten_by_time)
WAYS_IN = {
    "csv": b"email\nann@example.org\n",
    "capitals": b"email\nANN@Example.ORG\n",
    "plain": b"Ann <ann@example.org>\n",
    "listmonk": b"uuid,email,name,attributes,status,created_at,updated_at\n1,ann@example.org,A,{},enabled,,\n",
    "twice": b"email\nann@example.org\nann@example.org\n",
    "unconfirmed": b"email,status\nann@example.org,unconfirmed\n",
    "a bad line first": b'email,name\nx@example.org,"open\nann@example.org,Ann\n',
}


@pytest.mark.parametrize("basis", ["express", "implied"])
@pytest.mark.parametrize("way_in", WAYS_IN)
@pytest.mark.parametrize("way_out", WAYS_OUT)
def test_whoever_is_out_stays_out_whatever_list_they_stand_in(
    app: App, clock: Clock, way_out: Callable[[App, Clock], None], way_in: str, basis: str
) -> None:
    joins(app, ANN)
    way_out(app, clock)
    taken(app, clock)
    before = app.store.subscribers.find(Address(ANN))
    for dry_run in (True, False):
        report = bring(
            WAYS_IN[way_in], join=app.join, store=app.store, basis=basis, origin="x", dry_run=dry_run
        )
        assert sum(report.counts.values()) == 0
        assert "only they themselves can come back" in report.refused[-1][1]
    assert app.store.subscribers.find(Address(ANN)) == before
    assert taken(app, clock) == []
    with pytest.raises(InputRefused, match="only they"):
        app.join.add(ANN, basis=basis, origin="x")


def test_whoever_leaves_while_a_list_comes_in_stays_out(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.join_roster._LINES_PER_TRANSACTION", 1)
    monkeypatch.setattr("digest.rules.roster_rows._LINES_AT_ONCE", 1)
    joins(app, ANN)

    def meanwhile(done: int, total: int) -> None:
        assert total == 2
        if done == 1:
            app.join.forget(ANN)

    report = brought(app, b"email\nfirst@example.org\nann@example.org\n", on_progress=meanwhile)
    assert report.counts == {"confirmed": 1}
    assert not is_known(app)


def test_somebody_who_asked_is_confirmed_by_express_consent_and_its_letter_does_no_harm(app: App) -> None:
    app.join.ask(Ask(address=ANN))
    old = confirm_token(app)
    assert brought(app, b"email\nann@example.org\n").counts == {"confirmed": 1}
    app.join.confirm(old)
    assert person(app).state is SubscriberState.CONFIRMED


def test_a_large_import_in_blocks_is_the_same_as_a_small_one(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.join_roster._LINES_PER_TRANSACTION", 7)
    monkeypatch.setattr("digest.rules.roster_rows._LINES_AT_ONCE", 7)
    rows = [f"a{n % 40}@example.org,{'unsubscribed' if n % 11 == 0 else 'enabled'}" for n in range(100)]
    data = ("email,status\n" + "\n".join(rows) + "\nnonsense,\n").encode()
    dry, wet = brought(app, data, dry_run=True), brought(app, data)
    assert dry.counts == wet.counts
    assert dry.refused == wet.refused
    gone = {f"a{n % 40}@example.org" for n in range(100) if n % 11 == 0}
    for n in range(40):
        text = f"a{n}@example.org"
        assert not is_known(app, text) or (person(app, text).state is SubscriberState.CONFIRMED) is (
            text not in gone
        )


# --- out again ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(shapes()))
def test_what_goes_out_in_a_shape_comes_in_again_as_the_same_people(
    make_config: object, clock: Clock, name: str
) -> None:
    config: Config = make_config("")  # type: ignore[operator]
    first = config.home / "first"
    first.mkdir()
    with open_app(config.model_copy(update={"home": first}), clock=clock) as app:
        for text in (ANN, "Éloïse@québec.ca", "+plus@example.org", "=sum@example.org", "'quoted@example.org"):
            joins(app, text, language="fr" if text == ANN else "en")
        joins(app, LUC)
        app.join.leave(leave_token(app, LUC))
        app.join.ask(Ask(address="asked@example.org"))
        before = {r.address.key: r for r in app.store.subscribers.everyone()}
        out = io.StringIO(newline="")
        rows = csv.writer(out)
        rows.writerow(shapes()[name].header) if shapes()[name].header else None
        for reader in before.values():
            if (row := cells(shapes()[name], reader)) is not None:
                assert not shapes()[name].header or not [cell for cell in row if cell[:1] in set("=+-@\t\r")]
                rows.writerow(row)
    second = config.home / "second"
    second.mkdir()
    with open_app(config.model_copy(update={"home": second}), clock=clock) as app:
        report = brought(app, out.getvalue().encode())
        assert report.refused == []
        assert report.source == {"mailman": "plain"}.get(name, name)
        after = {r.address.key: r for r in app.store.subscribers.everyone(states={SubscriberState.CONFIRMED})}
        confirmed = {key: r for key, r in before.items() if r.state is SubscriberState.CONFIRMED}
        assert {r.address.reveal() for r in after.values()} == {
            r.address.reveal() for r in confirmed.values()
        }
        if name not in ("mailman", "substack"):  # the others have room for it
            assert {key: r.language for key, r in after.items()} == {
                key: r.language for key, r in confirmed.items()
            }
        if name != "mailman":
            assert not is_known(app, LUC)
            with pytest.raises(InputRefused):
                app.join.add(LUC, basis="express", origin="x")
            for key, reader in after.items():
                assert reader.confirmed_at is not None
                was = confirmed[key].confirmed_at
                assert was is not None
                assert abs((reader.confirmed_at - was).total_seconds()) < 1
        if name == "digest":
            assert after[ANN].language == "fr"


def test_the_open_json_holds_every_reader_with_the_proof(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text('[list]\nname.en = "T"\nname.fr = "T"\n')
    config = ["--config", str(tmp_path / "config.toml")]
    assert run([*config, "subscribers", "add", ANN, "--basis", "express", "--origin", "a sheet"]) == 0
    assert run([*config, "subscribers", "add", LUC, "--basis", "express", "--origin", "a sheet"]) == 0
    assert run([*config, "subscribers", "forget", LUC, "--yes"]) == 0
    capsys.readouterr()
    assert run([*config, "subscribers", "export", "--as", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["format"] == "digest-readers/1"
    [reader] = told["readers"]
    assert (reader["address"], reader["state"], reader["consents"][0]["origin"]) == (
        ANN,
        "confirmed",
        "a sheet",
    )
    assert [one["reason"] for one in told["suppressed"]] == ["forgotten"]


def test_refused_rows_come_back_in_a_private_file_with_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text('[list]\nname.en = "T"\nname.fr = "T"\n')
    (tmp_path / "in.csv").write_text(
        'email,name\nann@example.org,Ann\nnonsense,=1+1\nabuse@example.org,"a\nb"\n'
    )
    words = ["--config", str(tmp_path / "config.toml"), "subscribers", "import", str(tmp_path / "in.csv"), "--basis", "express",
             "--origin", "a sheet", "--rejects", str(tmp_path / "out.csv"), "--json"]  # fmt: skip
    assert run(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["line"] for one in told["refused"]] == [3, 4]
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["line", "reason", "email", "name"]
    assert rows[1][0] == "3"
    assert rows[1][2:] == ["nonsense", "'=1+1"]
    assert rows[2][2:] == ["abuse@example.org", "a\nb"]
    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o600


# --- reading --------------------------------------------------------------------------------------------------------


def test_bytes_that_are_not_utf8_are_read_as_windows_1252() -> None:
    data = "email,name\nren\xe9@example.org,Ren\xe9\n".encode("cp1252")
    assert survey([data]).encoding == "cp1252"
    assert [line.address for line in read_roster(data)] == ["rené@example.org"]
    assert survey(["é".encode()[:1], "é".encode()[1:]]).encoding == "utf-8"
    wide = "\ufeffemail\nann@example.org\n".encode("utf-16-le")
    assert [line.address for line in read_roster(wide)] == [ANN]


def test_a_name_with_an_address_in_it_fools_nobody() -> None:
    lines = list(read_roster(b'"alice@canada.ca]" <bob@evil.example> <x>\n"x" <ann@example.org>\n'))
    assert lines[1].address == ANN
    assert lines[0].address != "bob@evil.example"
    assert lines[0].address != "alice@canada.ca"


def test_a_huge_cell_costs_its_own_line_and_no_other() -> None:
    huge = f'a@example.org,"{"x" * 1_100_000}"\n'
    bad, good = Roster(["email,notes\n", huge, "b@example.org,fine\n"]).lines()
    assert "cannot be read as CSV" in bad.fault or "cannot be read as CSV" in good.fault
    assert {bad.number, good.number} == {2, 3}
    assert "b@example.org" in {bad.address, good.address}


OPEN = """email,name,note
ann@example.org,"Ann,first
luc@example.org,Luc,second
"bo@example.org",Bo,"two
lines, of his@own.example"
zoe@example.org,Zoé,last
"""


def test_a_quote_left_open_costs_its_own_line_and_swallows_no_other(app: App) -> None:
    report = brought(app, OPEN.encode())
    assert report.counts == {"confirmed": 3}
    [(number, reason)] = report.refused
    assert number == 2
    assert "never closed" in reason
    assert not is_known(app, ANN)
    lines = {line.number: line for line in Roster(OPEN.splitlines(keepends=True)).lines()}
    assert sorted(lines) == [2, 3, 4, 6]
    assert lines[2].cells == ['ann@example.org,"Ann,first']
    assert lines[4].cells[2] == "two\nlines, of his@own.example"


def test_a_quote_left_open_at_the_end_of_a_long_file_loses_nobody(app: App) -> None:
    rows = [f"r{n}@example.org,R" for n in range(9_000)]
    rows[5_000] = 'r5000@example.org,"R'
    report = brought(app, ("email,name\n" + "\n".join(rows) + "\n").encode())
    assert report.counts == {"confirmed": 8_999}
    assert [number for number, _ in report.refused] == [5_002]


_cell = st.text("ab ,;\"\n'@é=", max_size=6)
_row = st.tuples(
    st.sampled_from(["ann@example.org", " LUC@example.org ", "'+x@example.org", "no", "", "abuse@x.org"]),
    st.sampled_from(["enabled", "unsubscribed", " Bounced", "", "?"]),
    st.sampled_from(["2024-05-06 07:08:09", "2024-05-06", "2024-05-06T07:08:09Z", "", "soon", "20240506"]),
    _cell,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_row, max_size=12), st.booleans())
def test_columns_at_once_say_what_rows_one_by_one_say(rows: list[tuple[str, ...]], short: bool) -> None:
    header = ["email", "status", "created_at", "name"]
    shape = shape_of(header)
    assert shape is not None
    cells = [list(row[:1] if short and n == 3 else row) for n, row in enumerate(rows)]
    one_by_one = [line_of(shape, n, row) for n, row in enumerate(cells)]
    at_once = in_columns(shape, range(len(cells)), cells)
    assert at_once is None or [at_once.line(n) for n in range(len(cells))] == one_by_one


@given(st.lists(_row, max_size=12))
def test_what_csv_writes_is_read_back_row_for_row_on_the_line_where_it_began(
    rows: list[tuple[str, ...]],
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([("email", "status", "created_at", "name"), *rows])
    text = out.getvalue()
    whole = [list(row) for row in csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)][1:]
    got = list(Roster(io.StringIO(text, newline="")).lines())
    kept = [row for row in whole if row and any(cell.strip() for cell in row)]
    if any(
        line.fault and line.standing is not Standing.UNCLEAR for line in got
    ):  # what stands in a note looked like a row of its own
        assert any("\n" in row[3] and "@" in row[3] for row in rows)
        return
    assert [line.cells for line in got] == kept
    begins = [number for number, _ in enumerate(text.split("\n"), 1)]
    assert {line.number for line in got} <= set(begins)


def test_permission_and_status_both_count() -> None:
    [line] = read_roster(b"email,email status,email permission status\na@example.org,Active,Opted Out\n")
    assert line.standing is Standing.LEFT


@given(st.text(max_size=20))
def test_a_defused_cell_is_no_formula_and_comes_back_as_it_was(text: str) -> None:
    assert neutral(text)[:1] not in set("=+-@\t\r") or not text
    assert as_typed(neutral(text)) == text


_local = st.text("abAB09._+-'", min_size=1, max_size=12)
_domain = st.text("abAB0-.", min_size=1, max_size=14)


@settings(max_examples=600)
@given(
    _local, _domain, st.sampled_from(["org", "CA", "test", "local", "arpa", "x", "example", "c0m", "onion"])
)
@example("a", "xn--a", "org")
@example("A.b", "B", "CA")
def test_the_quick_look_at_an_address_agrees_with_email_validator(local: str, domain: str, end: str) -> None:
    text = f"{local}@{domain}.{end}"
    quick = quick_address(text)
    if quick is None:
        return
    try:
        found = validate_email(text, check_deliverability=False, strict=True)
    except EmailNotValidError:
        raise AssertionError(f"{text} was let through") from None
    assert quick[0] == f"{found.local_part}@{found.domain}"
    assert quick[1] == Address(quick[0]).key == readable_address(text).key


_texts = st.lists(
    st.builds("{}@{}.{}".format, _local, _domain, st.sampled_from(["org", "CA", "test", "c0m"]))
    | st.sampled_from(
        [
            "abuse@example.org",
            "Abuse@Example.ORG",
            "Info@example.org",
            "a@b.org\nc@d.org",
            "",
            "Ann@Example.ORG",
            "\u212aim@example.org",
            "@example.org",
            "example.org",
            "\0example.org",
            "\0@example.org",
            "a@b@example.org",
            "é@example.org",
        ]
    ),
    max_size=8,
)


@given(_texts)
def test_many_addresses_at_once_are_judged_as_each_alone(texts: list[str]) -> None:
    for text, kept, key, holds in zip(texts, *everyday_addresses(texts), strict=True):
        quick = quick_address(text)
        expected = None if quick is None or is_function(Address(text)) or is_shared(Address(text)) else quick
        is_odd = any(sign in "".join(texts) for sign in "\n\0")  # then all of them are looked at one by one
        assert ((kept, key) if holds else None) == (None if is_odd else expected)


@settings(max_examples=600)
@given(st.text('ab.@"<> (\\é。', max_size=12))
@example('"a..b"@example.org')
@example("a@[192.0.2.1..]")
@example("A <a..b@example.org>")
@example("a。.b@example.org")
def test_what_is_refused_at_a_glance_email_validator_refuses(text: str) -> None:
    if not ("@" not in text or ".." in text):
        return
    with pytest.raises(EmailNotValidError):
        validate_email(text, check_deliverability=False, strict=True)
    with pytest.raises(AddressRefused):
        readable_address(text)
