"""How often and when a source is tried again after a failed run, and the memo that a sensor keeps of it."""

import json
from typing import Final, NamedTuple

CURSOR_VERSION: Final = 5
WAITS: Final = (0.0, 120.0, 600.0)  # seconds before each try, since the one before: what passes by itself has time to
MOST_TRIES: Final = len(WAITS)
MOST_KILLS: Final = 3  # tries that a kill gives back; a delivery that is too much for the machine is given up, too
MOST_MISSES: Final = 3  # looks at a source that fail before somebody is told,
MISSING_SECONDS: Final = 600.0  # and for how long: a server may be restarted


class Memo(NamedTuple):
    """What a tick notes for the next.

    Attributes:
        look: What the source looked like, without reading it: names, times and sizes of files, digested.
        fingerprint: Of its content, keyed.
        terms: Digest of the contract; a mended contract is a new reason to try.
        tries: Runs requested for that content under these terms.
        tried_at: When the last of them was requested, seconds since the epoch.
        kills: Tries that were given back, for the run was killed.
        misses: Looks at the source that failed since the last good one.
        missed_since: When the first of them was, seconds since the epoch.
        is_miss_told: Whether somebody was told of them.
    """

    look: str = ""
    fingerprint: str = ""
    terms: str = ""
    tries: int = 0
    tried_at: float = 0.0
    kills: int = 0
    misses: int = 0
    missed_since: float = 0.0
    is_miss_told: bool = False

    def seen_as(self, look: str, fingerprint: str, terms: str) -> "Memo":
        """Return the memo for what the source holds now: the tries go on where content and contract are the same."""
        is_same = (fingerprint, terms) == (self.fingerprint, self.terms)
        seen = self if is_same else Memo(fingerprint=fingerprint, terms=terms)
        return seen._replace(look=look, misses=0, missed_since=0.0, is_miss_told=False)

    def missed(self, now: float) -> "Memo":
        """Return the memo after one more look that failed."""
        return self._replace(misses=self.misses + 1, missed_since=self.missed_since if self.misses else now)

    def is_miss_due(self, now: float) -> bool:
        """Return whether somebody should now be told that the source cannot be looked at."""
        is_long = now - self.missed_since >= MISSING_SECONDS
        return is_long and self.misses >= MOST_MISSES and not self.is_miss_told

    def tried(self, now: float) -> "Memo":
        """Return the memo after one more try."""
        return self._replace(tries=self.tries + 1, tried_at=now)

    def untried(self) -> "Memo":
        """Return the memo after a try that was killed: the try is given back, a few times."""
        return self if self.kills >= MOST_KILLS else self._replace(tries=self.tries - 1, kills=self.kills + 1)

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
    if not isinstance(found, dict) or found.pop("version", None) != CURSOR_VERSION:
        return Memo()
    blank = Memo()._asdict()
    is_whole = found.keys() == blank.keys() and all(type(found[name]) is type(value) for name, value in blank.items())
    return Memo(**found) if is_whole else Memo()


def write_memo(memo: Memo) -> str:
    """Return the cursor that ``read_memo`` reads."""
    return json.dumps({"version": CURSOR_VERSION, **memo._asdict()})
