"""``custview review export`` and ``import``: a pack written, its decisions taken in, all of them or none."""

import base64
import hashlib
import json
import re
import shutil
from datetime import UTC, datetime

import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.cli.pack_page import WHY_SHOWN
from custview_pipeline.contracts.matching_tables import REVIEW_TASKS
from custview_pipeline_tests.canaries import Planter, open_keyring
from custview_pipeline_tests.decision_files import FIRST_LINE, answer, file_text
from custview_pipeline_tests.planted import Search
from custview_pipeline_tests.steward_packs import asking_world, export, review
from custview_pipeline_tests.worlds import World


@pytest.fixture(scope="module")
def planter():
    return Planter()


@pytest.fixture(scope="module")
def base(tmp_path_factory, planter):
    """Return a world in which every personal value is marked."""
    rows = [planter.person() | {"ref": f"crm-{number:05d}"} for number in range(6)]
    return asking_world(tmp_path_factory.mktemp("asking") / "world", rows)


@pytest.fixture
def asking(base, tmp_path):
    """Return a copy of the world to go on with."""
    shutil.copytree(base.root, tmp_path / "world")
    return World(tmp_path / "world", base.sources)


@pytest.fixture
def pack(asking, tmp_path):
    """Return the pack as other programs see it."""
    export(asking, tmp_path / "pack.json", "--format", "json")
    return json.loads((tmp_path / "pack.json").read_text(encoding="utf-8"))


def now():
    return datetime.now(UTC)


def hand_in(world, path, pack, *decisions, options=()):
    path.write_text(file_text(pack["pack"], pack["seal"], decisions), encoding="utf-8")
    return review(world, "import", path, *options)


def answers(pack, *words):
    return [answer(item["item_id"], word, now()) for item, word in zip(pack["items"], words, strict=False)]


def owners(world):
    rows = [line.split(",") for line in world.export("crosswalk").decode().splitlines()[1:]]
    return {(source, key): cuid for source, key, cuid in rows}


def keys_of(item):
    return [(item[side]["source_system"], item[side]["source_key"]) for side in ("left", "right")]


def hash_of(parts):
    (part,) = parts
    return f"sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}"


