"""Letters of which nobody knows whether they arrived: what can be known of them. A doubt is never ended by guessing."""

from collections.abc import Callable
from contextlib import suppress
from typing import Literal

from digest.errors import RenderError, TokenRefused
from digest.model import Delivery, DeliveryId, DeliveryState, IssueId, Letter
from digest.rules.echo import marks
from digest.rules.tokens import Links
from digest.send_needs import Store, Transport


def resolve(
    store: Store, issue: IssueId, make: Callable[[Delivery], Letter], transport: Transport, *,
    on_unsure: Literal["hold", "resend"],
) -> None:  # fmt: skip
    """What is in doubt and can be known (a folder), or shall go again by the configuration, is settled now."""
    for delivery in store.deliveries.listed(issue, DeliveryState.UNSURE, limit=100_000):
        try:
            arrived = transport.arrived(make(delivery))
        except (RenderError, ValueError):  # forgotten meanwhile: nothing more can be known
            continue
        if arrived is None and on_unsure == "hold":
            continue
        with store.write():
            store.deliveries.settle(
                delivery.id, state=DeliveryState.SENT if arrived else DeliveryState.QUEUED,
                note="it stands in the folder" if arrived else "sent again after a doubt",
            )  # fmt: skip


def spoken_of(data: bytes, *, links: Links) -> set[DeliveryId]:
    """The letters of ours that a letter speaks of, by a bounce address or Message-ID that we signed."""
    found, proven = marks(data), set[DeliveryId]()
    for token in found.returns:
        with suppress(TokenRefused):
            proven.add(links.read_bounce_token(token))
    for message in found.messages:
        with suppress(TokenRefused):
            proven.add(links.read_message_id(message)[1])
    return proven
