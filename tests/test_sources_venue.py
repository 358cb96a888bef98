"""A place out of one line: the street stays, joining from afar is told, and a name with "Zoom" or "Virtual" in it is a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources._venue import Venue, venue

ZOOM = "https://zoom.us/j/123"


@pytest.mark.parametrize(("written", "place", "online"), [
    (f"CSI Annex, 720 Bathurst St, Toronto / {ZOOM}", "CSI Annex, 720 Bathurst St, Toronto", ZOOM),
    ("720 Bathurst St, Toronto or Zoom", "720 Bathurst St, Toronto", ""),
    ("Hybrid: Ottawa Public Library (120 Metcalfe) and online", "Ottawa Public Library (120 Metcalfe)", ""),
    ("Salle 204, 90 Elgin; Réunion Microsoft Teams", "Salle 204, 90 Elgin", ""),
    ("MS Teams / 90 Elgin St., Ottawa", "90 Elgin St., Ottawa", ""),
    ("En ligne ou au 555 rue Sherbrooke, Montréal", "555 rue Sherbrooke, Montréal", ""),
    ("Salle 3 (et en ligne)", "Salle 3", ""),
    ("Google Meet + Shopify HQ, 234 Laurier", "Shopify HQ, 234 Laurier", ""),
    (f"Zoom Meeting {ZOOM}", None, ZOOM),
    (ZOOM, None, ZOOM),
    ("Online via Zoom (link to follow)", None, ""),
    ("Zoom, link to follow", None, ""),
    ("En ligne - inscription requise", None, ""),
    ("Microsoft Teams Meeting", None, ""),
    ("https://maps.app.goo.gl/abc", "https://maps.app.goo.gl/abc", None),
    ("https://civic.example/live", None, "https://civic.example/live"),
    ("Zoom Room, Communitech Hub, 151 Charles St W", "Zoom Room, Communitech Hub, 151 Charles St W", None),
    ("Virtual Reality Lab, 10 King St", "Virtual Reality Lab, 10 King St", None),
    ("Teams Building, 1 Teams Rd, Moncton", "Teams Building, 1 Teams Rd, Moncton", None),
    ("City Hall", "City Hall", None),
    (None, None, None),
])  # fmt: skip
def test_a_line_is_read_as_place_and_way_to_join(
    written: str | None, place: str | None, online: str | None
) -> None:
    assert venue(written, online=None, beside="") == Venue(place, online)


def test_a_meeting_named_beside_the_place_is_a_way_to_join_it() -> None:
    assert venue("City Hall", online=None, beside=f"Join at {ZOOM} please") == Venue("City Hall", ZOOM)


@given(st.text(max_size=300))
def test_any_line_is_read_without_a_fault(written: str) -> None:
    found = venue(written or None, online=None, beside="")
    assert found.place != ""
