"""The file that a steward pack hands back: what was decided, by whom, and which pack it belongs to."""

from typing import Annotated, Final, Literal, NamedTuple

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from custview_pipeline.contracts.steward_packs import PACK_ID_PATTERN
from custview_pipeline.contracts.stewardship_tables import REASON_CODES
from custview_pipeline.contracts.written_model import WrittenModel, read_model
from custview_pipeline.contracts.yaml_text import parse_yaml, suggest
from custview_pipeline.kernel.errors import ProjectInvalid

FORMAT: Final = "custview steward decisions 1"
LONGEST_NAME: Final = 64  # characters of the name of a steward
LONGEST_NOTE: Final = 200  # characters
MOST_ITEMS: Final = 1_000  # of one pack


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("should be text in one line, without control characters")
    return text


def _known_reason(code: str) -> str:
    if code not in REASON_CODES:
        raise ValueError(f"no reason code of this name{suggest(code, REASON_CODES)}")
    return code


Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, strip_whitespace=True), AfterValidator(_printable)]
Note = Annotated[str, StringConstraints(max_length=LONGEST_NOTE, strip_whitespace=True), AfterValidator(_printable)]
Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,64}$")]
ItemId = Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9A-HJKMNP-TV-Z]{10}$")]


class PackedItem(WrittenModel):
    """An item as the pack showed it: its id and the keyed digest of its evidence."""

    item_id: ItemId
    evidence: Hex


class PackName(WrittenModel):
    """What the seal of a pack is made over.

    Attributes:
        pack_id: Id of the pack.
        lake: Recognises the keys of the lake that it was made from.
        state: Versions of the tables that it shows.
        exported_at: When it was made, as text.
        key_version: Version of the log key, from which the seal is made.
        items: Every item of the pack, in its order.
    """

    pack_id: Annotated[str, StringConstraints(pattern=PACK_ID_PATTERN)]
    lake: Hex
    state: Annotated[str, StringConstraints(max_length=200)]
    exported_at: Annotated[str, StringConstraints(max_length=40)]
    key_version: Annotated[int, Field(strict=True, ge=1)]
    items: Annotated[tuple[PackedItem, ...], Field(min_length=1, max_length=MOST_ITEMS)]


class Answer(WrittenModel):
    """What a steward decided about one item.

    Attributes:
        item_id: The item.
        decision: match, not_a_match or unsure.
        reason_code: Why, of the closed list; may be absent.
        note: Why, in words; names no person.
        decided_at: When, by the clock of the steward's computer.
    """

    item_id: ItemId
    decision: Literal["match", "not_a_match", "unsure"]
    reason_code: Annotated[str, AfterValidator(_known_reason)] | None = None
    note: Note | None = None
    decided_at: AwareDatetime


class DecisionFile(WrittenModel):
    """The whole file."""

    format: Literal["custview steward decisions 1"]
    pack: PackName
    seal: Hex
    decided_by: Name
    saved_at: AwareDatetime
    decisions: Annotated[tuple[Answer, ...], Field(min_length=1, max_length=2 * MOST_ITEMS)]


class HandedIn(NamedTuple):
    """A decision file that was read.

    Attributes:
        said: What it says.
        file: Its name, as errors show it.
        pack_line: The line at which it names the pack, counted from 1.
        lines: The line of each decision.
    """

    said: DecisionFile
    file: str
    pack_line: int
    lines: tuple[int, ...]


def read_decision_file(text: str, *, file: str) -> HandedIn:
    """Read what a steward pack hands back; JSON is YAML, and read so that every decision still knows its line.

    Raises:
        ProjectInvalid: It is no decision file; names file and line, and no value.
    """
    try:
        written = parse_yaml(text, file=file)
    except RecursionError:
        raise ProjectInvalid("is no decision file: it is nested too deeply", file=file) from None
    said = read_model(DecisionFile, written)
    lines = tuple(written.line_of("decisions", place) for place in range(len(said.decisions)))
    return HandedIn(said, file, written.line_of("pack"), lines)
