"""The desk's page for bringing in a list: a look first, the refused lines as a file, then the import. No script, no file kept."""

import csv
import html
import io
import json
import re
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from digest.app import App, open_app
from digest.config import Config
from digest.model import Address, Language, Role, SubscriberState
from digest.web.desk_import import MOST_BYTES
from digest.words import Words
from tests import web_kit
from tests.conftest import Clock
from tests.web_kit import URL, form_token, read, signed_in

LIST = (
    b"Email,First name,Last name,Data,Status,External ID\r\n"
    b"ann@example.org,=1+1,,,active,\r\nluc@example.org,,,,unsubscribed,\r\n"
    b"not an address,=HYPERLINK(1),,,active,\r\nabuse@example.org,,,,active,\r\n"
)
TERMS = {"basis": "express", "origin": "sign-up sheet, 12 May 2026"}


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock) -> Iterator[App]:
    with open_app(make_config(web_kit.SOURCES), clock=clock) as opened:
        yield opened


@pytest.fixture
def ada(app: App, web: Flask) -> FlaskClient:
    return signed_in(app, web, "ada@example.org", role=Role.ADMIN)


def sent(
    client: FlaskClient,
    data: bytes | None,
    *,
    path: str = "/desk/people/import",
    status: int = 200,
    **fields: str,
) -> str:
    form: dict[str, object] = {"token": form_token(client), "act": "look", **TERMS, **fields}
    if data is not None:
        form["file"] = FileStorage(io.BytesIO(data), "list.csv")
    boundary, body = encode_multipart(form)  # in memory: the client's own way leaves a file open
    answer = client.post(
        path, data=body, base_url=URL, content_type=f"multipart/form-data; boundary={boundary}"
    )
    assert answer.status_code == status, answer.text[:500]
    return answer.text


def carried(page: str, act: str) -> dict[str, str]:
    """The hidden fields of the form whose button does this."""
    [form] = [one for one in re.findall(r"<form.*?</form>", page, re.DOTALL) if f'value="{act}"' in one]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    return {name: html.unescape(value) for name, value in fields.items()} | {"act": act}


def cell(page: str, word: str) -> int:
    found = re.search(rf'<th scope="row">{re.escape(word)}</th><td>(\d+)</td>', page)
    assert found is not None, word
    return int(found[1])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_list_is_looked_at_first_and_then_comes_in(app: App, ada: FlaskClient, language: str) -> None:
    words = Words(Language(language))
    path = "/fr/desk/people/import" if language == "fr" else "/desk/people/import"
    assert f'href="{path}"' in read(ada, path.removesuffix("import"))
    look = sent(ada, LIST, path=path)
    assert app.store.subscribers.everyone() == []
    assert words("desk.import_source", source="Keila") in look
    told = {
        name: cell(look, words(f"desk.import_{name}")) for name in ("confirmed", "left", "known", "refused")
    }
    assert told == {"confirmed": 1, "left": 1, "known": 0, "refused": 2}
    assert words("desk.import_why_not_address") in look
    assert words("desk.import_why_function") in look
    refused = sent(ada, None, path=path, **carried(look, "rejects"))
    header, *rows = csv.reader(io.StringIO(refused.removeprefix("\ufeff")))
    assert header[:3] == [words("desk.import_line"), words("desk.import_reason"), "Email"]
    assert [row[0] for row in rows] == ["4", "5"]
    assert rows[0][3] == "'=HYPERLINK(1)"
    done = sent(ada, None, path=path, **carried(look, "bring"))
    assert words("desk.import_did") in done
    [ann] = app.store.subscribers.everyone()
    assert (ann.address, ann.state) == (Address("ann@example.org"), SubscriberState.CONFIRMED)
    [line] = app.store.consents.of(ann.id)
    assert line.origin.startswith("sign-up sheet, 12 May 2026 (file ")
    assert app.store.suppressions.count() == 1
    again = sent(ada, None, path=path, **carried(look, "bring"))
    assert cell(again, words("desk.import_known")) == 1
    assert words("desk.desk_log_import") in read(ada, path.replace("people/import", "editors"))


def test_the_open_json_comes_in_at_the_desk_too(app: App, ada: FlaskClient) -> None:
    told = {"format": "digest-readers/1", "readers": [{"address": "ann@example.org", "state": "confirmed"}]}
    look = sent(ada, json.dumps(told).encode())
    sent(ada, None, **carried(look, "bring"))
    assert len(app.store.subscribers.everyone()) == 1


def test_implied_consent_only_asks(app: App, ada: FlaskClient) -> None:
    look = sent(ada, b"email\nann@example.org\n", basis="implied")
    sent(ada, None, **carried(look, "bring"))
    assert [one.state for one in app.store.subscribers.everyone()] == [SubscriberState.ASKED]


FAULTS = {
    "no file": (b"", {}, "none"),
    "no basis": (LIST, {"basis": ""}, "basis"),
    "no origin": (LIST, {"origin": "  "}, "basis"),
    "a workbook": (b"PK\x03\x04\0\0", {}, "file"),
    "no column of addresses": (b"name,phone\nAnn,1\n", {}, "file"),
    "too large": (b"email\n" + b"a" * MOST_BYTES, {}, "large"),
    "a list that was changed on its way": (None, {"list": "eJx!"}, "none"),
    "a list that swells": (None, {"list": "swells"}, "large"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_what_cannot_come_in_is_told_and_nothing_is_done(app: App, ada: FlaskClient, what: str) -> None:
    data, fields, key = FAULTS[what]
    if fields.get("list") == "swells":
        fields = {"list": b64encode(zlib.compress(b"a" * (MOST_BYTES * 50))).decode()}
    page = sent(ada, data, status=400, act="bring", **fields)
    assert Words(Language.EN)(f"desk.import_error_{key}") in html.unescape(page)
    assert app.store.subscribers.everyone() == []


@pytest.mark.parametrize("role", [Role.CONTRIBUTOR, Role.EDITOR, Role.APPROVER])
def test_only_administrators_bring_in_a_list(app: App, web: Flask, role: Role) -> None:
    client = signed_in(app, web, "noor@example.org", role=role)
    read(client, "/desk/people/import", 403)
    assert "/desk/people/import" not in read(client, "/desk/people/")
    sent(client, LIST, status=403, act="bring")
    assert app.store.subscribers.everyone() == []


def test_nothing_of_the_file_stays_behind(app: App, ada: FlaskClient) -> None:
    def files() -> set[Path]:
        return set(app.config.home.rglob("*"))

    before = files()
    sent(ada, LIST)
    assert files() == before
    assert b"ann@example.org" not in app.store.path.read_bytes()


def test_the_look_names_shared_addresses_and_mixed_alphabets(ada: FlaskClient) -> None:
    page = sent(ada, "email\ninfo@example.org\nann@example.org\nbo@ontar\u0456o.ca\n".encode())
    assert "taken all the same: 1. The first lines: 2." in page
    assert "look twice: 1. The first lines: 4." in page
