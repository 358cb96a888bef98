"""One-off letters: queued with the act that needs them or not at all, never sent inside the request, tried until they leave."""

from collections.abc import Callable, Iterator

import pytest

from digest.app import App, open_app
from digest.config import Config
from digest.errors import StoreError
from digest.join import Ask
from digest.model import Address, NoticeKind
from digest.web import create_web
from tests.conftest import Clock
from tests.smtp_kit import STALL, Event, Sink

ANN = "ann@example.org"
RELAY = '[mail]\ntransport = "smtp"\nserver = "127.0.0.1"\nport = {port}\nsecurity = "none"\ntimeout_s = 5\n'


@pytest.fixture
def opened(make_config: Callable[[str], Config], clock: Clock) -> Iterator[Callable[[int], App]]:
    apps: list[App] = []

    def make(port: int) -> App:
        apps.append(open_app(make_config(RELAY.format(port=port)), clock=clock).__enter__())
        return apps[-1]

    yield make
    for app in apps:
        app.close()


def kinds(app: App) -> list[str]:
    return [row[0] for row in app.store._db.rows("SELECT kind FROM notice ORDER BY id")]


@pytest.mark.parametrize("broken", ["notice", "consent"])
def test_the_act_and_its_letter_are_one_decision(opened: Callable[[int], App], broken: str) -> None:
    """Whichever half cannot be kept, neither is: nobody waits for a letter that was never queued, and none leaves for nothing."""
    app = opened(1)
    app.store._db.rows(f"CREATE TRIGGER no BEFORE INSERT ON {broken} BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(StoreError):
        app.join.ask(Ask(address=ANN))
    assert app.store.subscribers.find(Address(ANN)) is None
    assert kinds(app) == []
    app.store._db.rows("DROP TRIGGER no")
    app.join.ask(Ask(address=ANN))
    assert kinds(app) == [NoticeKind.CONFIRM]


def test_a_request_is_answered_while_the_mail_server_says_nothing(
    opened: Callable[[int], App], clock: Clock
) -> None:
    """Its letter waits in the queue, and leaves when the server is well."""
    is_ill = True
    with Sink(lambda e: STALL if is_ill and e.point == "connect" else None) as sink:
        app = opened(sink.port)
        web = create_web(app)
        token = app.join.form()
        clock.forward(seconds=30)
        answer = web.test_client().post(
            "/subscribe",
            data={"email": ANN, "form": token, "language": "en"},
            base_url="https://digest.example.org",
        )
        assert answer.status_code == 200, answer.text
        assert kinds(app) == [NoticeKind.CONFIRM]
        assert app.store.notices.pending() == 1, "the page is there, the letter is not away"
        is_ill = False
        web.extensions["digest"].errands.wait()  # the errand behind the request met a silent server
        for _ in range(12):
            clock.forward(minutes=5)
            app.send.notices()
        assert sink.recipients() == [ANN]
        web.extensions["digest"].errands.close()


def test_letters_are_tried_one_two_four_minutes_later_and_never_forgotten(
    opened: Callable[[int], App], clock: Clock
) -> None:
    tries: list[float] = []

    def refuse(event: Event) -> str | None:
        if event.point != "RCPT":
            return None
        tries.append((clock() - began).total_seconds() / 60)
        return "451 4.3.0 not now" if len(tries) < 5 else None

    began = clock()
    with Sink(refuse) as sink:
        app = opened(sink.port)
        app.join.ask(Ask(address=ANN))
        for _ in range(60):
            app.send.notices()
            clock.forward(minutes=1)
    assert tries == [0, 1, 3, 7, 15]
    assert sink.recipients() == [ANN]
