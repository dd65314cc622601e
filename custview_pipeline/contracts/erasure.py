"""The ledger of erasures: what was asked to be erased, and when it was carried out; one line of JSON each.

A line names records and customers by keyed marks (``protection.suppression``), never by their ids, so that the ledger is no list
of those who were erased.
"""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

_MARK_BITS: Final = 63  # and a sign

ErasureId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Mark = Annotated[int, Field(strict=True, ge=-(2**_MARK_BITS), lt=2**_MARK_BITS)]


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Erasure(_Line):
    """What somebody asked to be erased.

    Attributes:
        erasure_id: Random.
        requested_at: When, UTC.
        who: Name of the user.
        reason: Why, as the user states it.
        legal_basis: On what ground, where the user names one.
        record_marks: Suppression marks of the records.
        customer_marks: Marks of the customers that the records made; none where single records were named.
    """

    kind: Literal["erasure"] = "erasure"
    erasure_id: ErasureId
    requested_at: AwareDatetime
    who: str
    reason: str
    legal_basis: str | None = None
    record_marks: tuple[Mark, ...]
    customer_marks: tuple[Mark, ...] = ()


class CarriedOut(_Line):
    """That an erasure was carried out in a lake, and the keys of what it names were destroyed.

    Attributes:
        erasure_id: The erasure.
        carried_out_at: When that was done at the latest, UTC.
        run_id: The commit that did it.
        package_version: Version of this package.
    """

    kind: Literal["carried_out"] = "carried_out"
    erasure_id: ErasureId
    carried_out_at: AwareDatetime
    run_id: str
    package_version: str


LedgerLine = Erasure | CarriedOut
_LINE: Final[TypeAdapter[LedgerLine]] = TypeAdapter(Annotated[LedgerLine, Field(discriminator="kind")])


def written_lines(lines: Iterable[LedgerLine]) -> bytes:
    """Return lines as a ledger holds them."""
    return b"".join(line.model_dump_json().encode() + b"\n" for line in lines)


def parse_ledger(content: bytes) -> tuple[LedgerLine, ...]:
    """Return the lines of a ledger.

    What follows the last line break is of an entry that a crash left unfinished, and that nobody was told of; it does not count.

    Raises:
        ValueError: It is no ledger; the message has the number of the line, counted from 1.
    """
    *lines, _ = content.split(b"\n")
    return tuple(_parsed(line, number) for number, line in enumerate(lines, 1))


def _parsed(line: bytes, number: int) -> LedgerLine:
    try:
        return _LINE.validate_json(line)
    except ValidationError:
        raise ValueError(f"line {number}") from None
