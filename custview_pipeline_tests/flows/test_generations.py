"""Tests of ``flows.generations``, ``flows.rebuild`` and ``flows.renew_index``: other rules cost no source, and mix with none."""

import shutil
from dataclasses import replace

import polars as pl
import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.contracts.match_index import Generation, IndexPart
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.flows import rebuild, release, renew_index
from custview_pipeline.flows.assess import assess
from custview_pipeline.flows.generations import generations_to_write
from custview_pipeline.flows.link import link
from custview_pipeline.flows.rebuild import give_lacking
from custview_pipeline.flows.renew_index import bring_up_to_date
from custview_pipeline.flows.survive import survive
from custview_pipeline.kernel.errors import IndexOutdated, KeyUnavailable, LakeDamaged, ProjectInvalid
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline.standardisation import standardise as standardising
from custview_pipeline.standardisation.standardise import rule_set_version
from custview_pipeline_tests.factories import source_contract
from custview_pipeline_tests.flows.delivery_desk import Desk, row
from custview_pipeline_tests.interrupted import open_keys

PEOPLE = [row(str(number), f"Ada Winterbourne {'abcdefgh'[number]}", f"ada{number}@example.org") for number in range(5)]


@pytest.fixture(scope="module")
def settled(tmp_path_factory):
    """Return a desk with keys of its own where ``PEOPLE`` were delivered; it is not to be changed."""
    root = tmp_path_factory.mktemp("settled")
    desk = Desk(root, open_keys(root / "keys"), source_contract("crm", "full_name", "email", max_refused_share=1.0))
    desk.redefine("source_key", is_required=True, is_unique=True)
    desk.deliver(*PEOPLE)
    return desk


@pytest.fixture
def new_desk(settled, tmp_path):
    """Return a desk with keys of its own where nothing was delivered yet."""
    return Desk(tmp_path, open_keys(tmp_path / "keys"), settled.contract)


@pytest.fixture
def desk(settled, tmp_path):
    """Return a copy of the settled desk, to go on with."""
    shutil.copytree(settled.root, tmp_path / "desk")
    return Desk(tmp_path / "desk", open_keys(tmp_path / "desk" / "keys"), settled.contract, settled.runs)


def generation(token_version, rules=None):
    return Generation(rules or rule_set_version(), token_version).name


def begin(desk, name):
    with desk.lake.writer() as writer, writer.commit("begin") as commit:
        commit.begin_index(name)


def change_rules(monkeypatch, version="99"):
    monkeypatch.setitem(standardising.RULE_SETS, "names", version)


def read_otherwise(monkeypatch):
    """Have the rules make another value of every name."""
    as_before = rebuild.standardise

    def read(raw, contract, **settings):
        batch = as_before(raw, contract, **settings)
        is_name = pl.col("attribute") == "name"
        return batch._replace(
            values=batch.values.with_columns(pl.when(is_name).then(pl.lit("Otto")).otherwise("value").alias("value"))
        )

    monkeypatch.setattr(rebuild, "standardise", read)


def bring(desk):
    with desk.lake.writer() as writer:
        return bring_up_to_date(writer, desk.renewal())


def match(desk):
    _, id_key = desk.keyring.current(Purpose.ID)
    with desk.lake.writer() as writer:
        return link(writer, Rulebook(), id_key, run_id="run", progress=Unwatched())


@pytest.mark.parametrize("name", ["", "names=1", "names=1;key=", "names=1;key=x", "names=1;key=-1"])
def test_what_is_no_name_of_a_generation_is_refused(name):
    with pytest.raises(LakeDamaged):
        Generation.named(name)


def test_a_generation_is_known_by_its_name():
    assert Generation.named(Generation("a=1;b=2", 7).name) == Generation("a=1;b=2", 7)


def test_a_first_delivery_makes_a_generation_under_the_token_key_in_use(desk):
    assert desk.lake.snapshot().index_generations() == (generation(1), None)
    assert desk.tokenised() == desk.current()


