"""No address vanishes between the lines of a list, and no odd first line is a fault of ours."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.app import App
from digest.cli import run
from digest.errors import InputRefused
from digest.rules.roster_columns import in_columns, line_of
from digest.rules.roster_json import NOT_OURS
from digest.rules.roster_presets import shape_of
from tests.readers_kit import is_known
from tests.test_roster_presets import ANN, LUC, brought


def test_many_addresses_on_one_line_all_come_in(app: App) -> None:
    people = [f"a{n}@example.org" for n in range(20)]
    assert brought(app, ", ".join(people).encode()).counts == {"confirmed": 20}
    mixed = (
        f'b1@example.org, b2@example.org\nb3@example.org; b4@example.org\n"Roy, Ann" <{ANN}>, Luc <{LUC}>,\n'
    )
    report = brought(app, f"{mixed}b5@example.org, nonsense@, Bo <b6@example.org>\n".encode())
    assert report.counts == {"confirmed": 8}
    assert [number for number, _ in report.refused] == [4]


def test_a_surplus_cell_with_an_address_refuses_its_line(app: App) -> None:
    report = brought(
        app, f"email\n{ANN}, {LUC}\nbo@example.org,\nzoe@example.org; kim@example.org\n".encode()
    )
    assert report.counts == {"confirmed": 1}
    assert [number for number, _ in report.refused] == [2, 4]


def test_where_statuses_stand_a_surplus_cell_refuses_its_line(app: App) -> None:
    report = brought(
        app, f"email,name,note,status\n{ANN},Roy, Ann,,unsubscribed\n{LUC},Luc,,active\n".encode()
    )
    assert report.counts == {"confirmed": 1}
    assert [number for number, _ in report.refused] == [2]
    assert not is_known(app, ANN)


@pytest.mark.parametrize("text", [
    '[{"email":"j1@example.com"},{"email":"j2@example.com"}]',
    "[" + ",".join(f'{{"email":"j{n}@example.com"}}' for n in range(8_000)) + "]",
    "[" * 300_000,
])  # fmt: skip
def test_json_of_another_program_is_refused_in_a_sentence(app: App, text: str) -> None:
    with pytest.raises(InputRefused) as refused:
        brought(app, text.encode())
    assert str(refused.value) == NOT_OURS


def test_a_very_long_first_line_is_read(app: App) -> None:
    notes = "n" * 200_000
    assert brought(app, f"email,{notes}\n{ANN},x\n".encode()).counts == {"confirmed": 1}
    assert brought(app, f"{LUC},{'n' * 1_100_000}\n".encode()).counts["confirmed"] == 0


def test_the_import_says_how_many_of_the_refused_had_left_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text('[list]\nname.en = "T"\nname.fr = "T"\n')
    (tmp_path / "in.csv").write_text(f"email\n{LUC}\n")
    words = ["--config", str(tmp_path / "config.toml"), "subscribers"]
    assert run([*words, "add", LUC, "--basis", "express", "--origin", "x"]) == 0
    assert run([*words, "forget", LUC, "--yes"]) == 0
    capsys.readouterr()
    assert run([*words, "import", str(tmp_path / "in.csv"), "--basis", "express", "--origin", "x"]) == 0
    assert "1 of the refused had left here before, or were forgotten." in capsys.readouterr().out


FLAGGED = f"email,status\nINFO@example.org,active\n{ANN},active\nbo@ontar\u0456o.ca,active\nno-reply@example.org,unsubscribed\n"


@pytest.mark.parametrize("dry_run", [True, False])
def test_shared_addresses_and_mixed_alphabets_are_told_and_taken(app: App, dry_run: bool) -> None:
    report = brought(app, FLAGGED.encode(), dry_run=dry_run)
    assert (report.shared, report.odd) == ([2], [4])
    assert report.counts == {"confirmed": 3, "left": 1}


def test_the_command_names_the_lines_to_look_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text('[list]\nname.en = "T"\nname.fr = "T"\n')
    (tmp_path / "in.csv").write_text(FLAGGED, encoding="utf-8")
    words = ["--config", str(tmp_path / "config.toml"), "subscribers", "import", str(tmp_path / "in.csv")]
    assert run([*words, "--basis", "express", "--origin", "x", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "taken all the same; look at line 2." in told
    assert "mix alphabets, taken all the same; look twice at line 4." in told


@given(st.lists(st.one_of(st.text(max_size=25), st.sampled_from([
    "2024-03-05 12:34:56.789 +0000 UTC", "2024-03-05T12:34:56Z", "2024-03-05T12:34+05:00", "2024-03-05", "2024-03-05 12:34",
    "20240305T123456", "2024-W10-2T12:34:56", "0001-01-01 00:00:00", "1969-12-31 23:59:59", "2024-03-05T12:34:56.5"])),
    min_size=1, max_size=4))  # fmt: skip
@settings(deadline=None)
def test_moments_in_columns_are_those_of_each_row(texts: list[str]) -> None:
    shape = shape_of(["email", "created_at"])
    assert shape is not None
    rows = [["ann@example.org", text] for text in texts]
    found = in_columns(shape, range(len(rows)), rows)
    assert found is not None
    each = [line_of(shape, number, row) for number, row in enumerate(rows)]
    assert [None if line is None else line.since for line in map(found.line, range(len(rows)))] == [
        None if line is None else line.since for line in each
    ]


@pytest.mark.parametrize(
    "name", ["Adresse e-mail", "Adresse de courriel", "ADRESSE ÉLECTRONIQUE", "Mél", "adresse mail"]
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("before", ["", "sep=;\r\n", '"sep=;"\r\n'])
def test_a_french_list_as_excel_writes_it_is_read(app: App, name: str, encoding: str, before: str) -> None:
    told = f"{before}{name};Prénom;Statut\r\nann@example.org;Zoé;Abonnée\r\nluc@example.org;Luc;Désabonné\r\n"
    told += "eve@example.org;Ève;En attente de confirmation\r\n"
    assert dict(brought(app, told.encode(encoding)).counts) == {"confirmed": 1, "left": 1, "asked": 1}
