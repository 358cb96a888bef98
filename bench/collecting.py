"""How fast posts come in: 500 feeds of 100 KB over loopback, cold and unchanged, beside feedparser and lemon24/reader.

    python -m bench.collecting [--feeds 500] [--cores 2] [--rounds 1] [--only ours,feedparser,reader] [--reader PYTHON]

Each feed has a loopback address of its own (127.x.y.z), so that the lanes of politeness do not queue them. Whoever is
measured has `--cores` cores; the server has others when there are any. reader is installed into a virtual environment that
is thrown away afterwards; where that is impossible, the line says so. Warm is measured twice for feedparser: as the plain
`feedparser.parse(url)` that asks for everything again, and with the validators of its last answer. With several rounds they
take turns and the best of each counts: what disturbs a machine only ever makes it slower.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Any

FEEDS, CORES, POSTS = 500, 2, 20
READER = ("reader==3.26", "sgmllib3k==1.0.0")  # it needs the second and does not say so
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
_SYLLABLES = [
    "ba",
    "con",
    "de",
    "el",
    "for",
    "gi",
    "ho",
    "in",
    "jo",
    "ka",
    "li",
    "mo",
    "na",
    "or",
    "pe",
    "qui",
    "re",
    "sa",
    "ti",
    "um",
    "vo",
    "wa",
    "xe",
    "ya",
    "zen",
    "the",
    "and",
    "pro",
    "sti",
    "cher",
]

_READER = """
import json, sys, time
from reader import make_reader
begun = time.perf_counter()
reader = make_reader(sys.argv[1])
urls = json.load(sys.stdin)
for url in urls:
    reader.add_feed(url)
seconds = []
for _ in range(2):
    begun = time.perf_counter()
    for _ in reader.update_feeds_iter(scheduled=False, workers=int(sys.argv[2])):
        pass
    seconds.append(time.perf_counter() - begun)