def test_a_delivery_writes_the_generation_that_is_being_built_too(desk):
    desk.keyring.add(Purpose.TOKEN)
    begin(desk, generation(2))
    desk.deliver(*PEOPLE[:4], row("4", "Another Name"), row("9"))
    assert sorted(version for _, version in desk.tokenised(generation(2))) == [1, 2], "what is new and what changed"
    assert set(desk.tokenised(generation(2))) < set(desk.current()) <= set(desk.tokenised())
    tokens = {
        name: desk.lake.snapshot().read_index(IndexPart.TOKENS, generation=name)["given"]
        for name in (generation(1), generation(2))
    }
    assert tokens[generation(1)].is_in(tokens[generation(2)].implode()).sum() == 0


@pytest.mark.parametrize("other", [generation(1, "names=0"), generation(7)], ids=["other rules", "a key that is not there"])
def test_what_cannot_be_made_is_not_written(desk, other):
    begin(desk, other)
    desk.deliver(*PEOPLE, row("9"))
    assert desk.tokenised(other) == []
    assert desk.tokenised() == desk.current()


def test_keys_that_came_before_the_index_are_refused_rather_than_the_index_given_up(new_desk):
    keys = new_desk.keyring.airlock_keys()
    new_desk.keyring.add(Purpose.TOKEN)
    new_desk.keyring.promote(Purpose.TOKEN)
    new_desk.deliver(*PEOPLE)
    with pytest.raises(KeyUnavailable, match="newer"):
        generations_to_write(new_desk.lake.snapshot(), keys)


def test_other_rules_make_a_delivery_begin_another_generation_and_matching_waits_for_it(desk, monkeypatch):
    before = generation(1)
    change_rules(monkeypatch)
    assert desk.deliver(*PEOPLE[:4], row("4", "Another Name")).changed_count == 1, "of the others nothing changed"
    assert desk.lake.snapshot().index_generations() == (before, generation(1))
    assert [version for _, version in desk.tokenised(generation(1))] == [2]
    with pytest.raises(IndexOutdated) as refusal:
        match(desk)
    assert "\n" not in str(refusal.value)
    with desk.lake.writer() as writer:
        with pytest.raises(IndexOutdated):
            survive(writer, [desk.contract], Rulebook(), run_id="run", progress=Unwatched())
        with pytest.raises(IndexOutdated):
            assess(writer, [desk.contract], Rulebook(), run_id="run")
    assert bring(desk) == 4
    assert match(desk).record_count == 5


def test_other_rules_need_no_source(desk, monkeypatch):
    match(desk)
    shutil.rmtree(desk.root / "data")
    change_rules(monkeypatch)
    assert bring(desk) == 5
    assert bring(desk) == 0
    assert desk.lake.snapshot().index_generations() == (generation(1), None)
    assert desk.tokenised() == desk.current()
    assert {version for _, version in desk.current()} == {1}, "records that say the same stay as they are"
    assert not match(desk).is_unchanged, "other rules may find other matches"
    assert match(desk).is_unchanged


def test_refused_rows_are_judged_again_under_other_rules_and_the_others_are_not_touched(new_desk, monkeypatch):
    new_desk.redefine("full_name", is_required=True)
    new_desk.deliver(*PEOPLE, row("9", ""))
    change_rules(monkeypatch)
    found = new_desk.take()
    assert (found.is_unchanged, found.changed_count, found.unchanged_count, found.refused_count) == (False, 0, 5, 1)


def test_a_record_that_other_rules_make_something_else_of_gets_a_new_version(desk, monkeypatch):
    stored, sealed = desk.lake.snapshot().read("protected_records"), desk.payloads()
    change_rules(monkeypatch)
    read_otherwise(monkeypatch)
    assert bring(desk) == 5
    assert {version for _, version in desk.current()} == {2}
    assert desk.tokenised() == desk.current()
    made = desk.lake.snapshot().read("protected_records").filter(pl.col("version") == 2).sort("record_id")
    same = [name for name in made.columns if name not in {"version", "payload_sealed", "valid_from_at"}]
    assert made.select(same).equals(stored.sort("record_id").select(same))
    for (record_id, version), payload in desk.payloads().items():
        (name,) = (value["value"] for value in payload["values"] if value["attribute"] == "name")
        assert payload["raw"] == sealed[record_id, 1]["raw"]
        assert (name == "Otto") == (version == 2)
    claims = desk.lake.snapshot().read_index(IndexPart.CLAIMS)
    assert sorted(claims.select("record_id", "version").unique().rows()) == desk.current()
    assert desk.deliver(*PEOPLE).unchanged_count == 5


