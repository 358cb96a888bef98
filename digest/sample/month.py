"""The sample month as values: what was published when, what takes place when. The texts are in posts.toml and events.toml."""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEKS_BACK = 20  # even: a series that comes every second week keeps its step


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A source of posts. path: of its feed on the sample site; format: medium, atom or json."""

    key: str
    name: str
    path: str
    format: str
    language: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePost:
    """paragraphs: plain text; one that begins with `## ` is a heading. late: published after the letter left."""

    id: str
    publications: tuple[str, ...]
    title: str
    author: str
    language: str
    tags: tuple[str, ...]
    paragraphs: tuple[str, ...]
    published: datetime
    late: bool

    @property
    def hex(self) -> str:
        """Twelve hex digits, as Medium numbers its posts."""
        return sha256(self.id.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleEvent:
    """starts: aware, in `zone`. days: of an all-day event, else 0. rule: RRULE of a series, else "". late: as a post's."""

    uid: str
    title: str
    text: str
    starts: datetime
    minutes: int
    days: int
    zone: str
    rule: str
    language: str
    status: str
    place: str
    online: str
    late: bool


PUBLICATIONS = (
    Publication(
        key="northern",
        name="Northern Services Lab",
        path="/feed/northern-services-lab",
        format="medium",
        language="en",
        about="Notes from a provincial digital team that works in the open",
    ),
    Publication(
        key="common",
        name="Common Ground Civic",
        path="/feed/common-ground-civic",
        format="medium",
        language="en",
        about="Stories from people who build public things together",
    ),
    Publication(
        key="service",
        name="Le service d’abord",
        path="/service-dabord/atom.xml",
        format="atom",
        language="fr",
        about="Carnet d’une équipe qui écrit et conçoit des services publics",
    ),
    Publication(
        key="prairie",
        name="Prairie Digital Notes",
        path="/prairie-notes/feed.json",
        format="json",
        language="en",
        about="Field notes from small towns and big distances",
    ),
)


def sample_posts(now: datetime, *, late: bool = False) -> list[SamplePost]:
    """The month's posts, newest first. late: with those that come after the letter has left, dated `now`."""
    posts = [_post(row, now) for row in _rows("posts")]
    return sorted((p for p in posts if late or not p.late), key=lambda p: (p.published, p.id), reverse=True)


def sample_events(now: datetime, *, late: bool = False) -> list[SampleEvent]:
    """The calendar, in order of its first date. late: with what is announced after the letter has left."""
    events = [_event(row, now) for row in _rows("events")]
    return sorted((e for e in events if late or not e.late), key=lambda event: event.starts)


def _rows(name: str) -> list[dict[str, Any]]:
    text = files("digest").joinpath("sample", f"{name}.toml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)[name]
    return rows


def _post(row: dict[str, Any], now: datetime) -> SamplePost:
    late = row["days"] == 0
    published = now if late else now - timedelta(days=row["days"], minutes=int(row["id"].encode()[0]))
    return SamplePost(
        id=row["id"],
        publications=(row["source"], *row.get("also", ())),
        title=row["title"],
        author=row["author"],
        language=row["language"],
        tags=tuple(row["tags"]),
        paragraphs=tuple(block.replace("\n", " ") for block in row["body"].strip().split("\n\n")),
        published=published.replace(microsecond=0),
        late=late,
    )


def _event(row: dict[str, Any], now: datetime) -> SampleEvent:
    zone = ZoneInfo(row["zone"])
    today = now.astimezone(zone).date()
    rule, late = row.get("rule", ""), row.get("late", False)
    begin = (today.replace(day=1) + timedelta(days=32)).replace(day=1) if late else today
    day = _first_of_series(today, rule) if rule else _weekday_after(begin, row["days"], row["weekday"])
    hour, _, minute = row.get("start", "0:00").partition(":")
    return SampleEvent(
        uid=f"{row['uid']}@calendar.example.org",
        title=row["title"],
        text=row["text"],
        starts=datetime.combine(day, time(int(hour), int(minute)), zone),
        minutes=row.get("minutes", 0),
        days=row.get("all_day", 0),
        zone=row["zone"],
        rule=rule,
        language=row.get("language", "en"),
        status=row.get("status", "CONFIRMED"),
        place=row.get("place", ""),
        online=row.get("online", ""),
        late=late,
    )


def _weekday_after(today: date, days: int, weekday: str) -> date:
    day = today + timedelta(days=days)
    return day + timedelta(days=(_WEEKDAYS.index(weekday) - day.weekday()) % 7)


def _first_of_series(today: date, rule: str) -> date:
    """A date in the past that the rule falls on: `BYDAY=TU`, or `BYDAY=2TH` of a month."""
    by_day = rule.rpartition("BYDAY=")[2]
    weekday, nth = by_day[-2:], by_day[:-2]
    if not nth:
        return _weekday_after(today, 2, weekday) - timedelta(weeks=_WEEKS_BACK)
    month = (today - timedelta(weeks=_WEEKS_BACK)).replace(day=1)
    return _weekday_after(month, 7 * (int(nth) - 1), weekday)
