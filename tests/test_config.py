"""config.toml: what is accepted, and the sentence for everything that is not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from digest.config import Config
from digest.config_file import read_config
from digest.errors import ConfigError


def refused(tmp_path: Path, text: str, **environ: str) -> str:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_config(path, environ=environ)
    return str(caught.value)


def test_an_empty_file_is_a_whole_configuration(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    config = read_config(path)
    assert config.mail.transport == "folder"
    assert config.path("outbox") == tmp_path / "outbox"


def test_texts_are_kept_in_both_languages(make_config: Callable[[str], Config]) -> None:
    config = make_config("")
    assert (config.list.name.in_("en"), config.list.name.in_("fr")) == ("Test letter", "Infolettre d’essai")
    assert config.list.postal_address.in_("fr") == "1 Main St, Ottawa"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[list]\nnmae = 'x'", 'Did you mean "name"?'),
        ("[colect]\n", 'Did you mean "collect"?'),
        ("[mail]\nconections = 2", 'Did you mean "connections"?'),
        (
            "[[sources]]\nname = 'a'\nurl = 'https://a.example'\nkid = 'x'",
            'number 1, kid is not a key I know. Did you mean "kind"?',
        ),
        ("[[sources]]\nname = 'a'\nurl = 'ftp://a.example'", "'ftp://a.example' is not a web address"),
        ("[[sources]]\nname = 'a'", "url is missing"),
        ("[list]\ntimezone = 'Toronto'", "'Toronto' is not a time zone"),
        ("[list]\nfrom = 'nobody'", "'nobody' is not an e-mail address"),
        ("[list", "not valid TOML"),
        ("[mail]\npassword = 'x'", "does not belong in this file"),
        ("[schedule]\nsend = 'monthly'", "not a cron line"),
        ("[collect]\nallow_private = ['x']", "'x' is not an IP address or network"),
        ("[list]\nname.en = 'only English'", "name.fr is missing"),
        ("home = 'x'", 'no table or key "home"'),
        ("[list]\nlanguages = ['en', 'de']", "[list] languages, number 2: 'de' is none of en, fr."),
        ("[list]\nlanguages = ['de']", "[list] languages, number 1: 'de' is none of en, fr."),
        ("[list]\nlanguages = 'en'", '[list] languages: write a list, like ["one", "two"].'),
        ("[list]\nlanguages = []", "[list] languages: name at least one."),
        ("[list]\nid = 'x y'", "[list] id: it is written like digest.example.org"),
        ("[list]\nfrom = 3", "[list] from: 3 is no text; put it in quotes."),
        ("list = 3", '"list": it is a table, not a single value.'),
        ("[mail]\ntransport = 'smpt'", "'smpt' is none of folder, smtp. Did you mean \"smtp\"?"),
        ("[mail]\nport = 'abc'", "[mail] port: 'abc' is not a whole number."),
        ("[mail]\nconnections = 0", "[mail] connections: 0 is too small; 1 at least."),
        ("[desk]\napprovals = 5", "[desk] approvals: 5 is too large; 2 at most."),
        ("[letter]\naccent = 'blue'", "[letter] accent: 'blue' is no colour; write it like #1c5d48."),
        ("[letter]\nsections = ['evnts']", "[letter] sections, number 1: 'evnts' is none of coming-up,"),
    ],
)
def test_a_mistake_is_named_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    message = refused(tmp_path, text)
    assert sentence in message
    assert "\n" not in message
    assert message.endswith((".", "?"))


def test_two_sources_of_one_name_are_refused(tmp_path: Path) -> None:
    one = "[[sources]]\nname = 'a'\nurl = 'https://a.example'\n"
    assert "two sources are called 'a'" in refused(tmp_path, one + one)


def test_a_missing_file_says_where_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no .*--config"):
        read_config(tmp_path / "config.toml")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_config(tmp_path / "config.toml")


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.toml").write_text("[mail]\nport = 25\n[list]\nname.en = 'a'\nname.fr = 'b'")
    monkeypatch.setenv("DIGEST_MAIL__PORT", "2525")
    monkeypatch.setenv("DIGEST_LIST__URL", "https://other.example/")
    monkeypatch.setenv("DIGEST_MAIL__PASSWORD", "hush-hush")
    config = read_config(tmp_path / "config.toml")
    assert (config.mail.port, config.list.url, config.list.name.fr) == (2525, "https://other.example", "b")
    assert "hush-hush" not in repr(config)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DIGEST_MAIL__PORT", "abc", "whole number"),
        ("DIGEST_LIST__POSTAL_ADDRESS", '{"en": "a\\nb", "fr": ""}', "line break"),
        ("DIGEST_LIST__URL", "http://[::1/path", "not a web address"),
    ],
)
def test_a_wrong_variable_is_blamed_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    message = refused(tmp_path, "[mail]\nport = 25", **{name: value})
    assert message.startswith(f"The environment variable {name}: ")
    assert said in message


@pytest.mark.parametrize(
    "line",
    [r'name.en = "The\u0007 letter"', r'name.en = "The\nletter"', r'postal_address = "1 Main St\r\nOttawa"',
     r'description = "a\u0085b"', r'from = "a\u007fb@example.org"'],
)  # fmt: skip
def test_a_control_sign_in_what_letters_say_is_refused_by_its_key(tmp_path: Path, line: str) -> None:
    rest = "" if line.startswith("name") else "name = 'a'\n"
    message = refused(tmp_path, f"[list]\n{rest}{line}\n" + ("name.fr = 'b'\n" if not rest else ""))
    assert "[list] " + line.split()[0].split(".")[0] in message


@pytest.mark.parametrize("url", ["http://[::1", "http://x.example:99999/"])
def test_a_source_in_the_file_needs_a_web_address(tmp_path: Path, url: str) -> None:
    assert "not a web address" in refused(tmp_path, f"[[sources]]\nname = 'a'\nurl = '{url}'\n")


def test_a_misspelt_variable_is_refused(tmp_path: Path) -> None:
    assert 'Did you mean "list"?' in refused(tmp_path, "", DIGEST_LSIT__URL="https://a.example")


def test_a_misspelt_key_in_a_variable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_LIST__ULR", "https://a.example")
    assert 'Did you mean "url"?' in refused(tmp_path, "")
