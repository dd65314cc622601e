"""A blind sample drawn, laid out and answered: nothing in it tells what matching decided, and no answer goes astray."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from custview_pipeline.audit.blind_sample import STRATA, Thresholds
from custview_pipeline.contracts.audit_tables import REVIEW_SAMPLES
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.flows.decisions import current_decisions, withdraw_decisions
from custview_pipeline.flows.reclustering import near_misses
from custview_pipeline.flows.sample_answers import check_answers, rates_of_answers, store_answers
from custview_pipeline.flows.sample_review import SAID, Request, draw_sample, lay_out, store_sample
from custview_pipeline.flows.weighing import scales_of
from custview_pipeline.kernel.errors import LakeError, ProjectInvalid
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline_tests.flows.conftest import ADA
from custview_pipeline_tests.flows.sealed_lake import Record, remove, take_in

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
THRESHOLDS = Thresholds(match_weight=0.5, review_weight=-1.0)
NEAR = pl.DataFrame(
    {"left_id": [1, 2, 60], "right_id": [3, 3, 61], "weight": [-4.0, -5.0, -3.0]},
    schema={"left_id": pl.Int64, "right_id": pl.Int64, "weight": pl.Float64},
)


def drawn(house, near=NEAR):
    """Return a stored sample of all pairs: Ada's, and three that are apart."""
    with house.lake.writer() as writer:
        sample = draw_sample(writer.snapshot(), Request(10, 1, THRESHOLDS, near), run_id="run-s")
        store_sample(writer, sample, run_id="run-s")
    return sample


def sheet_of(house, sample, **options):
    return lay_out(house.lake.snapshot(), house.keyring, sample, **options)


def answered(sheet, *answers, reviewer="ada"):
    """Return the sheet as a file gives it: texts and lines."""
    words = [*answers, *["different"] * (sheet.height - len(answers))]
    said = sheet.with_columns(answer=pl.Series(words, dtype=pl.String), reviewer=pl.lit(reviewer, pl.String))
    return said.select(pl.col(SAID).cast(pl.String)).with_columns(line=pl.int_range(2, pl.len() + 2, dtype=pl.Int64))


def check(house, rows):
    return check_answers(house.lake.snapshot(), rows, file="pairs.csv")


def store(house, answers, now=NOW):
    with house.lake.writer() as writer:
        return store_answers(writer, answers, "someone", now, run_id="run-a", file="pairs.csv")


@pytest.fixture
def asked(once_run):
    """Return a house, its sample and the sheet."""
    sample = drawn(once_run)
    return once_run, sample, sheet_of(once_run, sample)


def row_of(sheet, left, right):
    """Return the row of one pair of records."""
    return sheet.row(by_predicate=(pl.col("left_record") == left) & (pl.col("right_record") == right), named=True)


def test_a_sample_is_kept_as_ids_and_numbers(asked):
    house, sample, _ = asked
    stored = house.lake.snapshot().read(REVIEW_SAMPLES.name)
    assert stored.sort("pair_number").equals(sample)
    assert set(zip(sample["left_id"], sample["right_id"], strict=True)) >= {(1, 2), (1, 3), (2, 3), (60, 61)}
    assert set(sample["stratum"]) <= set(STRATA)
    assert sample["drawn_count"].unique().to_list() == [sample.height]
    assert not sample["sample_id"][0].isdecimal()


def test_the_sheet_has_both_records_side_by_side_masked_and_nothing_of_what_matching_decided(asked):
    _, sample, sheet = asked
    assert sheet.columns[:4] == ["sample_id", "pair_number", "left_record", "right_record"]
    assert sheet.columns[-2:] == ["answer", "reviewer"]
    assert not {"weight", "stratum", "cuid", "left_id"} & set(sheet.columns)
    row = row_of(sheet, "crm:k1", "web:k2")
    assert (row["left_name"], row["right_name"], row["name_equal"]) == ("A*** W***", "*** W***", "no")
    assert (row["left_email"], row["right_email"], row["email_equal"]) == (None, "a***@e***.org", None)
    assert (row["answer"], row["reviewer"]) == (None, None)
    assert "interbourne" not in sheet.write_csv()
    assert sheet["pair_number"].to_list() == sample["pair_number"].to_list()


