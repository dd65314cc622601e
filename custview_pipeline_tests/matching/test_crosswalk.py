"""Tests of ``custview_pipeline.matching.crosswalk``; ``a world`` is the lake's two tables, carried from run to run."""

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.matching_tables import CROSSWALK, CUID_HISTORY
from custview_pipeline.kernel.identifiers import is_cuid
from custview_pipeline.matching.crosswalk import Known, assign_cuids
from custview_pipeline.protection.record_identity import cuids
from custview_pipeline_tests.factories import NOW, clusters, crosswalk, cuid_history

ID_KEY = bytes(range(32))
FOUNDED_BEFORE = crosswalk(), cuid_history()


def mint(founders, nth):
    return cuids(ID_KEY, founders, generations=nth)


def first_cuid(record_id, nth=0):
    return mint(pl.Series([record_id]), pl.Series([nth]))[0]


def known(crosswalk_, history):
    """Return what a lake with these tables knows."""
    return Known(crosswalk_, history, history["cuid"])


class World:
    """The crosswalk and the history of customers, run after run."""

    def __init__(self):
        self.known = known(*FOUNDED_BEFORE)
        self.runs = 0
        self.change = None

    def run(self, *groups, key="k{}"):
        """Take the clusters of one run and keep what changed; ``key`` is the form of the source keys."""
        self.runs += 1
        found = clusters(*groups)
        records = found.select("record_id", source_system=pl.lit("crm"), source_key=pl.format(key, "record_id"))
        now = NOW + timedelta(days=self.runs)
        self.change = assign_cuids(found, records, self.known, mint, run_id=f"run-{self.runs}", now=now)
        CROSSWALK.assert_holds(self.change.crosswalk)
        CUID_HISTORY.assert_holds(self.change.history)
        self.known = known(
            pl.concat([self.known.crosswalk, self.change.crosswalk]), pl.concat([self.known.history, self.change.history])
        )
        return self

    @property
    def owners(self):
        """Return the customer of each record, after the last run."""
        return dict(self.change.current.rows())

    @property
    def moves(self):
        """Return the rows that the last run added to the crosswalk."""
        return self.change.crosswalk.select("record_id", "cuid", "version").rows()

    @property
    def events(self):
        """Return the rows that the last run added to the history."""
        return set(self.change.history.select("event", "cuid", "other_cuid").rows())


ONE, TWO, THREE, FIVE = (first_cuid(record_id) for record_id in (1, 2, 3, 5))


def test_a_new_cluster_founds_a_customer_by_its_smallest_record():
    world = World().run((1, 4), (2,))

    assert world.owners == {1: ONE, 2: TWO, 4: ONE}
    assert world.moves == [(1, ONE, 1), (2, TWO, 1), (4, ONE, 1)]
    assert world.events == {("created", ONE, None), ("created", TWO, None)}
    assert world.change.history["founding_record_id"].drop_nulls().sort().to_list() == [1, 2]
    assert all(map(is_cuid, world.owners.values()))


def test_a_record_that_joins_takes_the_id_of_its_customer_and_no_other_row_changes():
    world = World().run((2, 4)).run((1, 2, 4))

    assert world.owners == {1: TWO, 2: TWO, 4: TWO}
    assert world.moves == [(1, TWO, 1)]
    assert world.events == set()


def test_a_rerun_changes_nothing():
    world = World().run((1, 4), (2,), (3, 5)).run((1, 4), (2,), (3, 5))

    assert world.moves == []
    assert world.events == set()
    assert world.owners == {1: ONE, 4: ONE, 2: TWO, 3: THREE, 5: THREE}


def test_of_merged_customers_the_oldest_survives():
    world = World().run((2,)).run((1, 4, 5), (2,)).run((1, 2, 4, 5))

    assert set(world.owners.values()) == {TWO}
    assert world.events == {("merged_into", ONE, TWO)}
    assert world.moves == [(1, TWO, 2), (4, TWO, 2), (5, TWO, 2)]


