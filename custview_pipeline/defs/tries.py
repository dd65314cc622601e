"""How often and when a source is tried again after a failed run, and the memo that a sensor keeps of it."""

import json
from typing import Final, NamedTuple

CURSOR_VERSION: Final = 4
WAITS: Final = (0.0, 120.0, 600.0)  # seconds before each try, since the one before: what passes by itself has time to
MOST_TRIES: Final = len(WAITS)


class Memo(NamedTuple):
    """What a tick notes for the next.

    Attributes:
        look: What the source looked like, without reading it: names, times and sizes of files, digested.
        fingerprint: Of its content, keyed.
        terms: Digest of the contract; a mended contract is a new reason to try.
        tries: Runs requested for that content under these terms.
        tried_at: When the last of them was requested, seconds since the epoch.
    """

    look: str = ""
    fingerprint: str = ""
    terms: str = ""
    tries: int = 0
    tried_at: float = 0.0

    def seen_as(self, look: str, fingerprint: str, terms: str) -> "Memo":
        """Return the memo for what the source holds now: the tries go on where content and contract are the same."""
        is_same = (fingerprint, terms) == (self.fingerprint, self.terms)
        return self._replace(look=look) if is_same else Memo(look, fingerprint, terms)

    def tried(self, now: float) -> "Memo":
        """Return the memo after one more try."""
        return self._replace(tries=self.tries + 1, tried_at=now)

    def waits(self, now: float) -> float:
        """Return for how many seconds the next try still has to wait; there is one."""
        passed = now - self.tried_at
        return max(0.0, WAITS[self.tries] - passed) if passed >= 0 else 0.0  # a clock that was set back keeps nobody waiting

    @property
    def is_given_up(self) -> bool:
        """Return whether all tries were made."""
        return self.tries >= MOST_TRIES


def read_memo(cursor: str | None) -> Memo:
    """Return what the last tick noted; nothing where the cursor is of another version or form, for cursors outlive code."""
    try:
        found = json.loads(cursor or "{}")
    except ValueError:
        return Memo()
    match found:
        case {
            "version": int(version),
            "look": str(look),
            "fingerprint": str(fingerprint),
            "terms": str(terms),
            "tries": int(tries),
            "tried_at": float(tried_at),
        } if version == CURSOR_VERSION:
            return Memo(look, fingerprint, terms, tries, tried_at)
    return Memo()


def write_memo(memo: Memo) -> str:
    """Return the cursor that ``read_memo`` reads."""
    return json.dumps({"version": CURSOR_VERSION, **memo._asdict()})
