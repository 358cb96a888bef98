"""Which issues everyone may see, and how they are shown. A draft or an approved issue never leaves this room."""

from digest.errors import NotFound
from digest.model import Issue, IssueState, Language, Period
from digest.render.context import IssueView
from digest.render.frozen import read, shown_with
from digest.render.view import issue_view
from digest.web.site import site

PUBLIC = frozenset({IssueState.SENDING, IssueState.PAUSED, IssueState.SENT})


def published() -> list[Period]:
    """The months of public issues, newest first."""
    return [issue.period for issue in site().app.store.issues.all() if issue.state in PUBLIC]


def newest() -> Issue | None:
    periods = published()
    return site().app.store.issues.get(periods[0], bench=()) if periods else None


def latest(count: int) -> list[Issue]:
    return [site().app.store.issues.get(period, bench=()) for period in published()[:count]]


def public_issue(text: str) -> Issue:
    """Raises NotFound for what is no month, no issue, or not public: nobody outside learns which."""
    try:
        issue = site().app.store.issues.get(Period.parse(text), bench=())
    except ValueError:
        raise NotFound("There is no such issue.") from None
    if issue.state not in PUBLIC:
        raise NotFound("There is no such issue.")
    return issue


def view(issue: Issue, language: Language) -> IssueView:
    """What was sent, word for word; who took an introduction back since then has vanished from it."""
    config, shown = site().config, {one.subscriber for one in issue.community.people}
    text = site().app.store.issues.frozen_view(issue.id, language=language.value)
    if not text:
        return issue_view(issue, language, config)
    return shown_with(read(text, home=config.list.url), shown)
