"""No readable personal value, and no key, in anything that a run writes, prints or hands to its processes."""

import io
import re
from collections.abc import Iterator

import polars as pl
import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.contracts.match_index import VALUE_PARTS, IndexPart
from custview_pipeline_tests.canaries import (
    KEY_IN_ENVIRONMENT,
    SOURCES,
    Story,
    root_key,
    search_everything,
    secrets_of,
    tell,
    text_cells,
)
from custview_pipeline_tests.postgres_servers import Database, start_postgres


def _tables(story: Story) -> DeltaLake:
    return DeltaLake(story.world.lake, story.keyring)


def _assert_told_truly(story: Story) -> None:
    """The story must be one in which values could have leaked: rows were taken in and refused, and runs failed."""
    assert story.outcomes["good"].code == 0, story.outcomes["good"]
    snapshot = _tables(story).snapshot()
    stored = snapshot.read("protected_records", ["source_system", "source_key", "payload_sealed"])
    refused = snapshot.read("quarantined_records", ["source_system"])
    for name, (rows, accepted, refused_count) in story.planted.items():
        assert stored.filter(pl.col("source_system") == name).height == len(rows) - refused_count
        assert refused.filter(pl.col("source_system") == name).height == refused_count
        assert accepted
    looks = [outcome for name, outcome in story.outcomes.items() if name.startswith(("export", "show CU"))]
    assert len(looks) >= 12 + 2 * len(SOURCES)
    assert all(outcome.code == 0 for outcome in looks), looks
    assert story.outcomes["show a name"].code == 2
    shown = [outcome for name, outcome in story.outcomes.items() if re.match(r"quarantine show [0-9a-f]{16}", name)]
    assert [outcome.code for outcome in shown] == [0] * sum(planted.refused for planted in story.planted.values())
    assert "0 released" in story.outcomes["quarantine release"].out
    for name in SOURCES:
        assert "refused: " in story.outcomes[f"validate good {name.name}"].out
        assert story.outcomes[f"init good {name.name}"].code == 0, story.outcomes[f"init good {name.name}"]
        assert story.outcomes[f"validate damaged {name.name}"].code == 1
    assert story.outcomes["damaged"].code == 1
    assert story.outcomes["damaged"].err.count("failed ") == len(SOURCES)
    assert story.outcomes["library"].code == 1
    assert story.outcomes["library"].err.count("ValueError") == len(SOURCES)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return tell(tmp_path_factory.mktemp("airlock"))


def test_rows_were_taken_in_and_refused_and_runs_failed(story):
    _assert_told_truly(story)


def test_no_planted_value_is_found_anywhere(story):
    assert search_everything(story, story.search) == {}


def test_no_key_is_found_outside_of_the_key_directory(story):
    search = secrets_of(story.keyring, root_key(story.world))
    found = search_everything(story, search)
    assert found == {"keys/root.key": {"root"}}


def test_the_index_holds_tokens_and_open_values_only(story):
    snapshot = _tables(story).snapshot()
    for part in (IndexPart.TOKENS, *VALUE_PARTS):
        texts = snapshot.read_index(part).select(pl.col(pl.String))
        assert set(texts.columns) <= {"generation"}
        assert all(texts[name].n_unique() == 1 for name in texts.columns)
    claims = snapshot.read_index(IndexPart.CLAIMS)
    assert [name for name, dtype in claims.schema.items() if dtype == pl.String] == ["attribute", "open_value"]
    opened = claims.drop_nulls("open_value")
    assert set(opened["attribute"]) == {"country", "consent", "industry_code"}
    assert set(opened["open_value"]) == {"US", "granted", "541511"}


def test_a_personal_key_is_stored_and_exported_as_a_token(story):
    crosswalk = pl.read_csv(io.BytesIO((story.world.root / "exports/crosswalk.csv").read_bytes()), infer_schema=False)
    keys = crosswalk.filter(pl.col("source_system") == "desk")["source_key"]
    assert keys.len() == len(story.planted["desk"].rows) - story.planted["desk"].refused
    assert keys.str.contains(r"^-?[0-9A-Za-z]{8,}$").all()
    assert keys.is_unique().all()


def test_what_is_no_value_of_an_open_attribute_is_masked(story):
    golden = pl.read_csv(io.BytesIO((story.world.root / "exports/golden.csv").read_bytes()), infer_schema=False)
    for attribute in ("country", "consent", "industry_code"):
        masked = golden.filter(pl.col(attribute).str.contains("***", literal=True))
        assert masked.height > 0, attribute


@pytest.fixture(scope="module")
def large_story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Return a story in which worker processes do the work and the root key comes from the environment."""
    processes = {"CUSTVIEW_WORKERS": "2", "CUSTVIEW_ROWS_FOR_WORKERS": "400"}
    return tell(tmp_path_factory.mktemp("large_airlock"), filling=500, **processes, **KEY_IN_ENVIRONMENT)


@pytest.mark.slow
def test_nothing_is_found_where_worker_processes_did_the_work(large_story):
    _assert_told_truly(large_story)
    assert any(b"spawn_main" in said for said in large_story.watchers[0].processes.values())
    assert search_everything(large_story, large_story.search) == {}


@pytest.mark.slow
def test_no_worker_process_is_given_a_key_by_argument_or_environment(large_story):
    search = secrets_of(large_story.keyring, root_key(large_story.world, **KEY_IN_ENVIRONMENT))
    assert search_everything(large_story, search) == {}
    assert not any(b"CUSTVIEW_ROOT_KEY" in said for said in large_story.watchers[0].processes.values())


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with start_postgres(tmp_path_factory.mktemp("runtime"), tmp_path_factory.mktemp("postgres") / "data") as started:
        yield started


@pytest.mark.slow
def test_nothing_is_found_in_postgresql_where_dagster_keeps_its_runs_there(database, tmp_path_factory):
    url, folder = database
    story = tell(tmp_path_factory.mktemp("postgres_airlock"), CUSTVIEW_POSTGRES_URL=url)
    _assert_told_truly(story)
    cells = list(text_cells(url))
    assert sum("admit_crm" in cell for cell in cells) > 1, "Dagster keeps its runs elsewhere"
    assert not list(story.world.directory.rglob("runs.db"))
    for search in (story.search, secrets_of(story.keyring, root_key(story.world))):
        assert search.in_text("\n".join(cells)) == set()
        assert search.in_folder(folder) == {}
    assert search_everything(story, story.search) == {}
    assert not any(url.encode() in said for watcher in story.watchers for said in watcher.processes.values())