def test_of_merged_customers_of_one_age_the_larger_survives():
    world = World().run((1,), (2, 3)).run((1, 2, 3))

    assert set(world.owners.values()) == {TWO}
    assert world.events == {("merged_into", ONE, TWO)}


def test_three_customers_merge_into_one():
    world = World().run((1,)).run((1,), (2,), (3,)).run((1, 2, 3))

    assert world.events == {("merged_into", TWO, ONE), ("merged_into", THREE, ONE)}


def test_of_a_split_customer_the_larger_part_keeps_the_id():
    world = World().run((1, 2, 3)).run((1,), (2, 3))

    assert world.owners == {1: first_cuid(1, 1), 2: ONE, 3: ONE}
    assert world.events == {("created", first_cuid(1, 1), None), ("split_from", first_cuid(1, 1), ONE)}
    assert world.moves == [(1, first_cuid(1, 1), 2)]


def test_of_equal_parts_the_one_with_the_founding_record_keeps_the_id():
    world = World().run((2, 4)).run((1, 2, 4)).run((1,), (2,), (4,))

    assert world.owners[2] == TWO
    assert {event for event, *_ in world.events} == {"created", "split_from"}


def test_of_equal_parts_without_the_founding_record_the_smallest_keeps_the_id():
    world = World().run((1, 2, 3)).run((2, 3)).run((2,), (3,))

    assert world.owners[2] == ONE
    assert world.owners[3] == THREE


def test_a_record_that_is_gone_leaves_a_row_without_a_customer():
    world = World().run((1, 2)).run((1,))

    assert world.moves == [(2, None, 2)]
    assert world.events == set()
    assert world.owners == {1: ONE}
    assert world.change.crosswalk.select("source_system", "source_key").row(0) == ("crm", "k2")


def test_the_founding_record_may_go_and_the_customer_stays():
    assert World().run((1, 2)).run((2,)).owners == {2: ONE}


def test_a_customer_without_records_retires():
    world = World().run((1,), (2,)).run((2,))

    assert world.moves == [(1, None, 2)]
    assert world.events == {("retired", ONE, None)}


def test_everybody_may_go():
    world = World().run((1,), (2, 3)).run()

    assert world.owners == {}
    assert world.events == {("retired", ONE, None), ("retired", TWO, None)}
    assert world.run().moves == []


def test_a_record_that_comes_back_to_its_customer_has_its_id_again():
    world = World().run((1, 2)).run((1,)).run((1, 2))

    assert world.moves == [(2, ONE, 3)]
    assert world.events == set()


def test_a_record_that_comes_back_alone_founds_another_customer_for_ids_never_return():
    world = World().run((1,)).run().run((1,))

    assert world.owners == {1: first_cuid(1, 1)}
    assert world.run().run((1,)).owners == {1: first_cuid(1, 2)}


def test_a_record_that_left_its_customer_founds_one_with_another_id_and_has_it_again_when_it_leaves_again():
    world = World().run((1, 2, 3)).run((1,), (2, 3))
    assert world.owners == {1: first_cuid(1, 1), 2: ONE, 3: ONE}

    world.run((1, 2, 3)).run((1,), (2, 3))
    assert world.owners == {1: first_cuid(1, 1), 2: ONE, 3: ONE}
    assert world.events == {("reactivated", first_cuid(1, 1), ONE)}


def test_undoing_a_merge_gives_the_merged_customer_its_id_back():
    world = World().run((1, 2), (3,)).run((1, 2, 3)).run((1, 2), (3,))

    assert world.owners == {1: ONE, 2: ONE, 3: THREE}
    assert world.events == {("reactivated", THREE, ONE)}
    assert world.run((1, 2, 3)).events == {("merged_into", THREE, ONE)}


