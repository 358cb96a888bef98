"""Letters as files: one .eml each, whole or not there, its bytes unaltered. Written twice, it is the same one file.

The name follows from the delivery and the message, so after a crash we can see whether a letter arrived: no doubt stays.
"""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from digest.errors import MailError
from digest.mail.faults import fault
from digest.mail.ledger import Ledger
from digest.model import DeliveryId, DeliveryState, Letter, Outcome

BLOCK = 50
LOOK_S = 0.5


class FolderTransport:
    """Writes `<folder>/issue-<delivery>-<digest>.eml` and, for one-off letters, `letter-<digest>.eml`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def carry(self, ledger: Ledger) -> None:
        """Raises MailError when the folder cannot be written, StoreError when the ledger cannot."""
        self._make()
        done: list[Outcome] = []
        while not ledger.stopping():
            letters = ledger.claim(BLOCK)
            if not letters:
                rest_s = ledger.rest_s()
                if rest_s is None:
                    break
                ledger.commit(done, [])
                done = []
                time.sleep(min(rest_s, LOOK_S))
                continue
            intents = [(letter.delivery, place) for place, letter in enumerate(letters)]
            passed = ledger.commit(done, intents)
            done = self._write_all([letter for letter in letters if letter.delivery in passed], ledger)
        if done:
            ledger.commit(done, [])

    def post(self, letter: Letter) -> Outcome:
        """Always sent. Raises MailError when the folder cannot be written."""
        self._make()
        try:
            self._write(self._folder / f"letter-{_digest(letter)}.eml", letter.data)
        except OSError as error:
            raise self._refused(error) from error
        return Outcome(delivery=letter.delivery, state=DeliveryState.SENT, code=250)

    def arrived(self, letter: Letter) -> bool | None:
        """True when the file of this very letter stands in the folder."""
        return self._path(letter).exists()

    def ready(self) -> None:
        """A folder asks for no password."""

    def probe(self) -> str:
        """Raises MailError when the folder cannot be written."""
        self._make()
        if not os.access(self._folder, os.W_OK):
            raise fault("folder", folder=self._folder)
        return f"no letter leaves this machine: they are written to {self._folder}."

    def _write_all(self, letters: Sequence[Letter], ledger: Ledger) -> list[Outcome]:
        done: list[Outcome] = []
        for place, letter in enumerate(letters):
            try:
                self._write(self._path(letter), letter.data)
            except OSError as error:
                rest = [Outcome(delivery=one.delivery, state=DeliveryState.QUEUED) for one in letters[place:]]
                ledger.commit(done + rest, [])
                raise self._refused(error) from error
            done.append(Outcome(delivery=letter.delivery, state=DeliveryState.SENT, code=250))
        return done

    def _path(self, letter: Letter) -> Path:
        return self._folder / _name(letter.delivery, letter)

    def _make(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._refused(error) from error

    def _write(self, path: Path, data: bytes) -> None:
        """A hidden draft first, then its name: a reader of the folder never meets half a letter."""
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with open(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise

    def _refused(self, error: OSError) -> MailError:
        return fault("folder_refused", folder=self._folder, said=error.strerror)


def _name(delivery: DeliveryId, letter: Letter) -> str:
    """Sorts by delivery; the digest tells letters of two databases apart that share a folder."""
    return f"issue-{delivery:09d}-{_digest(letter)}.eml"


def _digest(letter: Letter) -> str:
    return sha256(letter.recipient.reveal().encode() + b"\0" + letter.data).hexdigest()[:12]
