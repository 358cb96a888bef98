"""One thread watches all deadlines: none is late, none strikes what has ended."""

import threading
import time

from digest.sources._watch import Watch


def test_an_alarm_strikes_when_its_block_takes_too_long_and_not_otherwise() -> None:
    watch, struck = Watch(), []
    with watch.alarm(lambda: struck.append("slow"), after_s=0.05):
        with watch.alarm(lambda: struck.append("quick"), after_s=0.02):
            pass
        time.sleep(0.3)
    assert struck == ["slow"]


def test_a_nearer_alarm_is_not_held_up_by_a_farther_one() -> None:
    watch, struck = Watch(), threading.Event()
    with watch.alarm(lambda: None, after_s=60), watch.alarm(struck.set, after_s=0.02):
        assert struck.wait(5)


def test_many_alarms_at_once_are_one_thread_and_each_strikes_once() -> None:
    watch, before, struck = Watch(), threading.active_count(), []

    def slow(number: int) -> None:
        with watch.alarm(lambda: struck.append(number), after_s=0.05):
            time.sleep(0.6)

    threads = [threading.Thread(target=slow, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    assert threading.active_count() <= before + 21
    for thread in threads:
        thread.join()
    assert sorted(struck) == list(range(20))


def test_alarms_called_off_are_forgotten() -> None:
    watch = Watch()
    for _ in range(1_000):
        with watch.alarm(lambda: None, after_s=60):
            pass
    assert not watch._alarms
    assert not watch._off
