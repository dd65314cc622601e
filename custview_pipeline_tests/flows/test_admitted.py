"""Tests of ``custview_pipeline.flows.admitted``: a large delivery is stored in portions, and what is stored is the same."""

from dataclasses import replace

import pytest

from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.match_index import Generation
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.flows import admitted, examine, survey
from custview_pipeline.flows.generations import generations_to_write
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline_tests.flows.delivery_desk import Desk, row

PEOPLE = [row(str(number), f"Ada Winterbourne {number}", f"ada{number}@example.org") for number in range(11)]
REFUSED = row("99", name=None)
LATER = [*(row(str(number), f"Ada Oakley {number}") for number in range(1, 8)), REFUSED, *PEOPLE[8:]]  # 0 is gone
BY_RUN = {"delivery_id", "run_id", "quarantine_id", "row_sealed", "payload_sealed", "finding_id"}


def stored(desk):
    """Return what every table and the index hold, without moments, ids of runs and what is sealed."""
    snapshot = desk.lake.snapshot()
    tables = {name: snapshot.read(name) for name in CONTRACTS}
    index = {name: snapshot.read_index(name) for name in ("tokens", "claims")}
    # a value that two portions have is in both, as it is where two deliveries have it
    index["neighbourhoods"] = snapshot.read_index("neighbourhoods").unique()
    return {name: comparable(frame) for name, frame in {**tables, **index}.items()}


def comparable(frame):
    of_run = [name for name in frame.columns if name in BY_RUN or name.endswith("_at")]
    return sorted(map(repr, frame.drop(of_run).rows()))


def key_files(desk):
    return {path.name for path in (desk.lake.root / "keys").iterdir()}


@pytest.fixture
def choosy(desk):
    """Return a desk that refuses rows without a name, and keeps out a delivery that is mostly of such."""
    desk.redefine("full_name", is_required=True)
    desk.contract = replace(desk.contract, max_refused_share=0.5)
    return desk


@pytest.fixture
def in_portions(monkeypatch):
    """Return what makes portions of some three rows, out of batches of two."""

    def begin():
        for module in (survey, examine):
            monkeypatch.setattr(module, "BATCH_ROWS", 2)
        monkeypatch.setattr(admitted, "_PORTION_ROWS", 3)

    return begin


def test_what_is_stored_in_portions_is_what_is_stored_at_once(choosy, tmp_path, in_portions):
    whole, parts = (Desk(tmp_path / name, choosy.keyring, choosy.contract) for name in ("whole", "parts"))
    expected = [whole.deliver(*PEOPLE, REFUSED), whole.deliver(*LATER)]
    in_portions()
    told = [parts.deliver(*PEOPLE, REFUSED), parts.deliver(*LATER)]
    assert [replace(one, delivery_id="") for one in told] == [replace(one, delivery_id="") for one in expected]
    assert [(one.new_count, one.changed_count, one.deleted_count, one.refused_count) for one in told] == [
        (11, 0, 0, 1),
        (0, 7, 1, 1),
    ]
    assert stored(parts) == stored(whole)
    assert len(parts.payloads()) == 11 + 7, "each version of each record opens"
    assert parts.names() == whole.names()


def test_nothing_counts_of_portions_of_a_delivery_that_the_gate_keeps_out(choosy, in_portions):
    in_portions()
    choosy.deliver(*PEOPLE)
    before, files = stored(choosy), key_files(choosy)
    nameless = [row(str(number), name=None) for number in range(200, 240)]
    kept_out = choosy.deliver(*(row(str(number), f"Otto Keating {number}") for number in range(11)), *nameless)
    assert kept_out.refusal is not None
    assert stored(choosy) == before
    assert key_files(choosy) == files, "what was written is swept"
    assert choosy.deliver(*LATER).refusal is None
    assert len(choosy.current()) == 10


def test_files_that_change_while_portions_are_stored_leave_nothing(choosy, in_portions, monkeypatch):
    in_portions()
    choosy.deliver(*PEOPLE)
    before = stored(choosy)
    seen = iter(["first"])
    with monkeypatch.context() as patch:
        patch.setattr(SourceFiles, "fingerprint", lambda _: next(seen, "another"))
        with pytest.raises(SourceUnreadable, match="the files changed while they were read"):
            choosy.deliver(*LATER)
    assert stored(choosy) == before
    assert choosy.deliver(*LATER).changed_count == 7


def test_of_a_generation_that_is_being_built_every_portion_is_kept(choosy, in_portions, monkeypatch):
    in_portions()
    choosy.deliver(PEOPLE[0])
    (current,) = generations_to_write(choosy.lake.snapshot(), choosy.keyring.airlock_keys())
    following = Generation.named(current)._replace(rules="another").name
    monkeypatch.setattr("custview_pipeline.flows.deliver.generations_to_write", lambda *_: (current, following))
    choosy.deliver(*PEOPLE)
    assert len(choosy.tokenised()) == 11
    assert len(choosy.tokenised(following)) == 10, "what came before is brought up to date by another"
