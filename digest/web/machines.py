"""For machines: is it alive, and how does it go. Numbers only, never a person's name or address."""

import hmac
from collections.abc import Iterable, Mapping

from flask import Blueprint, Response, abort, make_response, request

from digest.model import IssueState
from digest.web.security import is_from_here
from digest.web.site import site

Labels = tuple[tuple[str, str], ...]
Values = dict[Labels, float]


def doors() -> Blueprint:
    blueprint = Blueprint("machines", __name__)
    blueprint.add_url_rule("/healthz", view_func=health)
    blueprint.add_url_rule("/metrics", view_func=metrics)
    return blueprint


def health() -> Response:
    """200 and `ok` when the database answers; a StoreError becomes 503 or 500 on its way out."""
    site().app.store.settings.get("key_sha256")
    return _text("ok\n")


def metrics() -> Response:
    """Prometheus text format 0.0.4, for this machine and for who shows the token; to others there is no such page."""
    if not (is_from_here() or _shows_token()):
        abort(404)
    response = _text("\n".join([*_sending(), *_house()]) + "\n")
    response.headers["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
    return response


def _shows_token() -> bool:
    file = site().config.web.metrics_token_file
    if file is None:
        return False
    try:
        token = site().config.path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return False
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(token) and hmac.compare_digest(shown.encode(), token.encode())


def _sending() -> Iterable[str]:
    app = site().app
    store, now = app.store, app.clock()
    states: Values = {}
    speeds: Values = {}
    for issue in store.issues.all():
        for state, count in store.deliveries.counts(issue.id).items():
            key = (("state", state.value),)
            states[key] = states.get(key, 0) + count
        at_work = store.paces.progress(issue.id, now=now)
        if at_work is not None:
            speeds[(("issue", str(issue.period)),)] = round(at_work.rate, 2)
    sent = states.get((("state", "sent"),), 0)
    yield from _metric(
        "digest_letters_sent_total", "Letters of issues that a mail server took.", {(): sent}, kind="counter"
    )
    yield from _metric(
        "digest_runs_total", "Sending runs begun.", {(): store.latecomers.last_run()}, kind="counter"
    )
    yield from _metric("digest_deliveries", "Deliveries of all issues, by state.", states)
    yield from _metric("digest_sending_rate", "Letters a second of the run at work.", speeds)
    learned = {(("kind", one.kind), ("name", one.name)): one for one in store.paces.all()}
    slowed: Values = {key: round(one.rate, 2) for key, one in learned.items() if one.rate}
    yield from _metric("digest_pace_rate", "Learned letters a second, where a limit was learned.", slowed)
    resting: Values = {
        key: 1.0 for key, one in learned.items() if one.rests_until is not None and one.rests_until > now
    }
    yield from _metric("digest_resting", "Relays that are down and mail domains that refuse us.", resting)
    yield from _standing()
    pending: Values = {(): float(store.notices.pending())}
    yield from _metric("digest_notices_pending", "One-off letters that have still to leave.", pending)


def _standing() -> Iterable[str]:
    """Issues that do not move, and until when they will not by themselves."""
    app = site().app
    paused: Values = {}
    waits: Values = {}
    for issue in app.store.issues.all():
        month = ("issue", str(issue.period))
        if issue.state is IssueState.PAUSED:
            paused[(month, ("reason", issue.pause_reason.code if issue.pause_reason else ""))] = 1.0
        until = app.send.put_off_until(issue) or app.send.rests_until(issue)
        if until is not None:
            waits[(month,)] = round((until - app.clock()).total_seconds())
    yield from _metric(
        "digest_paused", "Issues whose sending is paused, by reason; a person must go on with them.", paused
    )
    yield from _metric(
        "digest_next_try_seconds", "Until a begun issue, of which all is put off or rests, goes on.", waits
    )


def _house() -> Iterable[str]:
    store = site().app.store
    readers: Values = {
        (("state", state.value),): float(n) for state, n in store.subscribers.stats().by_state.items()
    }
    yield from _metric("digest_subscribers", "Subscribers, by state.", readers)
    sources = store.sources.all()
    yield from _metric("digest_sources", "Configured sources.", {(): len(sources)})
    failing = sum(1 for source in sources if source.fail_count)
    yield from _metric("digest_sources_failing", "Sources whose last visit failed.", {(): failing})


def _metric(name: str, about: str, values: Mapping[Labels, float], *, kind: str = "gauge") -> Iterable[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"
    for labels, value in sorted(values.items()):
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
        yield f"{name}{{{inside}}} {value:.12g}" if inside else f"{name} {value:.12g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def _text(body: str) -> Response:
    response = make_response(body)
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    return response
