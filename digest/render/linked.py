"""An issue for machines that read the web (schema.org, JSON-LD): a list of its events and articles. Nothing of a reader."""

from datetime import datetime
from typing import Any

from digest.render.context import IssueView, ItemView


def issue_data(view: IssueView, *, published: datetime) -> dict[str, Any]:
    """schema.org PublicationIssue with an ItemList of Event and Article, in the edition's language."""
    items = [item for section in view.sections for item in section.items]
    return {
        "@context": "https://schema.org", "@type": "PublicationIssue", "name": view.title, "url": view.web_url,
        "issueNumber": view.number, "inLanguage": view.language.value, "datePublished": published.isoformat(),
        "isPartOf": {"@type": "Periodical", "name": view.list_name, "url": view.home_url},
        "mainEntity": {
            "@type": "ItemList", "numberOfItems": len(items),
            "itemListElement": [{"@type": "ListItem", "position": place, "item": item_data(item, view)}
                                for place, item in enumerate(items, 1)],
        },
    }  # fmt: skip


def item_data(item: ItemView, view: IssueView) -> dict[str, Any]:
    """schema.org Event or Article. An item's own page is named when it has no address."""
    language = item.hreflang or view.language.value
    url = item.url or item.page_url
    if item.when is None:
        article: dict[str, Any] = {
            "@type": "Article", "name": item.title, "url": url, "inLanguage": language, "publisher": _named(item),
            "author": {"@type": "Person", "name": item.author} if item.author else None,
            "description": item.blurb or None,
        }  # fmt: skip
        return {name: value for name, value in article.items() if value is not None}
    told: dict[str, Any] = {
        "@type": "Event", "name": item.title, "url": url, "inLanguage": language, "startDate": item.when.starts,
        "endDate": item.when.ends, "description": item.blurb or None, "organizer": _named(item),
        "eventStatus": f"https://schema.org/Event{'Cancelled' if item.is_cancelled else 'Scheduled'}",
        "eventAttendanceMode": f"https://schema.org/{_mode(item)}EventAttendanceMode", "location": _places(item, url),
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _named(item: ItemView) -> dict[str, str]:
    return {"@type": "Organization", "name": item.source}


def _mode(item: ItemView) -> str:
    if not item.is_online:
        return "Offline"
    return "Mixed" if item.venue else "Online"


def _places(item: ItemView, url: str) -> list[dict[str, str]] | None:
    places = [{"@type": "VirtualLocation", "url": item.online_url or url}] if item.is_online else []
    if item.venue:
        places.append({"@type": "Place", "name": item.venue, "address": item.venue})
    return places or None
