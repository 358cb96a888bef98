"""For machines: is it alive, and how does it go. Numbers only, never a name or an address."""

from collections.abc import Iterable

from flask import Blueprint, Response, make_response

from digest.web.site import site


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
    """Prometheus text format 0.0.4."""
    store = site().app.store
    lines: list[str] = []
    deliveries: dict[str, int] = {}
    for issue in store.issues.all():
        for state, count in store.deliveries.counts(issue.id).items():
            deliveries[state] = deliveries.get(state, 0) + count
    lines += _metric("digest_deliveries", "Deliveries of all issues, by state.", "state", deliveries)
    readers = {state.value: count for state, count in store.subscribers.stats().by_state.items()}
    lines += _metric("digest_subscribers", "Subscribers, by state.", "state", readers)
    sources = store.sources.all()
    lines += _metric("digest_sources", "Configured sources.", None, {"": len(sources)})
    failing = sum(1 for source in sources if source.fail_count)
    lines += _metric("digest_sources_failing", "Sources whose last visit failed.", None, {"": failing})
    lines += _metric(
        "digest_notices_pending",
        "One-off letters that have still to leave.",
        None,
        {"": store.notices.pending()},
    )
    response = _text("\n".join(lines) + "\n")
    response.headers["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
    return response


def _metric(name: str, about: str, label: str | None, values: dict[str, int]) -> Iterable[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} gauge"
    for key, value in sorted(values.items()):
        yield f'{name}{{{label}="{key}"}} {value}' if label else f"{name} {value}"


def _text(body: str) -> Response:
    response = make_response(body)
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    return response
