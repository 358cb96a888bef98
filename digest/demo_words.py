"""What the demo writes and says: its config.toml, the editors' note, and the month told in plain words. Values in, text out."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from digest.config import SourcePart
from digest.model import DeliveryState, Edition, Issue, Language, Period, Visit, VisitOutcome
from digest.rules.assemble import SECTIONS
from digest.rules.preflight import Check
from digest.sample.site import BROKEN

_FEW = 3
_NAMES = {Language.EN: "English", Language.FR: "French"}
_THEMES = {
    Language.EN: "one page was enough",
    Language.FR: "une page a suffi",
}
_NOTES = {
    Language.EN: """This month a ministry wrote its procurement notice on one page, three cities shared a permit, and a \
registry office lent us its binder. Different teams, one habit: they showed their work before it was finished.

Something you made, or an hour you keep open? Reply to this letter and tell us. People read the answers: this month \
Maude, Idris and Solène.""",
    Language.FR: """Ce mois-ci, une lettre de refus s’est mise à dire non clairement, une équipe écrit dans les deux \
langues dès la première ébauche, et trois villes se partagent un permis. Le point commun\u00a0: montrer son travail avant \
qu’il soit fini.

Vous avez fait quelque chose, ou vous ouvrez votre porte une heure par mois\u00a0? Répondez à cette infolettre. Ce sont \
des personnes qui vous lisent\u00a0: ce mois-ci, Maude, Idris et Solène.""",
}


def theme(language: Language) -> str:
    return _THEMES[language]


def note(language: Language) -> str:
    return _NOTES[language]


def config_text(*, port: int, sources: Sequence[SourcePart], editor: str) -> str:
    """A config.toml of a dozen lines, and the sample's sources."""
    blocks = [f"""# Written by digest demo. Try: digest --config {{this file}} status, items, issues, check
[list]
name.en = "Civic Letter"
name.fr = "La Lettre civique"
description.en = "What public servants wrote, built and are meeting about this month"
description.fr = "Ce que des fonctionnaires ont écrit, bâti et prévu ce mois-ci"
from = "letter@example.org"
postal_address.en = "12 Example Street, Ottawa, Ontario"
postal_address.fr = "12, rue de l’Exemple, Ottawa (Ontario)"
url = "http://127.0.0.1:{port}"

[web]
port = {port}

[collect]
allow_private = ["127.0.0.1"]   # the sample community lives on this machine

[[editors]]
address = "{editor}"
"""]  # fmt: skip
    for source in sources:
        stated = source.model_dump(exclude_none=True, mode="json")
        lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in stated.items()]
        blocks.append("\n".join(["[[sources]]", *lines]) + "\n")
    return "\n".join(blocks)


def collected(visits: Sequence[Visit], *, items: int, shared: int) -> Iterator[str]:
    failed = [visit for visit in visits if visit.outcome is VisitOutcome.FAILED]
    yield f"1. Collected. {len(visits)} sources were visited over HTTP; {items} posts and events are in the pool."
    for visit in visits:
        if visit.outcome is not VisitOutcome.FAILED:
            yield f"     {visit.source.name}: {visit.new} new"
    if shared:
        yield f"   {_many(shared, 'post')} stood in two sources and {'was' if shared == 1 else 'were'} kept once."
    for visit in failed:
        why = "is broken, on purpose" if visit.source.name == BROKEN else "could not be read"
        yield f"   One source {why}. {visit.source.name}: {visit.error}"
        yield "   The others were not held up by it; it will be tried again."


def assembled(issue: Issue) -> Iterator[str]:
    events, posts = (len(issue.section(name)) for name in SECTIONS[:2])
    yield f"2. Assembled. The draft of {issue.period}: {_many(events, 'event')} to come, {_many(posts, 'post')} worth reading;"
    yield f"   {len(issue.section(None))} more wait on the bench, where an editor can pick them up."
    cancelled = [
        p.item for p in issue.section(None) if p.item.occasion and p.item.occasion.status == "cancelled"
    ]
    for item in cancelled:
        yield f"   {item.title} was cancelled by its host, so it was left out."


def approved(checks: Sequence[Check], *, readers: Mapping[str, int]) -> Iterator[str]:
    looked = [check for check in checks if check.outcome == "fail"]
    by_language = " and ".join(f"{readers.get(language, 0)} in {name}" for language, name in _NAMES.items())
    people = sum(readers.values())
    joined = "One sample person" if people == 1 else f"{people} sample people"
    ran = sum(check.outcome != "not-checked" for check in checks)
    yield f"3. Readers. {joined} joined, with their consent on record: {by_language}."
    yield f"4. Approved. An editors’ note was written in both languages, and none of the {ran} checks that ran blocks."
    for check in looked[:_FEW]:
        yield f"   To look at before real letters leave: {check.message_en}"
    if len(looked) > _FEW:
        yield f"   … and {len(looked) - _FEW} more, at the desk."


def sent(
    counts: Mapping[DeliveryState, int], *, editions: Mapping[str, Edition], seconds: float, outbox: Path
) -> Iterator[str]:
    rest = ", ".join(
        f"{count} {state}" for state, count in counts.items() if count and state is not DeliveryState.SENT
    )
    yield f"5. Sent. {_many(counts[DeliveryState.SENT], 'letter')} in {seconds:.1f} s, {rest or 'nothing left over'}."
    yield f"   No mail server is needed here: each letter is a file in {outbox}{os.sep}"
    for language, name in _NAMES.items():
        if language in editions:
            yield f"     {name}: {editions[language].subject}"


def next_month(draft: Issue) -> Iterator[str]:
    yield f"6. Next. The community went on writing, and the draft of {draft.period} waits for an editor: you, if you like."


def addresses(*, url: str, period: Period, sign_in: str, command: str) -> Iterator[str]:
    """What to open next."""
    yield ""
    yield "Open next"
    yield f"  The issue, as everybody sees it   {url}/issues/{period}"
    yield f"  The same in French                {url}/fr/issues/{period}"
    yield f"  The desk, signed in as an editor  {sign_in}"
    yield f"  (the link works once; afterwards  {url}/desk/ knows you)"
    yield f"  The caught letters                {url}/outbox/"
    yield f"  The front page, with the form     {url}/"
    yield ""
    yield "Sign up on the front page and your confirmation appears among the caught letters. Nothing leaves this machine."
    yield f"Commands work on it too: {command} status {period}"
    yield "Stop it with Ctrl+C."


def _many(count: int, noun: str, nouns: str | None = None) -> str:
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"
