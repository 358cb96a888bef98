"""The scripts that the site sends: others' as they came, by name and print; ours short, within what a strict page allows."""

import re
import tomllib
from hashlib import sha256
from importlib.resources import files

STATIC = files("digest.web").joinpath("static")
VENDORED = tomllib.loads(STATIC.joinpath("vendored.toml").read_text(encoding="utf-8"))
SCRIPTS = sorted(path.name for path in STATIC.iterdir() if path.name.endswith(".js"))
FORBIDDEN = re.compile(
    r"\beval\(|new Function|innerHTML|outerHTML =|insertAdjacentHTML|document\.write|https?://(?!letter\.example)"
)
OURS = [name for name in SCRIPTS if name not in VENDORED]


def test_every_vendored_file_is_the_one_that_was_published() -> None:
    assert set(VENDORED) == {name for name in SCRIPTS if ".min." in name}
    for name, of in VENDORED.items():
        assert sha256(STATIC.joinpath(name).read_bytes()).hexdigest() == of["sha256"], name
        assert re.fullmatch(r"\d+\.\d+\.\d+", of["version"]), name
        assert len(STATIC.joinpath(of["licence_file"]).read_text(encoding="utf-8")) > 400, name


def test_the_versions_named_are_those_in_the_files() -> None:
    for name, of in VENDORED.items():
        assert of["version"] in STATIC.joinpath(name).read_text(encoding="utf-8"), name


def test_our_scripts_are_short_explained_and_forbid_themselves_what_the_policy_forbids() -> None:
    for name in OURS:
        text = STATIC.joinpath(name).read_text(encoding="utf-8")
        assert text.startswith("// "), f"{name} does not say why it is there"
        assert len(text.splitlines()) <= 320, name
        assert not FORBIDDEN.search(text), name


def test_all_scripts_of_the_desk_weigh_little() -> None:
    assert sum(len(STATIC.joinpath(name).read_bytes()) for name in OURS) <= 40_000