def test_a_page_is_private_masked_and_loads_nothing(asking, tmp_path):
    path = tmp_path / "pack.html"
    pack_id = export(asking, path)
    page = path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o077 == 0
    assert pack_id in page
    (policy,) = re.findall('http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    hashes = [hash_of(re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)) for tag in ("style", "script")]
    said = "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'"
    assert policy == said.format(*hashes)
    assert not re.findall(r"""(?:src|href)=["'](?!#)""", page)
    assert not re.findall(r"https?://|url\(|@import|\bstyle=", page)


def test_a_pack_for_programs_says_how_both_records_compare(pack):
    item = pack["items"][0]
    fields = {field["attribute"]: field for field in item["fields"]}
    assert fields["name"]["agreement"] == "same"
    assert fields["email"]["agreement"] == "one_sided"
    assert fields["address"]["agreement_words"] == "similar"
    assert item["total"].startswith("+")
    assert item["why_shown"]


def test_no_value_is_in_what_is_written_printed_or_refused(asking, tmp_path, planter, pack):
    texts = [*planter.texts, "Canary"]
    for form in ("html", "json"):
        export(asking, asking.root / "exports" / f"pack.{form}", "--format", form)
        export(asking, asking.root / "exports" / f"blind.{form}", "--format", form, "--blind")
    assert "C***" in (asking.root / "exports" / "pack.html").read_text(encoding="utf-8")
    good = answers(pack, "match")[0]
    changes = [
        *({name: "Canary"} for name in good if name != "note"),
        {"Canary": 1},
        {"item_id": "M0000000000", "note": "Canary"},
    ]
    said = [hand_in(asking, tmp_path / "d.json", pack, good | change) for change in changes]
    assert [outcome.code for outcome in said] == [2] * len(changes)
    search = Search.for_texts(texts)
    # A key that is written where none belongs is named, as in every file that people write.
    assert search.in_text("".join(outcome.out + outcome.err.replace("'decisions.0.Canary'", "") for outcome in said)) == set()
    assert search.in_folder(asking.root, open_keyring(asking), leaving_out=[asking.directory / "data"]) == {}


def test_a_blind_pack_tells_nothing_of_what_matching_thinks(asking, tmp_path):
    for name, form in (("blind.html", "html"), ("blind.json", "json")):
        export(asking, tmp_path / name, "--blind", "--format", form)
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert not [
            word for word in ("bits</h3>", '"total"', '"bits"', "robability", "MATCH ", "POSSIBLE", "CU ") if word in text
        ]
    ids = [item["item_id"] for item in json.loads((tmp_path / "blind.json").read_text(encoding="utf-8"))["items"]]
    assert ids == sorted(ids, key=lambda item_id: item_id[1:])


def test_a_limit_and_an_assignment_choose(asking, tmp_path, pack):
    assert export(asking, tmp_path / "two.json", "--format", "json", "--limit", "2")
    assert len(json.loads((tmp_path / "two.json").read_text(encoding="utf-8"))["items"]) == 2
    mine = pack["items"][3]["item_id"]
    assert review(asking, "assign", mine, "--to", "ada").code == 0
    export(asking, tmp_path / "mine.json", "--format", "json", "--assigned-to", "ada")
    assert [item["item_id"] for item in json.loads((tmp_path / "mine.json").read_text(encoding="utf-8"))["items"]] == [mine]


def test_where_nothing_waits_no_file_is_written(asking, tmp_path):
    outcome = review(asking, "export", "--output", tmp_path / "none.html", "--assigned-to", "nobody")
    assert (outcome.code, outcome.err) == (1, "error there is no pair to decide: the review queue has none of this kind\n")
    assert not (tmp_path / "none.html").exists()


@pytest.mark.slow
def test_decisions_are_kept_and_the_next_run_links_by_them(asking, tmp_path, pack):
    outcome = hand_in(asking, tmp_path / "d.json", pack, *answers(pack, "match", "not_a_match", "unsure"))
    assert outcome.code == 0, outcome
    left = len(pack["items"]) - 3
    assert outcome.out == (
        f"pack {pack['pack']['pack_id']}: kept 3 decisions (1 match, 1 not a match, 1 unsure)\n"
        f"  {left} of the pack are not decided yet\n"
    )
    assert outcome.err == "custview run links by them\n"
    assert asking.refresh().code == 0
    known = owners(asking)
    one, other = ([known[key] for key in keys_of(item)] for item in pack["items"][:2])
    assert one[0] == one[1]
    assert other[0] != other[1]


def test_the_same_file_again_changes_nothing(asking, tmp_path, pack):
    decisions = answers(pack, "match")
    assert hand_in(asking, tmp_path / "d.json", pack, *decisions).code == 0
    outcome = hand_in(asking, tmp_path / "d.json", pack, *decisions)
    assert outcome.code == 0
    assert "nothing new to keep\n  1 were kept before" in outcome.out


def test_another_reason_for_what_was_kept_before_is_told_and_the_first_one_stays(asking, tmp_path, pack):
    first = answers(pack, "match", "match")
    assert hand_in(asking, tmp_path / "d.json", pack, *first).code == 0
    mended = [first[0] | {"note": "twins"}, first[1] | {"reason_code": None}]
    outcome = hand_in(asking, tmp_path / "d.json", pack, *mended)
    assert "  2 were kept before\n  1 of these give another reason now, and the first one stays" in outcome.out


def test_what_waits_is_contradicted_at_once_and_what_was_withdrawn_meanwhile_is_not(asking, tmp_path, pack):
    match, other = answers(pack, "match")[0], answers(pack, "not_a_match")[0]
    with DeltaLake(asking.lake, open_keyring(asking)).writer():
        assert hand_in(asking, tmp_path / "d.json", pack, match).code == 0
        outcome = hand_in(asking, tmp_path / "d.json", pack, other)
        assert (outcome.code, "contradicts the standing decision" in outcome.err) == (2, True)
        (waiting,) = json.loads(review(asking, "decisions", "--json").out)["decisions"]
        assert review(asking, "withdraw", waiting["decision_id"]).code == 0
        assert hand_in(asking, tmp_path / "d.json", pack, other).code == 0
    assert "1 were kept before" in hand_in(asking, tmp_path / "d.json", pack, other).out
    (kept,) = json.loads(review(asking, "decisions", "--json").out)["decisions"]
    assert kept["decision"] == "not_a_match"


def test_a_run_that_holds_the_lake_is_not_waited_for(asking, tmp_path, pack):
    decisions = answers(pack, "match")
    with DeltaLake(asking.lake, open_keyring(asking)).writer():
        outcome = hand_in(asking, tmp_path / "d.json", pack, *decisions)
        again = hand_in(asking, tmp_path / "d.json", pack, *decisions)
    assert (outcome.code, outcome.err) == (0, "a run holds the lake: it takes them in before its next stage\n")
    assert "nothing new to keep" in again.out
    export(asking, tmp_path / "later.json", "--format", "json")
    later = json.loads((tmp_path / "later.json").read_text(encoding="utf-8"))
    assert len(later["items"]) == len(pack["items"]) - 1
    assert "1 were kept before" in hand_in(asking, tmp_path / "d.json", pack, *decisions).out


def test_a_file_with_one_bad_line_is_refused_whole(asking, tmp_path, pack):
    bad = answer("M0000000000", "match", now())
    outcome = hand_in(asking, tmp_path / "d.json", pack, *answers(pack, "match"), bad)
    assert outcome.code == 2
    assert re.sub(r"\s+", "", f"d.json:{FIRST_LINE + 1}:") in re.sub(r"\s+", "", outcome.err)
    again = tmp_path / "again.json"
    export(asking, again, "--format", "json")
    assert len(json.loads(again.read_text(encoding="utf-8"))["items"]) == len(pack["items"])


def test_answers_about_an_erased_record_are_left_out_when_asked_and_the_others_count(asking, tmp_path, pack):
    source, key = keys_of(pack["items"][0])[0]
    erased = asking.run("erase", "--record", f"{source}:{key}", "--reason", "asked", "--yes", "--project", asking.directory)
    assert erased.code == 0, erased
    decisions = answers(pack, "match", "match")
    assert "the records of this item" in hand_in(asking, tmp_path / "d.json", pack, *decisions).err
    outcome = hand_in(asking, tmp_path / "d.json", pack, *decisions, options=["--skip-stale"])
    assert outcome.code == 0, outcome
    assert "kept 1 decision (1 match)\n  1 left out" in outcome.out


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"[" * 5_000, b"x" * 5_000_001], ids=["bytes", "empty", "deep", "large"])
def test_what_is_no_decision_file_is_refused(asking, tmp_path, content):
    (tmp_path / "d.json").write_bytes(content)
    outcome = review(asking, "import", tmp_path / "d.json")
    assert outcome.code == 2, outcome
    assert "d.json" in outcome.err


def test_every_reason_for_which_a_pair_is_asked_about_has_words():
    (kinds,) = (check.statistics["allowed_values"] for check in REVIEW_TASKS.schema.columns["kind"].checks)
    assert set(WHY_SHOWN) == set(kinds)
