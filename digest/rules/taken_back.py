"""Who stands in a frozen letter and has taken their introduction back since. Pure."""

import json
from collections.abc import Mapping

from digest.model import Edition, Issue

# A setting that says so: sent issues may hold words of somebody who has taken them back.
FLAG = "words taken back"


def taken_back(issue: Issue, editions: Mapping[str, Edition]) -> list[str]:
    """Names that the letters print and the issue no longer knows; a draft prints whoever is there."""
    there = {int(person.subscriber) for person in issue.community.people}
    found: dict[int, str] = {}
    for edition in editions.values():
        view = json.loads(edition.view)["view"] if edition.view else {}
        for part in view.get("parts", ()):
            found |= {one["id"]: one["name"] for one in part.get("people", ()) if one["id"] not in there}
    return list(found.values())
