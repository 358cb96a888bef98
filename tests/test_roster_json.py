"""The open JSON goes out and comes in again as the same people; what is no list at all is told in one sentence."""

import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.app import App, open_app
from digest.cli import run
from digest.config import Config
from digest.errors import InputRefused
from digest.join_roster import bring
from digest.model import Cadence, SubscriberState
from digest.rules.roster import Roster, survey
from digest.rules.roster_json import CUT_OFF, FORMAT, JsonRoster, details_of
from digest.rules.roster_status import Standing
from tests.conftest import Clock
from tests.readers_kit import is_known, person

ANN, LUC, EVE = "ann@example.org", "luc@example.org", "eve@example.org"


def brought(app: App, told: Any, **more: Any) -> Any:
    data = told if isinstance(told, bytes) else json.dumps(told).encode()
    return bring(data, join=app.join, store=app.store, basis="express", origin="the house before", **more)


def house(path: Path) -> list[str]:
    path.mkdir()
    (path / "config.toml").write_text('[list]\nname.en = "T"\nname.fr = "T"\n')
    return ["--config", str(path / "config.toml")]


def test_a_whole_house_moves_by_its_open_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = house(tmp_path / "old"), house(tmp_path / "new")
    for one in (ANN, LUC, EVE):
        assert run([*old, "subscribers", "add", one, "--basis", "express", "--origin", "a sheet"]) == 0
    assert (
        run([*old, "subscribers", "add", "asked@example.org", "--basis", "implied", "--origin", "a card"])
        == 0
    )
    assert run([*old, "subscribers", "forget", EVE, "--yes"]) == 0
    with open_app(Config(home=tmp_path / "old")) as app, app.store.write():
        ann = person(app, ANN)
        app.store.subscribers.save(
            replace(
                ann,
                timezone="America/Iqaluit",
                role="design",
                topics=("coming-up",),
                cadence=Cadence.EVENTS,
                note="Hi",
            )
        )
        app.store.subscribers.save(
            replace(person(app, LUC), state=SubscriberState.LEFT, left_at=ann.asked_at)
        )
    file = tmp_path / "readers.json"
    (tmp_path / "new" / "subscribers.key").write_bytes((tmp_path / "old" / "subscribers.key").read_bytes())
    assert run([*old, "subscribers", "export", str(file), "--as", "json"]) == 0
    comes = [*new, "subscribers", "import", str(file), "--basis", "express", "--origin", "the house before"]
    capsys.readouterr()
    assert run([*comes, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["confirmed"], told["asked"], told["left"], told["marks"], told["refused"]) == (
        1,
        1,
        1,
        1,
        [],
    )
    assert (told["source"], told["dry_run"]) == ("digest", False)
    with open_app(Config(home=tmp_path / "old")) as before, open_app(Config(home=tmp_path / "new")) as app:
        was, came = person(before, ANN), person(app, ANN)
        for name in ("state", "language", "timezone", "role", "topics", "cadence", "note", "confirmed_at"):
            assert getattr(came, name) == getattr(was, name)
        acts = [(line.act, line.origin) for line in app.store.consents.of(came.id)]
        assert acts[0] == ("added", "a sheet")
        assert acts[-1][0] == "imported"
        assert person(app, "asked@example.org").state is SubscriberState.ASKED
        assert not is_known(app, LUC)
        assert not is_known(app, EVE)
        for one in (LUC, EVE):
            with pytest.raises(InputRefused):
                app.join.add(one, basis="express", origin="x")
    assert run([*comes, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["confirmed"], again["known"]) == (0, 2)
    with open_app(Config(home=tmp_path / "new")) as app:
        assert len(app.store.consents.of(person(app, ANN).id)) == len(acts)


def test_forgotten_people_stay_out_when_the_key_moved_too(app: App) -> None:
    mark = app.join.marks([EVE])[0]
    told = {
        "format": FORMAT,
        "key": app.join.key_name(),
        "readers": [],
        "suppressed": [{"mark": mark, "reason": "forgotten"}, {"mark": "x"}, 7],
    }
    assert brought(app, told, dry_run=True).marks == 1
    app.join.add(LUC, basis="express", origin="x")
    assert brought(app, told).marks == 1
    with pytest.raises(InputRefused, match="only they themselves"):
        app.join.add(EVE, basis="express", origin="x")


def test_a_dry_run_of_json_changes_nothing(app: App) -> None:
    told = {"format": FORMAT, "readers": [{"address": ANN, "state": "confirmed"}]}
    assert dict(brought(app, told, dry_run=True).counts) == {"confirmed": 1}
    assert app.store.subscribers.everyone() == []
    assert app.store.suppressions.count() == 0


def test_somebody_who_is_here_keeps_what_they_chose_here(app: App) -> None:
    app.join.add(ANN, basis="express", origin="here")
    before = person(app, ANN)
    told = {"format": FORMAT, "readers": [{"address": ANN, "state": "confirmed", "timezone": "Asia/Tokyo"}]}
    assert dict(brought(app, told).counts) == {"known": 1}
    assert person(app, ANN) == before


READERS = st.lists(
    st.fixed_dictionaries(
        {
            "address": st.sampled_from([ANN, "Luc@EXAMPLE.org", "no address", ""]),
            "state": st.sampled_from(["confirmed", "asked", "waiting", "suspended", "left", "?"]),
            "note": st.text(max_size=20),
            "consents": st.lists(
                st.fixed_dictionaries(
                    {"at": st.sampled_from(["2024-05-06T07:08:09Z", "then"]), "act": st.text(max_size=5)}
                ),
                max_size=2,
            ),
        }
    ),
    max_size=5,
)


@settings(deadline=None)
@given(readers=READERS, indent=st.sampled_from([None, 1]), cut=st.integers(1, 40))
def test_however_the_json_is_laid_out_it_is_read_the_same(
    readers: list[dict[str, Any]], indent: int | None, cut: int
) -> None:
    text = json.dumps(
        {"exported_at": "x", "format": FORMAT, "readers": readers, "suppressed": []}, indent=indent
    )
    pieces = [text[n : n + cut] for n in range(0, len(text), cut)]
    lines = [line for batch in JsonRoster(iter(pieces)).batches() for line in batch]
    assert [line[1] for line in lines] == [one["address"].strip() for one in readers]
    for line, one in zip(lines, readers, strict=True):
        assert (line[3] is Standing.SUBSCRIBED) == (one["state"] == "confirmed")
        details_of(line[6][0])


@pytest.mark.parametrize(
    "text", ['{"format": "other", "readers": []}', "{}", '{"readers": [{"address": "a@b.ca"}]}', "{" * 5000]
)
def test_json_of_others_is_refused_in_one_sentence(app: App, text: str) -> None:
    with pytest.raises(InputRefused, match="no list of digest"):
        brought(app, text.encode())


def test_json_that_was_cut_off_says_so_and_the_whole_of_it_brings_the_rest(app: App) -> None:
    told = {
        "format": FORMAT,
        "readers": [{"address": f"r{n}@example.org", "state": "confirmed"} for n in range(9)],
    }
    whole = json.dumps(told).encode()
    with pytest.raises(InputRefused) as refused:
        brought(app, whole[:-30])
    assert str(refused.value) == CUT_OFF
    brought(app, whole)
    assert app.store.subscribers.stats().by_state[SubscriberState.CONFIRMED] == 9


ODD = {
    "a workbook": b"PK\x03\x04\x14\x00\x06\x00\x08\x00rest of it, with a@example.org in it",
    "an old workbook": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "a squeezed file": b"\x1f\x8b\x08\x08abc",
    "a picture": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "a photograph": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "a document": b"%PDF-1.7\n%\xe2\xe3",
    "a program": b"\x7fELF\x02\x01\x01\x00 a@example.org\n",
    "sixteen bits without a mark": "email\na@example.org\n".encode("utf-16-le"),
}


@pytest.mark.parametrize("what", ODD)
def test_a_file_that_is_no_text_is_told_in_one_clear_sentence(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = house(tmp_path / "house")
    file = tmp_path / "list.csv"
    file.write_bytes(ODD[what])
    assert run([*config, "subscribers", "import", str(file), "--basis", "express", "--origin", "x"]) == 1
    said = capsys.readouterr()
    assert "save it as CSV (UTF-8)" in said.err
    assert all(sign.isprintable() or sign == "\n" for sign in said.err + said.out)
    with open_app(Config(home=tmp_path / "house")) as app:
        assert app.store.subscribers.everyone() == []


def said_of(data: bytes) -> str:
    """The refusal of a file; "" when it is read."""
    try:
        looked = survey([data])
        text = io.StringIO(data[looked.skip :].decode(looked.encoding, errors="replace"), newline="")
        JsonRoster(text) if looked.is_json else list(Roster(text).lines())
    except InputRefused as refusal:
        return str(refusal)
    return ""


@given(st.binary(min_size=1, max_size=300))
@settings(deadline=None)
def test_no_bytes_at_all_bring_control_characters_into_a_refusal(data: bytes) -> None:
    assert said_of(data).isprintable()


def test_somebody_known_is_said_to_be_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add = [*house(tmp_path / "house"), "subscribers", "add", ANN, "--basis", "express", "--origin", "a sheet"]
    assert run(add) == 0
    assert "Confirmed" in capsys.readouterr().out
    assert run(add) == 0
    assert capsys.readouterr().out == "Known already, and gets the letter; nothing was changed.\n"


def test_who_is_asked_because_of_an_old_list_has_their_seven_days(app: App, clock: Clock) -> None:
    data = b"email,status,created_at\nann@example.org,unconfirmed,2026-01-02 03:04:05\n"
    assert dict(brought(app, data).counts) == {"asked": 1}
    clock.forward(days=6)
    app.join.tidy()
    assert is_known(app, ANN)
    clock.forward(days=2)
    app.join.tidy()
    assert not is_known(app, ANN)


def test_an_import_killed_at_any_moment_is_simply_run_again(tmp_path: Path) -> None:
    config = house(tmp_path / "house")
    file = tmp_path / "list.csv"
    with file.open("w") as out:
        out.write("email,status\n")
        out.writelines(
            f"r{n}@example.org,{'unsubscribed' if n % 10 == 0 else 'active'}\n" for n in range(120_000)
        )
    args = [*config, "subscribers", "import", str(file), "--basis", "express", "--origin", "x", "--json"]
    command = [sys.executable, "-m", "digest", *args]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        with open_app(Config(home=tmp_path / "house")) as app:
            while running.poll() is None and not app.store.subscribers.everyone(limit=1):
                os.sched_yield()
        running.send_signal(signal.SIGKILL)
    with open_app(Config(home=tmp_path / "house")) as app:
        assert app.store.check() == []
        in_before = app.store.subscribers.stats().by_state[SubscriberState.CONFIRMED]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert told["confirmed"] + in_before == told["confirmed"] + told["known"] == 108_000
    assert in_before > 0
    with open_app(Config(home=tmp_path / "house")) as app:
        stats = app.store.subscribers.stats()
        assert (stats.by_state[SubscriberState.CONFIRMED], stats.suppressed) == (108_000, 12_000)