print(json.dumps({"cold": seconds[0], "warm": seconds[1], "items": reader.get_entry_counts().total}))
"""


# --- the feeds -------------------------------------------------------------------------------------------------------


def feed(number: int, *, size: int = 100_000) -> bytes:
    """A blog's feed of about `size` bytes, always the same: RSS with CDATA, RSS with escaped text, or Atom, in turn."""
    dice = random.Random(number)
    stock = [_word(dice) for _ in range(400)]
    posts = [_post(number, at, dice, stock, size // POSTS - 600) for at in range(POSTS)]
    if number % 3 == 2:
        inside = "".join(_atom(*post) for post in posts)
        head = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Blog {number}</title><id>urn:blog:{number}</id>'
        return f'<?xml version="1.0" encoding="utf-8"?>{head}{inside}</feed>'.encode()
    inside = "".join(_rss(*post, packed=number % 3 == 1) for post in posts)
    spaces = (
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    )
    head = f"<channel><title>Blog {number}</title><link>https://blog{number}.example.org/</link>"
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0" {spaces}>{head}{inside}</channel></rss>'.encode()


def _word(dice: random.Random) -> str:
    return "".join(dice.choice(_SYLLABLES) for _ in range(dice.randint(1, 4)))


def _post(
    number: int, at: int, dice: random.Random, stock: list[str], size: int
) -> tuple[str, str, str, datetime]:
    site = f"https://blog{number}.example.org"
    html = [f'<figure><img src="{site}/{at}.png" alt="A picture" width="800"></figure>']
    length = 0
    while length < size:
        words = [dice.choice(stock) for _ in range(60)]
        words[7] = f'<a href="{site}/{words[7]}?utm_source=feed">{words[7]}</a>'
        words[20] = f"<strong>{words[20]}</strong>"
        html.append(f"<p>{' '.join(words)}.</p>")
        length += len(html[-1])
    title = " ".join(dice.choice(stock) for _ in range(7)).capitalize()
    return title, f"{site}/posts/{at}", "\n".join(html), NOW - timedelta(days=at * 3, minutes=number)


def _rss(title: str, link: str, html: str, at: datetime, *, packed: bool) -> str:
    words = (
        f"<description>{escape(html)}</description>"
        if packed
        else f"<content:encoded><![CDATA[{html}]]></content:encoded>"
    )
    return (
        f"<item><title>{title}</title><link>{link}</link><guid isPermaLink='false'>tag:{link[8:]}</guid>"
        f"<pubDate>{format_datetime(at)}</pubDate><dc:creator>Kim Example</dc:creator>"
        f"<category>civic</category>{words}</item>"
    )  # fmt: skip


def _atom(title: str, link: str, html: str, at: datetime) -> str:
    return (
        f'<entry><title>{title}</title><link rel="alternate" href="{link}"/><id>tag:{link[8:]}</id>'
        f"<published>{at.isoformat()}</published><updated>{at.isoformat()}</updated>"
        f'<author><name>Kim Example</name></author><content type="html">{escape(html)}</content></entry>'
    )


def addresses(feeds: int, port: int) -> list[str]:
    """One loopback address each."""
    return [
        f"http://127.{1 + at // 60_000}.{at // 250 % 240}.{1 + at % 250}:{port}/{at}/feed"
        for at in range(feeds)
    ]


# --- the server ------------------------------------------------------------------------------------------------------


async def _serve(feeds: int) -> None:
    bodies = [feed(number) for number in range(feeds)]  # before anybody is timed
    counts = {"whole": 0, "unchanged": 0}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        number = int(head.split("/", 2)[1])
        tag = f'"feed-{number}"'
        if f"if-none-match: {tag}" in head.lower():
            counts["unchanged"] += 1
            writer.write(f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\nConnection: close\r\n\r\n".encode())
        else:
            counts["whole"] += 1
            body = bodies[number]
            lines = f"ETag: {tag}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\nConnection: close"
            writer.write(f"HTTP/1.1 200 OK\r\n{lines}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "0.0.0.0", 0, backlog=1_024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until whoever started us closes it
    print(json.dumps(counts), flush=True)


@contextmanager
def serving(feeds: int, cores: set[int]) -> Iterator[list[str]]:
    command = [sys.executable, "-m", "bench.collecting", "--serve", str(feeds)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if cores:
        os.sched_setaffinity(server.pid, cores)
    assert server.stdout is not None
    try:
        yield addresses(feeds, int(server.stdout.readline()))
    finally:
        server.communicate("", timeout=20)


# --- who is measured -------------------------------------------------------------------------------------------------


def ours(urls: list[str]) -> dict[str, float]:
    from digest.app import open_app
    from digest.config import CollectPart, Config, SourcePart

    sources = tuple(SourcePart(name=f"Blog {at}", url=url) for at, url in enumerate(urls))
    collect = CollectPart(allow_private=("127.0.0.0/8",))
    with (
        tempfile.TemporaryDirectory() as home,
        open_app(Config(home=Path(home), sources=sources, collect=collect)) as app,
    ):
        cold, first = _timed(lambda: app.collect.visit(every=True))
        warm, second = _timed(lambda: app.collect.visit(every=True))
        assert all(visit.outcome == "new" for visit in first), [v for v in first if v.outcome != "new"][:1]
        assert all(visit.outcome == "unchanged" for visit in second)
        return {"cold": cold, "warm": warm, "items": sum(visit.new for visit in first)}


def theirs(urls: list[str]) -> dict[str, float]:
    import feedparser

    cold, read = _timed(lambda: [feedparser.parse(url) for url in urls])
    tags = [one.etag for one in read]
    again, _ = _timed(lambda: [feedparser.parse(url) for url in urls])
    asked, answers = _timed(
        lambda: [feedparser.parse(url, etag=tag) for url, tag in zip(urls, tags, strict=True)]
    )
    assert all(one.status == 304 for one in answers)
    return {"cold": cold, "warm": again, "validated": asked, "items": sum(len(one.entries) for one in read)}


def _timed(work: Callable[[], list[Any]]) -> tuple[float, list[Any]]:
    begun = time.perf_counter()
    done = work()
    return time.perf_counter() - begun, done


MEASURED = {"ours": ours, "feedparser": theirs}


def apart(who: str, urls: list[str], cores: set[int], *, reader: str, workers: int) -> dict[str, float]:
    """Measures in a process of its own, on its cores, with its processor time beside the clock's."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench.collecting", "--measure", who]
        if who == "reader":
            command = [reader, "-c", _READER, f"{folder}/reader.db", str(workers)]
        before = os.times()
        run = subprocess.run(
            command, input=json.dumps(urls), capture_output=True, text=True, check=False, timeout=1_200,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )  # fmt: skip
        after = os.times()
    if run.returncode:
        raise SystemExit(f"{who} could not be measured:\n{run.stderr[-2_000:]}")
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return {**json.loads(run.stdout), "cpu": spent}


@contextmanager
def reader_installed(given: str) -> Iterator[str]:
    """A Python that has lemon24/reader; "" when it cannot be installed here."""
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        python = f"{folder}/bin/python"
        steps = (
            [sys.executable, "-m", "venv", folder],
            [python, "-m", "pip", "install", "-q", *READER],
        )
        done = all(
            subprocess.run(step, capture_output=True, check=False, timeout=300).returncode == 0
            for step in steps
        )
        yield python if done else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--feeds", type=int, default=FEEDS)
    parser.add_argument("--cores", type=int, default=CORES)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", default="ours,feedparser,reader")
    parser.add_argument("--reader", default="", help="a Python that has reader installed")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        asyncio.run(_serve(chosen.serve))
    elif chosen.measure:
        print(json.dumps(MEASURED[chosen.measure](json.load(sys.stdin))))
    else:
        compare(chosen)


def compare(chosen: argparse.Namespace) -> None:
    every = sorted(os.sched_getaffinity(0))
    cores, others = set(every[: chosen.cores]), set(every[chosen.cores :])
    who, found = chosen.only.split(","), {}
    with (
        serving(chosen.feeds, others) as urls,
        reader_installed("-" if "reader" not in who else chosen.reader) as python,
    ):
        if "reader" in who and not python:
            print("reader: not measured, it cannot be installed here")
            who.remove("reader")
        for _ in range(chosen.rounds):
            for name in who:
                one = apart(name, urls, cores, reader=python, workers=8)
                found[name] = {key: min(value, found.get(name, one)[key]) for key, value in one.items()}
                print(_line(name, one), flush=True)
    for name in ("feedparser", "reader"):
        if name in found and "ours" in found:
            cold, warm = (found[name][key] / found["ours"][key] for key in ("cold", "warm"))
            print(f"ours is {cold:.1f} times as fast as {name} cold, {warm:.1f} times warm ({chosen.feeds} feeds of 100 KB, "
                  f"{len(cores)} cores)")  # fmt: skip
    if {"ours", "feedparser"} <= found.keys():
        asked = found["feedparser"]["validated"] / found["ours"]["warm"]
        print(f"beside feedparser with validators, one after the other: {asked:.1f} times warm")


def _line(name: str, seconds: dict[str, float]) -> str:
    validated = f" ({seconds['validated']:.2f} s with validators)" if "validated" in seconds else ""
    return (f"{name:10}: cold {seconds['cold']:6.2f} s, warm {seconds['warm']:6.2f} s{validated}, {seconds['items']:.0f} items, "
            f"{seconds['cpu']:.1f} CPU s in all")  # fmt: skip


if __name__ == "__main__":
    main()
