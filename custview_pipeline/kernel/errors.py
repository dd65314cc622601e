"""Every error this package raises on purpose.

* CustviewError
  x ProjectInvalid         what a person wrote (project, contract, rulebook) cannot be used
  x SourceUnreadable       a delivery cannot be read as its contract says
  x DeliveryRefused        a delivery was read, and a gate stopped it
  x ContractViolation      a table breaks its contract
    + PlaintextLeak        a readable personal column was about to be stored
  x ProtectionError
    + KeyUnavailable       no key where one is expected, or one that others can read
    + WrongKey             the lake was made under another key
    + UnsealFailed         wrong key, wrong place, or altered ciphertext
    + LedgerDamaged        the ledger of erasures cannot be read or written
    + BackupUnusable       a key backup cannot be opened, written or restored here
  x LakeError
    + LakeBusy             another writer is at work
    + LakeDamaged          the lake does not hold what its manifest says
  x PairBudgetExceeded     matching would compare more pairs than the machine can hold
  x IndexOutdated          the match index was made by other rules than these, and matching has not brought it up to date
  x AccessDenied           the access policy does not let this person see this
  x UnknownCustomer        no customer has this id
  x UnknownRecord          no current source record has this name
  x UnknownRow             no refused row in quarantine has this id
  x UnknownDelivery        no delivery that waits for a person has this id
  x UnknownErasure         the ledger has no erasure of this id
  x UnknownModel           no match model has this version, or one that this package cannot score with
  x Redacted               a library's error, without the values it quoted

Messages carry names and counts, never cell values: Dagster stores them.
"""

from pathlib import Path


class CustviewError(Exception):
    """Base class; catch this at the edge and nowhere else."""


class ProjectInvalid(CustviewError):
    """What a person wrote cannot be used.

    Args:
        what: What is wrong and how to mend it, in one line.
        file: The file at fault.
        line: Line in the file, counted from 1, where known.
    """

    def __init__(self, what: str, *, file: Path | str | None = None, line: int | None = None) -> None:
        place = "" if file is None else f"{file}:{line}: " if line else f"{file}: "
        super().__init__(f"{place}{what}")


class SourceUnreadable(CustviewError):
    """A delivery cannot be read as its contract says."""


class DeliveryRefused(CustviewError):
    """A delivery was read, and a gate stopped it; nothing of it was stored."""


class ContractViolation(CustviewError):
    """A table does not match the contract it claims."""


class PlaintextLeak(ContractViolation):
    """A readable personal column was about to leave memory."""


class ProtectionError(CustviewError):
    """Sealing, unsealing or tokenising failed."""


class KeyUnavailable(ProtectionError):
    """A key is missing, cannot be read, or can be read by others."""


class WrongKey(ProtectionError):
    """The lake was made under another key."""


class UnsealFailed(ProtectionError):
    """The envelope was not made by this key, for this place, or was altered."""


class LedgerDamaged(ProtectionError):
    """The ledger of erasures cannot be read or written."""


class BackupUnusable(ProtectionError):
    """A key backup cannot be opened, written, or restored where it should be."""


class LakeError(CustviewError):
    """The lake cannot be read or written."""


class LakeBusy(LakeError):
    """Another writer holds the lake."""


class LakeDamaged(LakeError):
    """The lake does not hold what its manifest says."""


class PairBudgetExceeded(CustviewError):
    """Matching would compare more pairs than the machine can hold."""


class IndexOutdated(CustviewError):
    """The match index was made by other rules of standardisation, and matching has not brought it up to date."""


class AccessDenied(CustviewError):
    """The access policy does not let this person see what they asked for."""


class UnknownCustomer(CustviewError):
    """No customer has this id."""


class UnknownRecord(CustviewError):
    """No current source record has this name."""


class UnknownRow(CustviewError):
    """No refused row in quarantine has this id."""


class UnknownDelivery(CustviewError):
    """No delivery that waits for a person has this id."""


class UnknownErasure(CustviewError):
    """The ledger has no erasure of this id."""


class UnknownCursor(CustviewError):
    """Changes after this cursor are not kept any more."""


class UnknownModel(CustviewError):
    """No match model has this version, or it is one that this package cannot score with."""


class Redacted(CustviewError):
    """A library's error, named by its type and place, without the values it quoted."""
