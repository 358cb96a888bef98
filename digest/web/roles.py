"""Who may press what at the desk: one table, asked before every form. What stands in no row is for administrators only."""

from collections.abc import Mapping

from digest.model import Role

LADDER = (Role.CONTRIBUTOR, Role.EDITOR, Role.APPROVER, Role.ADMIN)

# The function behind each form, and the lowest role that may press its button.
NEEDS: Mapping[str, Role] = {
    "sign_out": Role.CONTRIBUTOR,
    # her own way in, and her own browsers
    "begin_passkey": Role.CONTRIBUTOR, "add_passkey": Role.CONTRIBUTOR, "remove_passkey": Role.CONTRIBUTOR,
    "end_session": Role.CONTRIBUTOR, "end_others": Role.CONTRIBUTOR,
    # the draft
    "make_draft": Role.EDITOR, "move": Role.EDITOR, "write_note": Role.EDITOR, "reword": Role.EDITOR,
    "save_field": Role.EDITOR, "say_here": Role.CONTRIBUTOR,
    "undo": Role.EDITOR, "redo": Role.EDITOR, "add_item": Role.EDITOR, "write_own": Role.EDITOR, "test": Role.EDITOR,
    "accept": Role.EDITOR, "look_outside": Role.EDITOR, "triage": Role.EDITOR,
    # what leaves, and what is owed for it
    "approve": Role.APPROVER, "schedule": Role.APPROVER, "hold": Role.APPROVER, "take_back": Role.APPROVER, "send": Role.APPROVER,
    "pause": Role.APPROVER, "correct": Role.APPROVER, "settle": Role.APPROVER,
    # who waits to be let in
    "admit": Role.EDITOR, "decline": Role.EDITOR, "admit_domain": Role.EDITOR,
    "bring_list": Role.ADMIN, "write_again": Role.ADMIN,
    # what readers suggest
    "take": Role.EDITOR, "put_aside": Role.EDITOR, "settle_hello": Role.EDITOR,
    # where posts and events come from
    "look_at_source": Role.EDITOR, "add_source": Role.EDITOR, "change_source": Role.EDITOR,
    "settle_twins": Role.EDITOR,
    # who sits at the desk
    "invite_editor": Role.ADMIN, "change_role": Role.ADMIN, "sign_out_everywhere": Role.ADMIN,
    "take_passkeys": Role.ADMIN, "remove_editor": Role.ADMIN,
}  # fmt: skip


def reaches(role: Role, needed: Role) -> bool:
    return LADDER.index(role) >= LADDER.index(needed)


def may(role: Role, name: str) -> bool:
    """Whether this role may send the form that the function `name` takes."""
    return reaches(role, NEEDS.get(name, Role.ADMIN))
