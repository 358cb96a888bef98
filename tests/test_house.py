"""The architecture, held by test: tiers, doors, sizes, one clock. The lists of exceptions may only shrink."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "digest"
FILES = sorted(PACKAGE.rglob("*.py"))

TIERS = {
    "errors": 0, "model": 0, "__init__": 0,
    "config": 1, "words": 1, "colour": 0,
    "rules": 2, "render": 2,
    "sources": 3, "store": 3, "mail": 3,
    "collect": 4, "publish": 4, "send": 4, "join": 4, "invite": 4, "passkeys": 4,
    "app": 5,
    "sample": 5, "web": 6, "schedule": 6, "serve": 7, "demo": 8, "cli": 9, "__main__": 10,
}  # fmt: skip
DOORS = {
    "flask": {"web"}, "werkzeug": {"web"}, "waitress": {"serve"},
    "flask_mail": {"mail"}, "smtplib": {"mail"}, "aiosmtplib": {"mail"},
    "sqlite3": {"store"}, "sqlite_utils": {"store"},
    "urllib3": {"sources"}, "feedparser": {"sources"}, "icalendar": {"sources", "render"},
    "webauthn": {"passkeys"}, "apscheduler": {"schedule"}, "click": {"cli"}, "rich": {"cli"},
}  # fmt: skip
CLOCKS = {"now", "utcnow", "today"}
BAD_NAMES = {"utils", "helpers", "common", "manager", "base", "misc"}
MODULE_LINES, FUNCTION_LINES = 400, 50
LONG_MODULES: set[str] = set()
LONG_FUNCTIONS: set[str] = set()


def _room(path: Path) -> str:
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if name.startswith("__") and name not in TIERS:
        return "__init__"  # a name of the package itself, such as __version__
    return name if name in TIERS else name.split("_")[0]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            base = node.module or ""
            yield from ([f"digest.{alias.name}" for alias in node.names] if base == "digest" else [base])


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_imports_only_lower_tiers(path: Path) -> None:
    here = _room(path)
    for name in imports(path):
        if name.startswith("digest."):
            there = _room(PACKAGE / name.split(".")[1])
            assert there == here or TIERS[there] < TIERS[here], f"{path.name} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_library_has_its_door(path: Path) -> None:
    for name in imports(path):
        allowed = DOORS.get(name.split(".")[0])
        assert allowed is None or _room(path) in allowed, f"{path.name} imports {name}"


def test_only_http_knows_the_http_client() -> None:
    knowing = {p.name for p in FILES if any(n.split(".")[0] == "urllib3" for n in imports(p))}
    assert knowing <= {"_http.py"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_clock_is_read_in_one_file(path: Path) -> None:
    if path.name == "app.py":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            is_clock = node.func.attr in CLOCKS and owner in {
                "datetime",
                "date",
                "datetime.datetime",
                "datetime.date",
            }
            assert not is_clock, f"{path.name}:{node.lineno} reads the clock"
            assert not (owner == "time" and node.func.attr in {"time", "time_ns", "localtime"}), (
                f"{path.name}:{node.lineno}"
            )


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_and_functions_stay_small_and_captioned(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    name = str(path.relative_to(PACKAGE))
    assert name in LONG_MODULES or text.count("\n") <= MODULE_LINES, f"{name} is too long"
    assert ast.get_docstring(tree), f"{name} has no caption"
    assert not BAD_NAMES & set(path.with_suffix("").parts[-2:]), f"{name} says nothing"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert f"{name}:{node.name}" in LONG_FUNCTIONS or lines <= FUNCTION_LINES, (
                f"{name}:{node.name} has {lines} lines"
            )


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_works_at_import(path: Path) -> None:
    """Module level holds definitions and constants; a bare call there would be work."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant):
            raise AssertionError(f"{path.name}:{node.lineno} works at import")


def test_no_exception_is_stale() -> None:
    """What no longer needs an exception loses it."""
    for name in LONG_MODULES:
        assert (PACKAGE / name).read_text().count("\n") > MODULE_LINES