def test_equal_values_are_told_as_such_for_their_masks_do_not_tell(house):
    facts = {"given": "otto", "family": "kessler", "birth_date": "1971-01-02", "phones": ["2025551111"]}
    namesake = Record(4, facts, {"name": "Otto Kessler", "country": "GB"}, source_system="web")
    take_in(house.lake, house.keyring, namesake)
    house.run()
    sheet = sheet_of(house, drawn(house, NEAR.head(1).with_columns(left_id=pl.lit(3, pl.Int64), right_id=pl.lit(4, pl.Int64))))
    row = row_of(sheet, "crm:k3", "web:k4")
    assert (row["left_name"], row["right_name"], row["name_equal"]) == ("O*** K***", "O*** K***", "no")
    same = Record(5, facts, {"name": "Otto Keating"}, source_system="web")
    take_in(house.lake, house.keyring, same)
    house.run("run-2")
    sheet = sheet_of(house, drawn(house, NEAR.head(1).with_columns(left_id=pl.lit(3, pl.Int64), right_id=pl.lit(5, pl.Int64))))
    assert row_of(sheet, "crm:k3", "web:k5")["name_equal"] == "yes"


def test_revealed_attributes_are_in_full_and_the_others_stay_masked(asked):
    house, sample, _ = asked
    sheet = sheet_of(house, sample, in_full=("name",))
    row = row_of(sheet, "crm:k1", "web:k2")
    assert (row["left_name"], row["right_email"]) == ("Ada Winterbourne", "a***@e***.org")


def test_a_value_that_a_spreadsheet_would_take_for_a_formula_is_made_text(house):
    facts = {"given": "otto", "family": "kessler", "birth_date": "1971-01-02", "phones": ["2025551111"]}
    values = {"name": "=1+2", "occupation": "@cmd", "employer": "A=B", "phone": "+12025551111", "address": "-5 Mill Lane"}
    take_in(house.lake, house.keyring, Record(4, facts, values, source_system="web"))
    house.run()
    sample = drawn(house, NEAR.head(1).with_columns(left_id=pl.lit(3, pl.Int64), right_id=pl.lit(4, pl.Int64)))
    shown = row_of(sheet_of(house, sample, in_full=tuple(values)), "crm:k3", "web:k4")
    assert {name: shown[f"right_{name}"] for name in values} == {
        "name": "'=1+2", "occupation": "'@cmd", "employer": "A=B", "phone": "'+12025551111", "address": "'-5 Mill Lane",
    }  # fmt: skip
    masked = sheet_of(house, sample)
    assert not [cell for row in masked.iter_rows() for cell in row if str(cell).startswith(("=", "+", "-", "@"))]


def test_a_record_that_its_source_has_deleted_since_the_last_matching_is_in_no_pair(once_run):
    remove(once_run.lake, 2, version=2)
    sample = drawn(once_run)
    assert 2 not in {*sample["left_id"], *sample["right_id"]}
    assert sheet_of(once_run, sample).height == sample.height > 0


def test_pairs_that_records_changed_into_since_the_last_matching_are_drawn_whatever_their_evidence(once_run):
    take_in(once_run.lake, once_run.keyring, Record(3, ADA, {"name": "Ada Winterbourne"}, version=2))
    near = near_misses(scales_of(once_run.lake.snapshot(), Rulebook(), once_run.contracts), Unwatched())
    strata = {(row["left_id"], row["right_id"]): row["stratum"] for row in drawn(once_run, near).iter_rows(named=True)}
    assert strata[1, 3] == strata[2, 3] == "apart, above"
    assert (1, 2) in strata


def test_where_no_two_records_have_anything_in_common_there_is_nothing_to_judge(empty_house):
    with pytest.raises(LakeError, match="no pair to judge"):
        drawn(empty_house, NEAR.clear())


def test_answers_become_decisions_of_the_origin_sample_and_rates(asked):
    house, sample, sheet = asked
    words = ["same" if pair == (1, 2) else "different" for pair in sample.select("left_id", "right_id").iter_rows()]
    answers = check(house, answered(sheet, *words))
    assert store(house, answers) == sample.height
    decisions = current_decisions(house.lake.snapshot())
    assert decisions.filter(pl.col("decision") == "match").select("left_id", "right_id").rows() == [(1, 2)]
    assert set(decisions["origin"]) == {"sample"}
    assert set(decisions["decided_by"]) == {"ada"}
    assert set(decisions["reason"]) == {f"sample {sample['sample_id'][0]}, handed in by someone"}
    rates = rates_of_answers(answers)
    assert rates.false_merges.value == 0.0 < rates.false_merges.high
    assert rates.missed_merges.value == 0.0 < rates.missed_merges.high


