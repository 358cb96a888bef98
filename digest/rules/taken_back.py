"""Who stands in a frozen letter and has taken their introduction back since. Pure."""

import json
from collections.abc import Collection, Mapping

from digest.model import Edition, Issue

# A setting that says so: issues that left, or are leaving, may hold words of somebody who has taken them back.
FLAG = "words taken back"


def printed(editions: Mapping[str, Edition]) -> dict[int, str]:
    """Everybody whom the letters introduce: their number and the name they gave."""
    found: dict[int, str] = {}
    for edition in editions.values():
        view = json.loads(edition.view)["view"] if edition.view else {}
        for part in view.get("parts", ()):
            found |= {one["id"]: one["name"] for one in part.get("people", ())}
    return found


def gone(issue: Issue, shown: Collection[int]) -> set[int]:
    """Those of `shown` whom the issue no longer knows."""
    return set(shown) - {int(person.subscriber) for person in issue.community.people}


def taken_back(issue: Issue, editions: Mapping[str, Edition]) -> list[str]:
    """Names that the letters print and the issue no longer knows; a draft prints whoever is there."""
    shown = printed(editions)
    absent = gone(issue, shown)
    return [name for number, name in shown.items() if number in absent]