def test_a_version_that_other_rules_make_supersedes_no_refused_row(desk, monkeypatch):
    desk.redefine("full_name", max_length=30)
    desk.deliver(*PEOPLE[:4], row("4", "Ada Winterbourne " + 20 * "x", "ada4@example.org"))
    change_rules(monkeypatch)
    read_otherwise(monkeypatch)
    bring(desk)
    desk.redefine("full_name", max_length=None)
    with desk.lake.writer() as writer:
        keeper = release.Desk([desk.contract], "US", desk.keyring, 1, "release")
        (report,) = release.release(keeper, writer, release.Choice())
    assert (report.released_count, report.superseded_count) == (1, 0)
    assert set(desk.current()) <= set(desk.tokenised())


def test_warnings_that_other_rules_give_are_stored_with_a_new_version(new_desk, monkeypatch):
    new_desk.deliver(*PEOPLE[:4], row("4", email="not an address"))
    as_before = rebuild.standardise

    def lenient(raw, contract, **settings):
        batch = as_before(raw, contract, **settings)
        return batch._replace(issues=batch.issues.clear())

    monkeypatch.setattr(rebuild, "standardise", lenient)
    change_rules(monkeypatch)
    bring(new_desk)
    assert sorted(version for _, version in new_desk.current()) == [1, 1, 1, 1, 2]
    issues = new_desk.lake.snapshot().read("record_issues", ["record_id", "version"])
    assert set(issues["version"]) == {1}


def test_bringing_records_is_resumed_where_it_was_interrupted(desk, monkeypatch):
    change_rules(monkeypatch)
    monkeypatch.setattr(renew_index, "RECORDS_A_TURN", 2)
    turns = []

    def third_fails(*arguments, **named):
        turns.append(give_lacking(*arguments, **named))
        if len(turns) == 2:
            raise LakeDamaged("interrupted")
        return turns[-1]

    with monkeypatch.context() as patch:
        patch.setattr(renew_index, "give_lacking", third_fails)
        with pytest.raises(LakeDamaged):
            bring(desk)
    assert len(desk.tokenised(generation(1))) == 4
    assert bring(desk) == 1
    assert desk.tokenised() == desk.current()


def test_what_a_newer_package_version_took_in_is_brought_by_an_older_one(desk, monkeypatch):
    with monkeypatch.context() as newer:
        change_rules(newer)
        desk.deliver(*PEOPLE[:3], row("3", "Another Name"), row("9"))
    assert bring(desk) == 2
    assert desk.lake.snapshot().index_generations() == (generation(1), None)
    assert set(desk.current()) <= set(desk.tokenised())
    assert match(desk).record_count == 5


def test_an_index_of_which_the_token_key_is_gone_is_made_anew(desk):
    desk.keyring.add(Purpose.TOKEN)
    desk.keyring.promote(Purpose.TOKEN)
    desk.keyring.retire(Purpose.TOKEN, 1)
    desk.deliver(*PEOPLE, row("9"))
    assert bring(desk) == 5
    assert desk.lake.snapshot().index_generations() == (generation(2), None)
    assert desk.tokenised() == desk.current()


def test_a_source_without_a_contract_is_named_and_nothing_is_lost(desk, monkeypatch):
    change_rules(monkeypatch)
    contract, desk.contract = desk.contract, replace(desk.contract, source_system="web")
    with pytest.raises(ProjectInvalid, match="no contract describes crm: "):
        bring(desk)
    desk.contract = contract
    assert bring(desk) == 5


