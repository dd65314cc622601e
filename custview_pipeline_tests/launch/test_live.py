"""``custview up``, live: changes good, failing and mended; contracts that come while it runs; what a kill leaves."""

import time

import psutil
import pytest

from custview_pipeline_tests.launch.serving import listening, serving, until
from custview_pipeline_tests.worlds import SourceSpec, make_world, people

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.thorough]

CRM, SHOP = SourceSpec("crm"), SourceSpec("shop", file_format="jsonl")


@pytest.fixture
def world(tmp_path):
    world = make_world(tmp_path, CRM)
    contract = world.contract_file("crm")
    contract.write_text(contract.read_text() + "slaProperties:\n  - {property: frequency, value: 1, unit: d}\n")
    world.deliver("crm", people(30, of="crm"))
    assert world.refresh().code == 0
    return world


def freshness(served):
    """Return what the catalogue says of the last delivery; nothing while it says nothing."""
    node = served.ask(
        '{assetNodeOrError(assetKey: {path: ["crm_delivery"]}) {... on AssetNode {freshnessStatusInfo {freshnessStatus}}}}'
    )
    status = ((node.get("assetNodeOrError") or {}).get("freshnessStatusInfo") or {}).get("freshnessStatus")
    return None if status == "UNKNOWN" else status


def test_a_good_a_failing_and_a_mended_change(world):
    with listening() as hook, serving(world, CUSTVIEW_ALERT_WEBHOOK=hook.url) as served:
        known = served.known()
        world.deliver("crm", people(35, of="crm"))
        (good,) = until("the good change is taken in", lambda: served.ended_since(known))
        assert good["status"] == "SUCCESS"

        world.file("crm").write_text("ref,kind\nWilhelmina Quenneville,person\n")
        known = served.known()
        (failed,) = until("the failing change fails", lambda: served.ended_since(known))
        assert failed["status"] == "FAILURE"
        (alert,) = until("it is told of", lambda: hook.heard)
        assert (alert["project"], alert["what"], alert["stage"]) == ("small-world", "run failed", "admit_crm")
        assert alert["run_id"] == failed["runId"]
        assert "rows.csv" in alert["reason"]
        assert "Wilhelmina" not in str(alert)

        known = served.known()
        world.deliver("crm", people(36, of="crm"))
        (mended,) = until("the mended change is taken in", lambda: served.ended_since(known))
        assert mended["status"] == "SUCCESS"
        assert len(hook.heard) == 1
        assert until("its freshness is judged", lambda: freshness(served)) == "HEALTHY"
    assert world.export("crosswalk").count(b"\n") == 37
    assert "Wilhelmina" not in served.said.read_text()


def test_a_contract_becomes_a_source_when_it_is_valid_and_leaves_the_others_served_while_it_is_not(world):
    added = make_world(world.root / "other", SHOP)
    text = added.contract_file("shop").read_text()
    place = world.directory / "contracts" / "shop.odcs.yaml"
    with serving(world) as served:
        place.write_text(text.replace("attribute: ", "attribute: no_such_") if "attribute: " in text else text[:200])
        until("the error is told", lambda: "not loaded, what was good before is served on" in served.said.read_text())
        assert "contracts/shop.odcs.yaml" in served.said.read_text()
        assert "crm_changed" in served.sensors()
        assert "shop_changed" not in served.sensors()
        known = served.known()
        place.write_text(text)
        until("the source is there", lambda: "shop_changed" in served.sensors())
        (world.directory / "data" / "shop").mkdir()
        added.deliver("shop", people(12, of="shop", first=25))
        added.file("shop").rename(world.directory / "data" / "shop" / "rows.jsonl")
        (run,) = until("its delivery is taken in", lambda: served.ended_since(known))
        assert run["status"] == "SUCCESS"
    assert world.export("crosswalk").count(b"\n") == 43


def test_after_a_kill_in_mid_run_the_next_delivery_is_taken_in_within_a_minute(world):
    with serving(world) as served:
        known = served.known()
        world.deliver("crm", people(2000, of="crm"))
        until("a run is at work", lambda: [run for run in served.runs() if run["status"] == "STARTED"])
        family = served.family()
        served.kill()
        assert psutil.wait_procs(family, timeout=30)[1] == []
    with serving(world) as served:
        began = time.monotonic()
        world.deliver("crm", people(40, of="crm"))
        done = until("a run succeeds", lambda: [run for run in served.ended_since(known) if run["status"] == "SUCCESS"])
        seconds = time.monotonic() - began
        (killed,) = [run for run in served.ended_since(known) if run["status"] == "FAILURE"]
        assert len(done) == 1
    assert seconds < 60, seconds
    assert killed["runId"] != done[0]["runId"]
    assert "failed 1 runs whose process is gone" in served.said.read_text()
    assert world.export("crosswalk").count(b"\n") == 41


def test_a_server_whose_keeper_was_killed_is_ended_by_the_next_one(world):
    with serving(world) as served:
        family = served.family()[1:]
        served.process.kill()
        served.process.wait()
        assert all(process.is_running() for process in family)
    with serving(world) as served:
        known = served.known()
        world.deliver("crm", people(40, of="crm"))
        (run,) = until("its delivery is taken in", lambda: served.ended_since(known))
        assert run["status"] == "SUCCESS"
        assert f"ended {len(family)} processes that an earlier custview up left" in served.said.read_text()
    assert psutil.wait_procs(family, timeout=30)[1] == []
