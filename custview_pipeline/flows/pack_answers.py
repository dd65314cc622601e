"""What stewards decided in a pack: checked against the pack and against the lake of now, and turned into decisions."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.base import UTC_TIME
from custview_pipeline.contracts.decision_file import HandedIn
from custview_pipeline.contracts.steward_packs import STEWARD_PACKS
from custview_pipeline.contracts.stewardship_tables import BY_STEWARD, REVIEW_DECISIONS
from custview_pipeline.flows.deciding import conflict_words, conflicts_of
from custview_pipeline.flows.decision_evidence import evidence_now
from custview_pipeline.flows.decisions import as_decisions
from custview_pipeline.flows.steward_pack import evidence_of, pack_key
from custview_pipeline.kernel.errors import ProjectInvalid, WrongKey
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline.stewardship.pack import is_sealed

CLOCK_TOLERANCE: Final = timedelta(days=1)  # a decision dated far ahead would stand above every later one
_ANSWER: Final = pl.Schema(
    {
        "item_id": pl.String(),
        "decision": pl.String(),
        "reason_code": pl.String(),
        "note": pl.String(),
        "decided_at": UTC_TIME,
        "decided_by": pl.String(),
        "line": pl.Int64(),
    }
)
_SAID: Final = ("left_id", "right_id", "decision", "decided_by", "decided_at")
_WORDS: Final = ("reason_code", "reason")
_MESSENGER: Final = "handed in by "
_ALTERED: Final = "the pack was altered: its seal does not fit; save the decisions again from the page as it was exported"


class Desk(NamedTuple):
    """Who hands decisions in, and how.

    Attributes:
        handed_in_by: Who.
        now: When, UTC.
        skips_stale: Leave out the answers of which the evidence changed since.
        supersedes: Take back standing decisions that say the opposite.
    """

    handed_in_by: str
    now: datetime
    skips_stale: bool = False
    supersedes: bool = False


class Checked(NamedTuple):
    """Decisions that were checked.

    Attributes:
        pack_id: Their pack.
        rows: The new ones as rows of review_decisions, with ``evidence`` (``flows.decision_evidence``).
        known_count: Answers that were handed in before.
        reworded_count: Those of them that now give another reason or note; what was said first is kept.
        stale_count: Answers that were left out, for their evidence changed since.
        unanswered_count: Items of the pack that have no answer.
    """

    pack_id: str
    rows: pl.DataFrame
    known_count: int
    reworded_count: int
    stale_count: int
    unanswered_count: int


def check_answers(snapshot: Snapshot, keyring: Keyring, handed: HandedIn, desk: Desk) -> Checked:
    """Return what a decision file decides, once all of it can be trusted: all of it, or an error and nothing.

    Args:
        snapshot: The lake.
        keyring: Its keys.
        handed: The file.
        desk: Who hands it in.

    Raises:
        ProjectInvalid: The pack is of another lake, unknown or altered; an item is none of the pack or is answered twice; a
            moment cannot be; the evidence of an item changed since; or answers contradict one another or standing decisions.
            Names file and line.
    """
    with silenced("checking decisions"):
        key = _key_of(keyring, handed)
        packed = _pack_of(snapshot, handed)
        answers = _answers(handed)
        _refuse_foreign(handed, answers)
        _refuse_moments(handed, answers, desk.now)
        known = answers.join(packed, on="item_id", how="left", maintain_order="left")
        stored = _stored(snapshot, handed)
        new = known.join(stored, on=_SAID, how="anti", nulls_equal=True, maintain_order="left")
        fresh = _fresh(snapshot, key, new)
        if fresh.height < new.height and not desk.skips_stale:
            _refuse_stale(handed, new.join(fresh, on="item_id", how="anti", maintain_order="left"))
        return Checked(
            pack_id=handed.said.pack.pack_id,
            rows=_decisions(snapshot, handed, _stated(fresh, handed, desk), desk),
            known_count=known.height - new.height,
            reworded_count=_reworded_count(known, stored),
            stale_count=new.height - fresh.height,
            unanswered_count=len(handed.said.pack.items) - answers.height,
        )


def _key_of(keyring: Keyring, handed: HandedIn) -> bytes:
    """Return the key of the pack, once its lake and its seal are found to be right."""
    pack = handed.said.pack
    if pack.lake != keyring.check_value():
        raise ProjectInvalid("the pack was made from another lake than this one", file=handed.file, line=handed.pack_line)
    try:
        key = pack_key(keyring.key(Purpose.LOG, pack.key_version))
    except WrongKey:
        raise ProjectInvalid(_ALTERED, file=handed.file, line=handed.pack_line) from None
    if not is_sealed(key, pack, handed.said.seal):
        raise ProjectInvalid(_ALTERED, file=handed.file, line=handed.pack_line)
    return key


def _pack_of(snapshot: Snapshot, handed: HandedIn) -> pl.DataFrame:
    """Return item_id, left_id, right_id of the pack; those of records that were erased are not in it any more."""
    pack = handed.said.pack
    stored = snapshot.read(STEWARD_PACKS.name).filter(pl.col("pack_id") == pack.pack_id)
    if stored.is_empty():
        what = "this lake knows no pack of this id, or the records that it shows were all erased since"
        raise ProjectInvalid(what, file=handed.file, line=handed.pack_line)
    return stored.select("item_id", "left_id", "right_id")


def _answers(handed: HandedIn) -> pl.DataFrame:
    """Return the answers with the lines they stand at and the evidence that the pack showed."""
    said = handed.said
    shown = {item.item_id: item.evidence for item in said.pack.items}
    rows = [
        (answer.item_id, answer.decision, answer.reason_code, answer.note, answer.decided_at, said.decided_by, line)
        for answer, line in zip(said.decisions, handed.lines, strict=True)
    ]
    answers = pl.DataFrame(rows, schema=_ANSWER, orient="row")
    return answers.with_columns(shown=pl.col("item_id").replace_strict(shown, default=None, return_dtype=pl.String))


def _refuse_foreign(handed: HandedIn, answers: pl.DataFrame) -> None:
    """Refuse answers to what is no item of the pack, and second answers."""
    _refuse(handed, answers.filter(pl.col("shown").is_null()), "the pack has no item of this id")
    first = answers.with_columns(first_line=pl.col("line").first().over("item_id"))
    again = first.filter(pl.int_range(pl.len()).over("item_id") > 0)
    if not again.is_empty():
        _refuse(handed, again, f"the item of line {again['first_line'][0]} is answered again")


def _refuse_moments(handed: HandedIn, answers: pl.DataFrame, now: datetime) -> None:
    """Refuse decisions that were made after now, or before there was a pack, beyond what a clock may be wrong."""
    exported_at = datetime.fromisoformat(handed.said.pack.exported_at)
    is_late = pl.col("decided_at") > now + CLOCK_TOLERANCE
    is_early = pl.col("decided_at") < exported_at - CLOCK_TOLERANCE
    what = "was decided {} by more than a day: is the clock of that computer right?"
    _refuse(handed, answers.filter(is_late), what.format("in the future,"))
    _refuse(handed, answers.filter(is_early), what.format("before the pack was made,"))


def _stored(snapshot: Snapshot, handed: HandedIn) -> pl.DataFrame:
    """Return what was handed in of this pack before: it stays as it was decided, though it may have changed the evidence."""
    stored = snapshot.read(REVIEW_DECISIONS.name).filter(pl.col("pack_id") == handed.said.pack.pack_id)
    return stored.select(*_SAID, *_WORDS).unique()


def _reworded_count(answers: pl.DataFrame, stored: pl.DataFrame) -> int:
    """Return how many answers that were handed in before give other words now."""
    own = stored.with_columns(reason=pl.col("reason").fill_null("").str.replace(f"(^|, ){_MESSENGER}.*$", ""))
    said = answers.select(*_SAID, "reason_code", reason=pl.col("note").fill_null(""))
    known = said.join(own, on=_SAID, how="semi", nulls_equal=True)
    return known.join(own, on=[*_SAID, *_WORDS], how="anti", nulls_equal=True).height


def _fresh(snapshot: Snapshot, key: bytes, answers: pl.DataFrame) -> pl.DataFrame:
    """Return the answers of which both records are there and the evidence is what the pack showed."""
    there = answers.drop_nulls("left_id")
    return evidence_of(snapshot, key, there).filter(pl.col("evidence") == pl.col("shown"))


def _refuse_stale(handed: HandedIn, stale: pl.DataFrame) -> None:
    changed = "the records of this item, or what decided about them, changed since the pack was made"
    mended = "make a new pack, or leave such items out with --skip-stale"
    _refuse(handed, stale, f"{changed}: {mended}")


def _decisions(snapshot: Snapshot, handed: HandedIn, stated: pl.DataFrame, desk: Desk) -> pl.DataFrame:
    """Return rows of review_decisions with the evidence of now, once none contradicts another or what stands."""
    rows = as_decisions(stated)
    conflicts = conflicts_of(snapshot, rows, supersede=desk.supersedes)
    lines = stated["line"].gather([conflict.place for conflict in conflicts])
    if conflicts:
        _refuse(handed, lines.to_frame(), conflict_words(conflicts[0]))
    return rows.with_columns(evidence=evidence_now(snapshot, rows))


def _stated(fresh: pl.DataFrame, handed: HandedIn, desk: Desk) -> pl.DataFrame:
    """Return what is decided, with its ``line``; where another person hands it in, the reason says who."""
    by = handed.said.decided_by
    messenger = [] if by == desk.handed_in_by else [pl.lit(f"{_MESSENGER}{desk.handed_in_by}")]
    note = pl.when(pl.col("note").str.len_chars() > 0).then("note")
    reason = pl.concat_str([note, *messenger], separator=", ", ignore_nulls=True)
    return fresh.select(
        *("left_id", "right_id", "decision", "reason_code", "decided_by", "decided_at", "line"),
        reason=pl.when(reason != "").then(reason),
        origin=pl.lit(BY_STEWARD),
        pack_id=pl.lit(handed.said.pack.pack_id),
    )


def _refuse(handed: HandedIn, rows: pl.DataFrame, what: str) -> None:
    """Raise an error about the first of some rows; none where there are none."""
    if not rows.is_empty():
        others = rows.height - 1
        more = f", and so in {others:,} more {'line' if others == 1 else 'lines'}" if others else ""
        raise ProjectInvalid(f"{what}{more}", file=handed.file, line=rows["line"][0])
