"""The nouns. Values only: no clock, no I/O, and nothing else of ours is imported.

Times are aware datetimes in UTC unless a field says otherwise. Durations carry their unit in the name.
"""

from digest.model.issue import (
    Edit,
    Edition,
    Issue,
    IssueState,
    Placed,
)
from digest.model.items import (
    Entry,
    EventStatus,
    Harvest,
    Item,
    ItemKind,
    Occasion,
    Source,
    Visit,
    VisitOutcome,
)
from digest.model.letters import (
    Delivery,
    DeliveryState,
    Letter,
    Notice,
    NoticeKind,
    Outcome,
)
from digest.model.names import (
    Address,
    DeliveryId,
    EditorId,
    IssueId,
    ItemId,
    Language,
    NoticeId,
    Period,
    SourceId,
    SubscriberId,
)
from digest.model.people import (
    Cadence,
    Consent,
    Editor,
    MailDomain,
    Role,
    Stats,
    Subscriber,
    SubscriberState,
)

__all__ = [
    "Address",
    "Cadence",
    "Consent",
    "Delivery",
    "DeliveryId",
    "DeliveryState",
    "Edit",
    "Edition",
    "Editor",
    "EditorId",
    "Entry",
    "EventStatus",
    "Harvest",
    "Issue",
    "IssueId",
    "IssueState",
    "Item",
    "ItemId",
    "ItemKind",
    "Language",
    "Letter",
    "MailDomain",
    "Notice",
    "NoticeId",
    "NoticeKind",
    "Occasion",
    "Outcome",
    "Period",
    "Placed",
    "Role",
    "Source",
    "SourceId",
    "Stats",
    "Subscriber",
    "SubscriberId",
    "SubscriberState",
    "Visit",
    "VisitOutcome",
]