def test_shredded_records_have_no_rows_and_hold_nothing_up(desk, monkeypatch):
    (lost, *others) = desk.current()
    with desk.lake.writer() as writer, writer.commit("lost") as commit:
        commit.forget_keys(pl.DataFrame([lost], {"record_id": pl.Int64, "version": pl.Int32}, orient="row"))
    change_rules(monkeypatch)
    assert bring(desk) == 4
    assert desk.tokenised() == others


def test_deleted_records_have_no_rows(desk, monkeypatch):
    desk.deliver(*PEOPLE[:3])
    change_rules(monkeypatch)
    assert bring(desk) == 3
    assert desk.tokenised() == desk.current()


def test_an_altered_record_stops_the_building_and_nothing_is_switched(desk, monkeypatch):
    stored = desk.lake.snapshot().read("protected_records")
    blobs = [*stored["payload_sealed"][1:], stored["payload_sealed"][0]]
    with desk.lake.writer() as writer, writer.commit("altered") as commit:
        commit.replace("protected_records", stored.with_columns(pl.Series("payload_sealed", blobs)))
    change_rules(monkeypatch)
    with pytest.raises(Exception, match="cannot unseal"):
        bring(desk)
    assert desk.lake.snapshot().index_generations()[0] != generation(1)


@pytest.mark.parametrize(
    "change",
    [{"attribute": "occupation"}, {"name": "mail"}, {"is_personal": True}],
    ids=lambda change: next(iter(change)),
)
def test_a_record_is_read_as_it_was_delivered_whatever_its_contract_says_now(desk, monkeypatch, change):
    sealed = desk.payloads()
    *others, email = desk.contract.columns
    desk.contract = replace(desk.contract, columns=(*others, replace(email, **change)))
    change_rules(monkeypatch)
    bring(desk)
    assert desk.payloads() == sealed
    assert desk.tokenised() == desk.current()


def test_records_of_deliveries_that_were_read_otherwise_stand_side_by_side(new_desk, monkeypatch):
    new_desk.contract = replace(new_desk.contract, extract="changes")
    new_desk.deliver(*PEOPLE[:3])
    new_desk.redefine("email", attribute="occupation")
    new_desk.deliver(row("9", email="Clockmaker"))
    sealed = new_desk.payloads()
    change_rules(monkeypatch)
    assert bring(new_desk) == 4
    assert new_desk.payloads() == sealed
    claims = new_desk.lake.snapshot().read_index(IndexPart.CLAIMS)
    assert dict(claims.group_by("attribute").len().rows()) == {"name": 4, "email": 3, "occupation": 1}


def test_the_generation_in_use_is_not_touched_while_another_is_built(desk):
    before = desk.lake.snapshot().manifest.index
    desk.keyring.add(Purpose.TOKEN)
    begin(desk, generation(2))
    with desk.lake.writer() as writer:
        assert give_lacking(writer, desk.renewal(), generation(2), limit=3) == 3
        assert give_lacking(writer, desk.renewal(), generation(2), limit=3) == 2
        assert give_lacking(writer, desk.renewal(), generation(2), limit=3) == 0
    assert desk.lake.snapshot().manifest.index == before
    assert desk.tokenised(generation(2)) == desk.current()


@pytest.mark.slow
def test_workers_build_the_same_rows(desk, monkeypatch):
    monkeypatch.setenv("CUSTVIEW_ROWS_FOR_WORKERS", "1")
    for version, workers in ((2, 1), (3, 2)):
        desk.keyring.add(Purpose.TOKEN)
        desk.keyring.promote(Purpose.TOKEN)
        begin(desk, generation(version))
        with desk.lake.writer() as writer:
            assert give_lacking(writer, replace(desk.renewal(), workers=workers), generation(version), limit=9) == 5
        assert desk.tokenised(generation(version)) == desk.current()


def test_an_empty_lake_has_nothing_to_bring(new_desk):
    DeltaLake(new_desk.root / "lake", new_desk.keyring)
    assert bring(new_desk) == 0
    assert new_desk.lake.snapshot().index_generations() == (None, None)