def test_of_the_merged_customers_in_a_part_the_one_with_most_records_comes_back():
    world = World().run((1, 2, 9), (3,), (5, 6)).run((1, 2, 3, 5, 6, 9)).run((1, 2, 9), (3, 5, 6))

    assert world.owners[3] == world.owners[5] == FIVE
    assert world.events == {("reactivated", FIVE, ONE)}


def test_a_part_without_records_of_a_merged_customer_is_a_new_one():
    world = World().run((1, 2), (3,)).run((1, 2, 3)).run((1, 3), (2,))

    assert world.owners == {1: ONE, 3: ONE, 2: TWO}
    assert world.events == {("created", TWO, None), ("split_from", TWO, ONE)}


def test_a_merged_customer_does_not_come_back_out_of_another_one():
    world = World().run((1, 2), (3, 4), (5,)).run((1, 2, 3, 4), (5,)).run((1, 2, 3), (4, 5)).run((1, 2, 3), (4,), (5,))

    assert world.owners[4] not in {THREE, FIVE}


def test_an_erased_customer_does_not_come_back():
    world = World().run((1, 2), (3,)).run((1, 2, 3))
    world.known = known(world.known.crosswalk, pl.concat([world.known.history, cuid_history({"cuid": THREE, "event": "erased"})]))

    assert world.run((1, 2), (3,)).owners[3] == first_cuid(3, 1)


def test_of_a_customer_that_falls_apart_into_an_older_one_and_a_new_one_both_are_told():
    world = World().run((5,)).run((1, 2), (5,)).run((1, 5), (2,))

    assert world.owners == {1: FIVE, 5: FIVE, 2: TWO}
    assert world.events == {("merged_into", ONE, FIVE), ("created", TWO, None), ("split_from", TWO, ONE)}


def test_a_new_customer_out_of_two_known_ones_is_split_from_the_one_it_has_most_of():
    world = World().run((1, 2, 3, 10, 11), (4, 5, 6, 7)).run((1, 2, 3), (5, 6, 7), (4, 10, 11))

    assert [event for event in world.events if event[0] == "split_from"] == [("split_from", first_cuid(4, 1), ONE)]


def test_a_record_may_move_between_two_customers_that_both_go_on():
    world = World().run((1, 2, 3), (4, 5)).run((1, 2), (3, 4, 5))

    assert world.owners[3] == first_cuid(4)
    assert world.moves == [(3, first_cuid(4), 2)]
    assert world.events == set()


def test_names_of_the_source_are_carried_with_each_row():
    world = World().run((1, 4))

    assert world.change.crosswalk["source_key"].to_list() == ["k1", "k4"]
    assert world.change.crosswalk["valid_from_at"].unique().to_list() == [NOW + timedelta(days=1)]
    assert world.change.crosswalk["run_id"].unique().to_list() == ["run-1"]


def test_a_key_that_was_replaced_by_a_token_leaves_the_current_crosswalk():
    world = World().run((1, 2), (3,)).run((1, 2), (3,), key="77{}")

    assert world.moves == [(1, ONE, 2), (2, ONE, 2), (3, THREE, 2)]
    assert world.change.crosswalk["source_key"].to_list() == ["771", "772", "773"]
    assert world.events == set()
    assert world.run((1, 2), (3,), key="77{}").moves == []


def erase(world, *records):
    """Take records out of both tables, as an erasure does: without them, with their customers erased, and nobody as founder."""
    crosswalk_, history, _ = world.known
    gone = crosswalk_.filter(pl.col("record_id").is_in(records))["cuid"].unique()
    founder = pl.col("founding_record_id")
    erased = cuid_history(*({"cuid": cuid, "event": "erased", "run_id": f"erasure-{world.runs}"} for cuid in gone))
    world.known = known(
        crosswalk_.filter(~pl.col("record_id").is_in(records)),
        pl.concat(
            [history.with_columns(pl.when(~founder.is_in(records)).then(founder).alias(founder.meta.output_name())), erased]
        ),
    )
    return world