def test_answers_are_taken_in_any_order_case_and_without_a_reviewer(asked):
    house, _, sheet = asked
    rows = answered(sheet.sample(fraction=1.0, shuffle=True, seed=3), "SAME", "Unsure", reviewer=None)
    answers = check(house, rows)
    assert sorted(answers.answered["decision"].to_list())[:2] == ["match", "not_a_match"]
    store(house, answers)
    assert set(current_decisions(house.lake.snapshot())["decided_by"]) == {"someone"}


def test_the_same_answers_again_are_not_stored_again_and_others_are_refused(asked):
    house, sample, sheet = asked
    store(house, check(house, answered(sheet)))
    assert store(house, check(house, answered(sheet))) == 0
    with pytest.raises(ProjectInvalid) as caught:
        store(house, check(house, answered(sheet, "same")))
    assert str(caught.value) == "pairs.csv: the sample was answered before, and otherwise, in pair 1"
    assert current_decisions(house.lake.snapshot()).height == sample.height


def test_answers_that_were_withdrawn_may_be_given_again_and_otherwise(asked):
    house, sample, sheet = asked
    store(house, check(house, answered(sheet)))
    with house.lake.writer() as writer:
        given = current_decisions(writer.snapshot())["decision_id"].to_list()
        assert withdraw_decisions(writer, given, NOW, "run-w", "ada") == sample.height
    assert store(house, check(house, answered(sheet, "same")), NOW + timedelta(minutes=1)) == sample.height
    assert current_decisions(house.lake.snapshot())["decision"].to_list().count("match") == 1


def change(place, **cells):
    """Return what changes cells of a row of the file, by its place from 0."""
    return lambda rows: rows.with_columns(
        pl.when(pl.int_range(pl.len()) == place).then(pl.lit(value, pl.String)).otherwise(pl.col(name)).alias(name)
        for name, value in cells.items()
    )


WORDS = "same, different or unsure"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda rows: rows.clear(), "pairs.csv: has no row below the header"),
        (change(0, sample_id="S00"), "pairs.csv:2: no sample of this id was drawn from this lake"),
        (change(0, sample_id=None), "pairs.csv:2: no sample of this id was drawn from this lake"),
        (change(1, sample_id="S00"), "pairs.csv:3: is not of the sample of line 2"),
        (change(2, pair_number="99"), "pairs.csv:4: the sample has no pair of this number"),
        (change(2, pair_number="three"), "pairs.csv:4: the sample has no pair of this number"),
        (change(2, pair_number=None), "pairs.csv:4: the sample has no pair of this number"),
        (change(1, pair_number="1"), "pairs.csv:3: the pair of line 2 is answered again"),
        (change(1, left_record="crm:k99"), "pairs.csv:3: was altered: these are not the records of this pair"),
        (change(1, right_record=None), "pairs.csv:3: was altered: these are not the records of this pair"),
        (change(1, answer=None), f"pairs.csv:3: has no answer; it should be {WORDS}"),
        (change(1, answer="yes"), f"pairs.csv:3: has another answer than {WORDS}"),
        (
            lambda rows: rows.with_columns(answer=pl.lit("?")),
            f"pairs.csv:2: has another answer than {WORDS}, and so in 3 more lines",
        ),
        (change(1, reviewer="a" * 65), "pairs.csv:3: the reviewer should be a name of at most 64 characters"),
        (lambda rows: rows.tail(-1), "pairs.csv: of the sample is missing: pair 1"),
        (lambda rows: rows.head(1), "pairs.csv: of the sample is missing: pair 2, 3, 4"),
    ],
)
def test_answers_that_do_not_fit_their_sample_are_told_by_their_line(asked, changed, said):
    house, _, sheet = asked
    assert sheet.height == 4
    with pytest.raises(ProjectInvalid) as caught:
        check(house, changed(answered(sheet)))
    assert str(caught.value) == said


def test_pairs_of_which_a_record_was_erased_since_do_not_count(asked):
    house, sample, sheet = asked
    with house.lake.writer() as writer, writer.commit("run-e") as commit:
        commit.remove(REVIEW_SAMPLES.name, "left_id", pl.Series([1], dtype=pl.Int64))
    answers = check(house, answered(sheet))
    assert answers.gone_count == sample.filter(pl.col("left_id") == 1).height
    assert answers.answered.height == sample.height - answers.gone_count
