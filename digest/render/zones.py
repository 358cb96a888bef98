"""Readers of which zones can share one letter: those for whom every event online is told alike. Nothing is rendered here."""

from collections.abc import Collection

from digest.config import Config
from digest.model import Issue, Language
from digest.render import dates

GROUPS_MOST = 24  # Canada has eight; who lives in the twenty-fifth zone gets the list's zones in one line


def zone_groups(issue: Issue, zones: Collection[str], *, config: Config) -> dict[str, str]:
    """Each reader's zone to the zone that speaks for its group; a zone beyond the most is left out.

    Empty when no event of the issue is online at an hour: then one letter does for everybody.
    """
    online = [
        placed.item.occasion
        for placed in issue.placed
        if placed.section in config.letter.sections and placed.section != "missed-it" and placed.item.occasion
        and dates.is_online(placed.item.occasion) and not placed.item.occasion.all_day
    ]  # fmt: skip
    if not online:
        return {}
    spoken: dict[tuple[str, ...], str] = {}
    found: dict[str, str] = {}
    for zone in sorted(zones, key=lambda name: (name not in dates.SPEAKERS, name)):
        told = tuple(
            dates.span(occasion, language, list_zone=config.list.timezone, own_zone=zone)
            for occasion in online for language in Language
        )  # fmt: skip
        if told not in spoken and len(spoken) == GROUPS_MOST:
            continue
        found[zone] = spoken.setdefault(told, zone)
    return found
