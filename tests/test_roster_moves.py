"""What of a list comes along to another house, what cannot, and how that is told; and progress that ends at the whole."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from digest.app import App, open_app
from digest.cli import run
from digest.config import Config
from digest.errors import InputRefused
from digest.join_roster import bring
from digest.model import Language, Role
from digest.rules.roster import Roster, survey
from digest.rules.roster_json import FORMAT
from digest.words import Words
from tests.readers_kit import is_known, joins
from tests.test_roster_json import ANN, EVE, LUC, brought, house
from tests.test_web_import import carried, sent
from tests.web_kit import signed_in

OUT = ["--basis", "express", "--origin", "the other list"]
ALONE = "known here by a keyed fingerprint alone"


@pytest.fixture
def old(tmp_path: Path) -> list[str]:
    """A house with one reader, one who left here, one forgotten, and two who had left in the list that they came in."""
    doors = house(tmp_path / "old")
    (tmp_path / "list.csv").write_text(
        f"email,status\n{ANN},active\n{EVE},unsubscribed\neva@example.org,cleaned\n{LUC},active\nkim@example.org,active\n"
    )
    assert run([*doors, "subscribers", "import", str(tmp_path / "list.csv"), *OUT]) == 0
    (tmp_path / "gone.csv").write_text(f"email,status\n{LUC},unsubscribed\n")
    assert run([*doors, "subscribers", "import", str(tmp_path / "gone.csv"), *OUT]) == 0
    assert run([*doors, "subscribers", "forget", "kim@example.org", "--yes"]) == 0
    return doors


def exported(
    old: list[str], tmp_path: Path, shape: str, capsys: pytest.CaptureFixture[str]
) -> tuple[Path, str]:
    file = tmp_path / f"readers.{shape}"
    capsys.readouterr()
    assert run([*old, "subscribers", "export", str(file), "--as", shape]) == 0
    return file, capsys.readouterr().err


@pytest.mark.parametrize(
    "shape", ["digest", "mailchimp", "substack", "ghost", "listmonk", "buttondown", "keila"]
)
def test_an_export_as_csv_says_how_many_it_cannot_keep_out_elsewhere(
    old: list[str], tmp_path: Path, shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, told = exported(old, tmp_path, shape, capsys)
    assert told.startswith(f"3 addresses that must never be written to again are {ALONE}. ")
    assert "they are not in this file" in told
    assert "the open JSON (--as json)" in told.replace("The open", "the open")
    assert "subscribers.key" in told


def test_a_plain_list_names_those_who_left_too(
    old: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, told = exported(old, tmp_path, "mailman", capsys)
    assert file.read_text() == f"{ANN}\n"
    assert f"3 addresses that must never be written to again are {ALONE}" in told
    assert "1 person who left here is not in this file" in told


def test_an_export_to_a_pipe_keeps_the_warning_off_the_list(
    old: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run([*old, "subscribers", "export"]) == 0
    out, told = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert told.startswith("3 addresses")


def test_a_house_without_such_people_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doors = house(tmp_path / "house")
    assert run([*doors, "subscribers", "add", ANN, *OUT]) == 0
    for shape in ("digest", "json", "mailman"):
        assert exported(doors, tmp_path, shape, capsys)[1] == ""


def test_with_its_key_the_open_json_keeps_them_out_of_the_new_house(
    old: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, told = exported(old, tmp_path, "json", capsys)
    assert told.startswith(
        f"3 addresses that must never be written to again are {ALONE}. This file takes them along"
    )
    new = house(tmp_path / "new")
    (tmp_path / "new" / "subscribers.key").write_bytes((tmp_path / "old" / "subscribers.key").read_bytes())
    assert run([*new, "subscribers", "import", str(file), *OUT]) == 0
    out, told = capsys.readouterr()
    assert "keyed fingerprints of people who may not come back came along" in out
    assert "Take care" not in told
    assert "Importing: 6 of 6" in told  # two readers, three and LUC's marks
    later = tmp_path / "later.csv"
    later.write_text(f"email\n{EVE}\neva@example.org\nkim@example.org\n{LUC}\nnew@example.org\n")
    assert run([*new, "subscribers", "import", str(later), *OUT, "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)
    assert (counts["confirmed"], len(counts["refused"])) == (1, 4)


def test_with_another_key_the_open_json_is_refused_with_the_number_before_anything_changes(
    old: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, _ = exported(old, tmp_path, "json", capsys)
    new = house(tmp_path / "new")
    comes = [*new, "subscribers", "import", str(file), *OUT]
    assert run(comes) == 1
    told = capsys.readouterr().err
    assert "4 addresses that must never be written to again" in told
    assert "subscribers.key" in told
    assert "--without-suppressions" in told
    with open_app(Config(home=tmp_path / "new")) as app:
        assert app.store.subscribers.everyone() == []
        assert app.store.suppressions.count() == 0
    assert run([*comes, "--dry-run"]) == 0
    assert "Take care: 4 addresses" in capsys.readouterr().err
    assert run([*comes, "--without-suppressions"]) == 0
    assert "Take care: 4 addresses" in capsys.readouterr().err
    with open_app(Config(home=tmp_path / "new")) as app:
        assert is_known(app, ANN)
        assert app.store.suppressions.count() == 1  # LUC, who stands in the file by address
        with pytest.raises(InputRefused):
            app.join.add(LUC, basis="express", origin="x")
    assert run([*comes, "--without-suppressions", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["marks"], said["marks_of_another_key"]) == (0, 4)


def test_marks_whose_key_is_not_named_are_told_and_not_kept(app: App) -> None:
    mark = app.join.marks([EVE])[0]
    report = brought(
        app, {"format": FORMAT, "readers": [], "suppressed": [{"mark": mark, "reason": "forgotten"}]}
    )
    assert (report.marks, report.foreign) == (0, 1)
    assert app.store.suppressions.count() == 0


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_desk_tells_of_marks_made_with_another_key_and_of_those_that_count(
    app: App, web: Flask, language: str
) -> None:
    words, ada = Words(Language(language)), signed_in(app, web, "ada@example.org", role=Role.ADMIN)
    path = "/fr/desk/people/import" if language == "fr" else "/desk/people/import"
    marks = [{"mark": app.join.marks([one])[0], "reason": "forgotten"} for one in (EVE, LUC)]
    file: dict[str, Any] = {
        "format": FORMAT,
        "key": "0" * 32,
        "marks": 2,
        "readers": [{"address": ANN}],
        "suppressed": marks,
    }
    look = sent(ada, json.dumps(file).encode(), path=path)
    assert words("desk.import_foreign", n=2) in look
    done = sent(ada, None, path=path, **carried(look, "bring"))
    assert words("desk.import_foreign", n=2) in done
    assert is_known(app, ANN)
    assert app.store.suppressions.count() == 0
    file["key"] = app.join.key_name()
    look = sent(ada, json.dumps(file).encode(), path=path)
    assert words("desk.import_marks", n=2) in look
    assert 'role="alert"' not in look
    sent(ada, None, path=path, **carried(look, "bring"))
    assert app.store.suppressions.count() == 2


def test_the_name_of_a_key_is_the_same_for_the_same_key_alone(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with open_app(Config(home=tmp_path / "one")) as one, open_app(Config(home=tmp_path / "two")) as two:
        assert one.join.key_name() == one.join.key_name() != two.join.key_name()
        assert one.join.marks([""])[0][:32] != one.join.key_name()


QUOTED = 'email,notes\r\nann@example.org,"one\r\ntwo, three"\r\n\r\nluc@example.org,x\r\n'
PLAIN = "# the board\rAnn <ann@example.org>\rluc@example.org, eve@example.org\r# the end"
TOLD = json.dumps(
    {
        "format": FORMAT,
        "readers": [
            {"address": ANN, "state": "confirmed", "note": 'says "address": x'},
            {"address": LUC, "state": "left"},
        ],
        "suppressed": [{"mark": "0" * 64, "reason": "forgotten"}],
    },
    indent=1,
)


@pytest.mark.parametrize(
    ("text", "encoding", "whole"),
    [
        (QUOTED, "utf-8", 4), (QUOTED, "utf-16", 4), (QUOTED.rstrip(), "utf-8-sig", 4), (PLAIN, "cp1252", 3),
        (TOLD, "utf-8", 3), (TOLD.replace("\n", ""), "utf-8", 3),
    ],
)  # fmt: skip
@pytest.mark.parametrize("chunk", [7, 64, 1 << 18])
def test_progress_grows_to_the_whole_of_what_is_there(
    app: App, monkeypatch: pytest.MonkeyPatch, text: str, encoding: str, whole: int, chunk: int
) -> None:
    for name in ("join_roster._LINES_PER_TRANSACTION", "join_roster._LINES_WITH_CELLS", "rules.roster_rows._LINES_AT_ONCE",
                 "rules.roster._PLAIN_AT_ONCE", "rules.roster_json._AT_ONCE"):  # fmt: skip
        monkeypatch.setattr(f"digest.{name}", 1)
    monkeypatch.setattr("digest.join_roster._CHUNK", chunk)
    seen = list[tuple[int, int]]()
    bring(text.encode(encoding), join=app.join, store=app.store, basis="express", origin="x",
          on_progress=lambda done, total: seen.append((done, total)))  # fmt: skip
    assert {total for _, total in seen} == {whole}
    counted = [done for done, _ in seen]
    assert counted == sorted(counted)
    assert (counted[0], counted[-1]) == (0, whole)
    assert counted[-2] in {
        whole,
        whole - 1,
    }  # the last block was there already, but for marks and a last remark


def test_a_header_on_two_lines_is_no_part_of_the_progress() -> None:
    data = b'"email","what\nthey said"\nann@example.org,x\n'
    roster = Roster(iter(data.decode().splitlines(keepends=True)))
    assert survey([data]).size - roster.began == 1


def test_somebody_who_left_here_travels_by_address_and_needs_no_mark(
    app: App, make_config: Callable[[str], Config], capsys: pytest.CaptureFixture[str]
) -> None:
    joins(app, ANN)
    app.join.suppress(ANN, reason="complained")
    app.close()
    (app.store.path.parent / "config.toml").write_text('[list]\nname.en = "T"\nname.fr = "T"\n')
    assert run(["--config", str(app.store.path.parent / "config.toml"), "subscribers", "export"]) == 0
    out, told = capsys.readouterr()
    assert (ANN in out, told) == (True, "")
