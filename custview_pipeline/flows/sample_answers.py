"""What people answered about a blind sample: checked against the sample, stored as decisions, and turned into rates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from custview_pipeline.audit.blind_sample import STRATA
from custview_pipeline.audit.sample_rates import SampleRates, StratumAnswers, rates_of
from custview_pipeline.contracts.audit_tables import REVIEW_SAMPLES
from custview_pipeline.contracts.stewardship_tables import IN_SAMPLE, IS_MATCH, NOT_A_MATCH, UNSURE
from custview_pipeline.flows.decisions import add_decisions, standing_answers
from custview_pipeline.flows.sample_review import record_names
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.ports import LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced

DECISIONS: Final[Mapping[str, str]] = {"same": IS_MATCH, "different": NOT_A_MATCH, "unsure": UNSURE}
_HANDED_IN: Final = ", handed in by "
_LONGEST_NAME: Final = 64  # characters of the name of a reviewer
_MOST_NAMED: Final = 10  # numbers of pairs that a message names


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to one sample, checked.

    Attributes:
        sample_id: The sample.
        answered: pair_number, left_id, right_id, stratum, pair_count, decision (match, not_a_match, unsure), reviewer (null where
            none is named); a row a pair.
        gone_count: Pairs that are not in the sample any more, for a record was erased.
    """

    sample_id: str
    answered: pl.DataFrame
    gone_count: int


def check_answers(snapshot: Snapshot, rows: pl.DataFrame, *, file: str) -> Answers:
    """Return the answers that a file gives, once every pair of its sample is answered, in words that are known.

    Args:
        snapshot: The lake.
        rows: ``flows.sample_review.SAID`` as text, null where empty, and line.
        file: Where they come from, for messages.

    Raises:
        ProjectInvalid: A pair is unknown, altered, missing or answered twice, or an answer is none; names the line.
    """
    with silenced("checking answers"):
        sample = _sample_of(snapshot, rows, file)
        numbered = _numbered(rows, sample["drawn_count"][0], file)
        _assert_same_pairs(snapshot, numbered, sample, file)
        _assert_answered(numbered, file)
        answered = numbered.join(sample, on="pair_number", how="inner", maintain_order="left")
        if missing := sorted(set(sample["pair_number"]) - set(numbered["pair_number"])):
            raise ProjectInvalid(f"of the sample is missing: pair {_listed(missing)}", file=file)
        decision = pl.col("answer").replace_strict(DECISIONS, return_dtype=pl.String)
        columns = ("pair_number", "left_id", "right_id", "stratum", "pair_count")
        return Answers(
            sample_id=sample["sample_id"][0],
            answered=answered.select(*columns, "reviewer", decision=decision).sort("pair_number"),
            gone_count=numbered.height - answered.height,
        )


def store_answers(lake: LakeWriter, answers: Answers, handed_in_by: str, now: datetime, *, run_id: str, file: str) -> int:
    """Store answers as decisions of stewards; return how many were new.

    Args:
        lake: The lake, held for writing.
        answers: The answers, checked.
        handed_in_by: Who hands in the file: kept beside the reviewer, for a file says what it likes, and in the place of
            one where it names nobody.
        now: The moment, UTC.
        run_id: Names the commit.
        file: Where they come from, for messages.

    Raises:
        ProjectInvalid: The sample was answered before, and otherwise.
    """
    reason = f"sample {answers.sample_id}{_HANDED_IN}"
    stored = standing_answers(lake.snapshot()).filter((pl.col("origin") == IN_SAMPLE) & pl.col("reason").str.starts_with(reason))
    known = answers.answered.join(stored, on=["left_id", "right_id"], how="inner", suffix="_stored")
    if changed := known.filter(pl.col("decision") != pl.col("decision_stored"))["pair_number"].to_list():
        raise ProjectInvalid(f"the sample was answered before, and otherwise, in pair {_listed(sorted(changed))}", file=file)
    fresh = answers.answered.join(stored, on=["left_id", "right_id"], how="anti", maintain_order="left")
    rows = fresh.select(
        "left_id",
        "right_id",
        "decision",
        reason=pl.lit(reason + handed_in_by),
        decided_by=pl.col("reviewer").fill_null(handed_in_by),
        decided_at=pl.lit(now, pl.Datetime("us", "UTC")),
        origin=pl.lit(IN_SAMPLE),
    )
    return add_decisions(lake, rows, run_id) if rows.height else 0


