"""Marks that readers of sources put into keys and flags, and that judging looks for. Words only; decides nothing."""

UNDATED, UNREAD, UNTRUE = (
    "undated",
    "date-unread",
    "date-guessed",
)  # flags of a post that counts from its first sight
DRAFTED = "drafted-long-ago"  # flag of a post that its source published only now, under the date of its draft
OWN_MARK = "@"  # before a name that its source gave out and that others may give to other things
MOVABLE = "event-at:"  # before the address of an event's own page, without its hour