def test_an_erased_customer_ends_without_another_event():
    world = erase(World().run((1, 4), (2,)), 1, 4).run((2,))

    assert world.owners == {2: TWO}
    assert (world.moves, world.events) == ([], set())


def test_a_record_that_comes_back_after_its_erasure_never_founds_the_customer_it_founded_before():
    world = erase(World().run((1, 4), (2,)), 1, 4).run((1,), (2,))

    assert world.owners == {1: first_cuid(1, 1), 2: TWO}
    world = erase(world, 1).run((1,), (2,))
    assert world.owners == {1: first_cuid(1, 2), 2: TWO}


def test_an_erased_id_is_not_carried_on_even_where_a_record_is_still_listed_under_it():
    world = World().run((1, 2))
    world.known = known(world.known.crosswalk, pl.concat([world.known.history, cuid_history({"cuid": ONE, "event": "erased"})]))
    world.run((1, 2))

    assert set(world.owners.values()) == {first_cuid(1, 1)}
    assert world.events == {("created", first_cuid(1, 1), None)}


def test_those_whom_an_erased_record_held_together_part_and_the_larger_keeps_the_id():
    world = World().run((1, 2, 3, 4))
    crosswalk_, history, _ = world.known
    world.known = known(crosswalk_.filter(pl.col("record_id") != 2), history)
    world.run((1,), (3, 4))

    assert world.owners == {1: first_cuid(1, 1), 3: ONE, 4: ONE}


@st.composite
def partitions(draw):
    """Draw clusters of some of the records 1 to 6."""
    labels = draw(st.dictionaries(st.integers(1, 6), st.integers(0, 2)))
    return [tuple(sorted(record for record, label in labels.items() if label == wanted)) for wanted in set(labels.values())]


@settings(max_examples=30)
@given(st.lists(partitions(), min_size=1, max_size=6))
def test_whatever_happens_each_cluster_has_one_customer_and_only_a_merged_id_returns(runs):
    world, ended = World(), set()
    for groups in runs:
        world.run(*groups)
        owners = world.owners
        assert sorted(owners) == sorted(record for group in groups for record in group)
        assert len(set(owners.values())) == len(groups)
        assert all(len({owners[record] for record in group}) == 1 for group in groups)
        history = world.known.history
        assert ended & set(owners.values()) == {cuid for event, cuid, _ in world.events if event == "reactivated"}
        retired = set(history.filter(pl.col("event") == "retired")["cuid"])
        assert retired.isdisjoint(owners.values())
        told = history.filter(pl.col("event").is_in(["merged_into", "reactivated"])).sort("happened_at")
        ended = retired | set(told.unique("cuid", keep="last").filter(pl.col("event") == "merged_into")["cuid"])
        assert ended.isdisjoint(owners.values())
        created = set(history.filter(pl.col("event") == "created")["cuid"])
        assert created == ended | set(owners.values())
        assert not history.select(CUID_HISTORY.key).is_duplicated().any()
        assert not world.known.crosswalk.select(CROSSWALK.key).is_duplicated().any()
    again = world.run(*runs[-1])
    assert again.moves == []
    assert again.events == set()


@settings(max_examples=20)
@given(partitions(), partitions(), st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(before, after, seed):
    world = World().run(*before)
    found = clusters(*after)
    records = found.select("record_id", source_system=pl.lit("crm"), source_key=pl.lit("k"))

    def change(shuffle):
        before_ = known(shuffle(world.known.crosswalk), shuffle(world.known.history))
        return assign_cuids(shuffle(found), shuffle(records), before_, mint, run_id="run-2", now=NOW + timedelta(days=2))

    as_given, shuffled = change(lambda frame: frame), change(lambda frame: frame.sample(fraction=1, shuffle=True, seed=seed))

    assert all(one.equals(other) for one, other in zip(as_given, shuffled, strict=True))


@pytest.mark.parametrize("records", [(), (1,)])
def test_a_new_lake_may_hold_little(records):
    groups = [records] if records else []

    assert len(World().run(*groups).owners) == len(records)