def rates_of_answers(answers: Answers) -> SampleRates:
    """Return what the answers say of all pairs: the rates, with what they are about."""
    counted = answers.answered.group_by("stratum").agg(
        pl.col("pair_count").first(),
        *((pl.col("decision") == decision).sum().cast(pl.Int64).alias(answer) for answer, decision in DECISIONS.items()),
    )
    by_stratum = {row[0]: StratumAnswers(*row) for row in counted.select("stratum", "pair_count", *DECISIONS).iter_rows()}
    return rates_of([by_stratum[name] for name in STRATA if name in by_stratum])


def _sample_of(snapshot: Snapshot, rows: pl.DataFrame, file: str) -> pl.DataFrame:
    """Return the pairs of the sample that the rows are about."""
    if rows.is_empty():
        raise ProjectInvalid("has no row below the header", file=file)
    sample_id = rows["sample_id"][0]
    sample = snapshot.read(REVIEW_SAMPLES.name).filter(pl.col("sample_id") == (sample_id or ""))
    if sample.is_empty():
        raise ProjectInvalid("no sample of this id was drawn from this lake", file=file, line=rows["line"][0])
    _refuse(rows.filter(pl.col("sample_id").ne_missing(sample_id)), f"is not of the sample of line {rows['line'][0]}", file)
    return sample


def _numbered(rows: pl.DataFrame, drawn_count: int, file: str) -> pl.DataFrame:
    """Return the rows with their numbers read and their words in small letters."""
    numbered = rows.with_columns(pl.col("pair_number").cast(pl.Int32, strict=False), pl.col("answer").str.to_lowercase())
    is_known = pl.col("pair_number").is_between(1, drawn_count).fill_null(value=False)
    _refuse(numbered.filter(~is_known), "the sample has no pair of this number", file)
    first = numbered.with_columns(first_line=pl.col("line").first().over("pair_number"))
    again = first.filter(pl.col("line") > pl.col("first_line"))
    if not again.is_empty():
        _refuse(again, f"the pair of line {again['first_line'][0]} is answered again", file)
    return numbered


def _assert_same_pairs(snapshot: Snapshot, numbered: pl.DataFrame, sample: pl.DataFrame, file: str) -> None:
    """Refuse rows whose records are not those of their number: cells were moved or sorted apart."""
    names = record_names(snapshot, pl.concat([sample["left_id"], sample["right_id"].alias("left_id")]))
    joined = numbered.join(
        sample.select("pair_number", "left_id", "right_id"), on="pair_number", how="inner", maintain_order="left"
    )
    for side in ("left", "right"):
        own = names.rename({"record_id": f"{side}_id", "name": f"{side}_known"})
        joined = joined.join(own, on=f"{side}_id", how="left", maintain_order="left")
    # A record that its source has deleted meanwhile has no name any more.
    is_altered = pl.any_horizontal(
        pl.col(f"{side}_known").is_not_null() & pl.col(f"{side}_record").ne_missing(pl.col(f"{side}_known"))
        for side in ("left", "right")
    )
    _refuse(joined.filter(is_altered), "was altered: these are not the records of this pair", file)


def _assert_answered(numbered: pl.DataFrame, file: str) -> None:
    words = f"{', '.join(list(DECISIONS)[:-1])} or {list(DECISIONS)[-1]}"
    _refuse(numbered.filter(pl.col("answer").is_null()), f"has no answer; it should be {words}", file)
    _refuse(numbered.filter(~pl.col("answer").is_in(list(DECISIONS))), f"has another answer than {words}", file)
    is_name = pl.col("reviewer").str.contains(rf"^[^\p{{C}}]{{1,{_LONGEST_NAME}}}$").fill_null(value=True)
    _refuse(numbered.filter(~is_name), f"the reviewer should be a name of at most {_LONGEST_NAME} characters", file)


def _refuse(rows: pl.DataFrame, what: str, file: str) -> None:
    """Raise an error about the first of some rows; none where there are none."""
    if not rows.is_empty():
        others = rows.height - 1
        more = f", and so in {others:,} more {'line' if others == 1 else 'lines'}" if others else ""
        raise ProjectInvalid(f"{what}{more}", file=file, line=rows["line"][0])


def _listed(numbers: list[int]) -> str:
    named = ", ".join(map(str, numbers[:_MOST_NAMED]))
    return f"{named} and {len(numbers) - _MOST_NAMED:,} more" if len(numbers) > _MOST_NAMED else named
