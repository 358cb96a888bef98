"""The dialogue without a socket: however replies fall, no dot is written unasked and every letter has one fate."""

from hypothesis import given
from hypothesis import strategies as st

from digest.mail.dialogue import Dialogue, Fate
from digest.mail.envelope import Offers
from digest.mail.replies import Replies, Reply, kept
from digest.model import DeliveryState
from tests.smtp_kit import letter

REPLIES = st.sampled_from([
    Reply(code, (text,)) for code, text in
    [(250, "ok"), (354, "go on"), (421, "closing"), (450, "4.2.0 later"), (550, "5.1.1 unknown"), (550, "5.7.1 listed"),
     (503, "sequence"), (334, "?"), (220, "?"), (599, "?")]
])  # fmt: skip


@given(replies=st.lists(REPLIES, max_size=60), pipelining=st.booleans())
def test_no_dot_unasked_and_one_fate_for_each(replies: list[Reply], pipelining: bool) -> None:
    dialogue, number, written, dotted = Dialogue(Offers(pipelining=pipelining)), 0, b"", 0
    fates: dict[int, list[DeliveryState]] = {}
    for reply in replies:
        if dialogue.fate is not Fate.NONE:
            break
        if dialogue.ready:
            assert not written.endswith(b"\r\n.\r\n")
            dialogue.dot()
            dotted += 1
            number += 1
            dialogue.begin(letter(number))
        elif dialogue.idle:
            number += 1
            dialogue.begin(letter(number))
        written += b"".join(dialogue.take())
        before = dialogue.taken
        dialogue.receive(reply)
        assert dialogue.taken - before in (0, 1)
        written += b"".join(dialogue.take())
        for outcome in dialogue.outcomes:
            fates.setdefault(outcome.delivery, []).append(outcome.state)
        dialogue.outcomes.clear()
    again, doubtful = dialogue.lost()
    assert all(len(states) == 1 for states in fates.values()), "one letter, two fates"
    assert sum(states == [DeliveryState.SENT] for states in fates.values()) == dialogue.taken <= dotted
    for one in (again, doubtful):
        assert one is None or one.delivery not in fates, "a letter with a fate came back"
    assert again is None or again is not doubtful
    assert len(fates) + (again is not None) + (doubtful is not None) == number, "a letter without any fate"


@given(
    texts=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=30), min_size=1, max_size=5
    ),
    cuts=st.lists(st.integers(1, 9), max_size=40),
)
def test_replies_are_the_same_however_they_are_cut(texts: list[str], cuts: list[int]) -> None:
    data = "".join(f"250-{text}\r\n250 {text}\r\n451 {text}\r\n" for text in texts).encode()
    whole, pieces = Replies(), Replies()
    expected = whole.feed(data)
    found: list[Reply] = []
    for cut in cuts:
        found += pieces.feed(data[:cut])
        data = data[cut:]
    found += pieces.feed(data)
    assert found == expected == [
        reply for text in texts for reply in (Reply(250, (text, text)), Reply(451, (text,)))
    ]  # fmt: skip


@given(st.binary(max_size=300))
def test_any_bytes_are_replies_or_broken_and_never_an_exception(data: bytes) -> None:
    replies = Replies()
    for reply in replies.feed(data):
        assert 200 <= reply.code <= 599


@given(st.text(max_size=60), st.text("abc.+_é", min_size=1, max_size=8), st.text(max_size=600))
def test_what_is_kept_of_a_reply_holds_no_address(before: str, local: str, after: str) -> None:
    text = kept(f"{before} <{local}@example.org> {after}")
    assert f"{local}@example" not in text
    assert len(text) <= 500
    assert "\n" not in text
