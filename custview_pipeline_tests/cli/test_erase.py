"""``custview erase``: asked for, carried out or queued, listed, proven; and what a backup of lake or keys can still show."""

import json
import re
import shutil
import threading
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.cli import erase as command
from custview_pipeline.flows.erasure_request import Stated, ask_for, choose_customer
from custview_pipeline.flows.export import export_golden
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.interrupted import open_keys
from custview_pipeline_tests.worlds import World, people

PASSPHRASE = "correct horse battery staple"
BOTH = 10  # the first person that both sources know


@pytest.fixture
def own(world, tmp_path) -> World:
    """Return a copy of the project that ran once, keys and all, to go on with."""
    shutil.copytree(world.root, tmp_path / "world")
    return World(tmp_path / "world", world.sources)


def erase(world, *arguments, **environment):
    return world.run("erase", *arguments, "--project", world.directory, **environment)


def ledger(world):
    return json.loads(erase(world, "--list", "--json").out)


def customers(world):
    """Return the customer of each source key."""
    rows = [line.split(",") for line in world.export("crosswalk").decode().splitlines()[1:]]
    return {(source, key): cuid for source, key, cuid in rows}


def names(world, lake=None, keys=None):
    """Return the names that can be read of all customers."""
    keyring = open_keys(keys or world.keys)
    golden = export_golden(DeltaLake(lake or world.lake, keyring).snapshot(), keyring, in_full={"name"})
    return set(golden["name"].drop_nulls())


def test_a_customer_is_erased_and_the_erasure_is_proven(own, cuid):
    outcome = erase(own, cuid, "--reason", "request of 2026-03-01", "--legal-basis", "GDPR Art. 17(1)(b)")
    assert outcome.code == 0, outcome
    first, second, *rows = outcome.out.splitlines()
    assert re.fullmatch(r"erasure [0-9a-f]{16}: 2 source records", first)
    erasure_id = first.split()[1].removesuffix(":")
    assert second == "carried out 1 erasure: 2 records, 1 customer ended"
    assert "  protected_records: 2 rows erased or cleared" in rows
    assert f"next: custview erase --verify {erasure_id} proves it" in outcome.err
    assert "next: custview keys backup, for" in outcome.err
    assert "--later" not in outcome.err

    assert cuid not in customers(own).values()
    assert ("crm", f"crm-{BOTH:05d}") not in customers(own)
    shown = own.run("show", cuid, "--project", own.directory)
    assert (shown.code, shown.err) == (1, f"error this customer was erased on {datetime.now(UTC):%Y-%m-%d}\n")

    proof = erase(own, "--verify", erasure_id)
    assert proof.code == 0, proof
    assert proof.out.startswith(f"Certificate of erasure {erasure_id}\n")
    for said in ("GDPR Art. 17(1)(b)", "source records 2", "NOTHING FOUND", "final: no key backup of before is outstanding"):
        assert said in proof.out
    assert re.search(r"^protected_records, every file +\d+ +48 +0 +0 +0$", proof.out, re.MULTILINE)
    assert cuid not in proof.out


def test_the_next_run_does_not_bring_the_customer_back(own, cuid):
    assert erase(own, cuid, "--reason", "r").code == 0
    before = customers(own)
    own.deliver("crm", people(31, of="crm"))
    outcome = own.refresh()

    assert outcome.code == 0, outcome
    assert ("crm", f"crm-{BOTH:05d}") not in customers(own)
    assert set(customers(own)) == {*before, ("crm", "crm-00030")}


def test_one_record_may_be_erased_alone_and_its_customer_goes_on(own, cuid):
    outcome = erase(own, "--record", f"crm:crm-{BOTH:05d}", "--reason", "wrongly merged", "--yes")
    assert outcome.code == 0, outcome
    assert "1 record, 0 customers ended" in outcome.out
    assert customers(own)["shop", f"shop-{BOTH:05d}"] == cuid
    shown = own.run("show", cuid, "--project", own.directory)
    assert shown.out.splitlines()[0].endswith("person, 1 source record")


@pytest.mark.slow
@pytest.mark.thorough
def test_matching_may_be_left_to_the_next_run(own, cuid):
    outcome = erase(own, "--record", f"crm:crm-{BOTH:05d}", "--reason", "r", "--later")
    assert outcome.code == 0
    assert "next: custview run matches and elects anew" in outcome.err
    assert "match_edges" not in outcome.err
    assert own.refresh().code == 0
    assert own.run("show", cuid, "--project", own.directory).code == 0


@pytest.mark.slow
@pytest.mark.thorough
def test_an_erasure_is_queued_while_a_run_is_writing_and_done_by_the_next(own, cuid, monkeypatch):
    monkeypatch.setattr(command, "_PATIENCE_SECONDS", 0.1)
    held, release = threading.Event(), threading.Event()

    def hold():
        with DeltaLake(own.lake, open_keys(own.keys)).writer():
            held.set()
            release.wait(60)

    run = threading.Thread(target=hold)
    run.start()
    try:
        assert held.wait(60)
        outcome = erase(own, cuid, "--reason", "r")
        assert (outcome.code, outcome.err) == (0, "")
        assert "queued: a run is writing the lake" in outcome.out
        (asked,) = ledger(own)
        assert (asked["is_carried_out"], asked["carried_out_at"]) == (False, None)
        assert "not in this lake yet" in erase(own, "--list").out
        proof = erase(own, "--verify", asked["erasure_id"])
        assert proof.code == 1
        assert "NOT ERASED" in proof.out
        assert cuid in customers(own).values()
    finally:
        release.set()
        run.join()

    assert own.refresh().code == 0
    assert cuid not in customers(own).values()
    assert erase(own, "--verify", asked["erasure_id"]).code == 0


def test_a_queued_erasure_is_carried_out_by_the_next_command_that_writes(own, cuid):
    keyring = open_keys(own.keys)
    id_key, chosen = keyring.current(Purpose.ID)[1], choose_customer(DeltaLake(own.lake, keyring).snapshot(), cuid)
    ErasureLedger(own.keys).append(ask_for(chosen, id_key, Stated("ada", "r", None), now=datetime.now(UTC)))
    assert own.run("quarantine", "release", "--project", own.directory).code == 0

    assert cuid not in customers(own).values()
    assert ledger(own)[0]["run_id"].startswith("release-")
    assert "nothing to carry out" in erase(own, "--replay").out


def test_the_list_tells_who_asked_when_and_why(own, cuid):
    assert erase(own, "--list").out == "nothing was ever asked to be erased\n"
    assert erase(own, cuid, "--reason", "a \x1b[31mreason[/]", "--later").code == 0
    (asked,) = ledger(own)
    asked_for = {"erasure_id", "requested_at", "who", "reason", "legal_basis", "record_count"}
    assert set(asked) == asked_for | {"is_carried_out", "carried_out_at", "run_id"}
    assert (asked["record_count"], asked["is_carried_out"], asked["legal_basis"]) == (2, True, None)
    listed = erase(own, "--list").out
    assert asked["erasure_id"] in listed
    assert "a \\u001b[31mreason[/]" in listed


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "say what to do, and one thing"),
        (["{cuid}", "--list"], 2, "say what to do, and one thing"),
        (["--list", "--replay"], 2, "say what to do, and one thing"),
        (["{cuid}", "--record", "crm:1", "--reason", "r"], 2, "a CUID or records, not both"),
        (["{cuid}"], 2, "an erasure needs --reason TEXT"),
        (["{cuid}", "--reason", "  "], 2, "an erasure needs --reason TEXT"),
        (["Wilhelmina", "--reason", "r"], 2, "not a CUID"),
        (["--record", "Wilhelmina", "--reason", "r"], 2, "--record takes SOURCE:KEY"),
        (["--record", "crm:Wilhelmina", "--reason", "r"], 1, "no record that was named in place 1"),
        (["--verify", "0123456789abcdef"], 2, "the ledger has no erasure of this id"),
        (["{cuid}", "--reason", "r", "--copy", "."], 2, "--copy goes with --verify only"),
        (["--list", "--copy", "."], 2, "--copy goes with --verify only"),
        (["--list", "--later"], 2, "--later goes with a CUID or --record and --replay only"),
        (["--list", "--yes"], 2, "--yes goes with a CUID or --record only"),
        (["--replay", "--json"], 2, "--json goes with --verify and --list only"),
        (["--verify", "0123456789abcdef", "--reason", "r"], 2, "--reason goes with a CUID or --record only"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(world, cuid, arguments, code, said):
    outcome = erase(world, *(argument.format(cuid=cuid) for argument in arguments))
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (code, "", 1)
    assert said in outcome.err
    assert "Wilhelmina" not in outcome.err
    assert not (world.keys / "erasures.jsonl").exists()


def test_a_copy_that_is_none_is_wrong_use(own, cuid, tmp_path):
    erase(own, cuid, "--reason", "r", "--later")
    outcome = erase(own, "--verify", ledger(own)[0]["erasure_id"], "--copy", tmp_path)
    assert (outcome.code, outcome.err) == (2, f"error no lake in {tmp_path}\n")


@pytest.mark.parametrize("answer", [True, False])
def test_on_a_terminal_it_is_asked_whether_to_go_on(own, cuid, monkeypatch, answer):
    asked = []
    monkeypatch.setattr(command, "_is_terminal", lambda: True)
    monkeypatch.setattr(command.typer, "confirm", lambda text: asked.append(text) or answer)
    outcome = erase(own, cuid, "--reason", "r", "--later")

    assert asked == ["erase 2 source records for good?"]
    assert outcome.code == (0 if answer else 1)
    assert ("nothing was erased" in outcome.out) != answer
    assert (own.keys / "erasures.jsonl").exists() == answer
    asked.clear()
    assert erase(own, "--record", "crm:crm-00001", "--reason", "r", "--later", "--yes").code == 0
    assert asked == []


def test_it_is_asked_again_where_the_customer_has_other_records_by_then(own, cuid, monkeypatch):
    keyring = open_keys(own.keys)
    chosen = choose_customer(DeltaLake(own.lake, keyring).snapshot(), cuid)
    fewer, asked = chosen._replace(record_ids=chosen.record_ids.head(1)), []
    choices = iter([fewer, chosen, chosen])
    monkeypatch.setattr(command, "_is_terminal", lambda: True)
    monkeypatch.setattr(command, "_choose", lambda *_: next(choices))
    monkeypatch.setattr(command.typer, "confirm", lambda text: asked.append(text) or True)
    outcome = erase(own, cuid, "--reason", "r", "--later")

    assert asked == ["erase 1 source record for good?", "erase 2 source records for good?"]
    assert "other records are concerned: it was 1 source record, and is 2 source records now" in outcome.out
    assert ledger(own)[0]["record_count"] == 2


def test_an_erasure_that_the_run_carried_out_while_it_was_waited_for_is_told_and_matched_anew(own, cuid, monkeypatch):
    original = command.carry_out_pending

    def by_the_run_first(writer, *arguments, run_id):
        assert original(writer, *arguments, run_id="run-of-before")
        return original(writer, *arguments, run_id=run_id)

    monkeypatch.setattr(command, "carry_out_pending", by_the_run_first)
    matched, renewed = [], command._cluster_anew  # noqa: SLF001 -- that it is done is what is tested
    monkeypatch.setattr(command, "_cluster_anew", lambda *arguments: matched.append(1) or renewed(*arguments))
    outcome = erase(own, cuid, "--reason", "r")

    assert outcome.code == 0, outcome
    assert "carried out by the run that was writing" in outcome.out
    assert "nothing to carry out" not in outcome.out
    assert f"next: custview erase --verify {ledger(own)[0]['erasure_id']} proves it" in outcome.err
    assert matched == [1]


def test_a_customer_that_goes_on_is_told_and_fails_the_proof(own, cuid):
    assert erase(own, cuid, "--reason", ":smile:", "--later").code == 0
    (asked,) = ledger(own)
    assert asked["reason"] == ":smile:"
    lake = DeltaLake(own.lake, open_keys(own.keys))
    row = lake.snapshot().read("crosswalk").head(1)
    with lake.writer() as writer, writer.commit("later") as commit:
        commit.append("crosswalk", row.with_columns(pl.lit(77, pl.Int64).alias("record_id"), pl.lit(cuid).alias("cuid")))
    proof = erase(own, "--verify", asked["erasure_id"])

    assert proof.code == 1
    assert "NOT ERASED: the customer goes on with 1 record that came after the request: erase it again" in proof.out


def test_a_copy_that_cannot_be_read_fails_the_proof(own, cuid, tmp_path):
    shutil.copytree(own.lake, tmp_path / "copy")
    assert erase(own, cuid, "--reason", "r", "--later").code == 0
    for path in (tmp_path / "copy/tables/protected_records").glob("*.parquet"):
        path.write_bytes(path.read_bytes()[:100])
    proof = erase(own, "--verify", ledger(own)[0]["erasure_id"], "--copy", tmp_path / "copy")

    assert proof.code == 1
    assert "of it could not be searched, so it proves nothing" in proof.out


def test_a_lake_of_before_is_unreadable_with_keys_of_now_and_readable_with_a_key_backup_until_that_is_destroyed(own, cuid):
    secret = own.root / "passphrase"
    secret.write_text(PASSPHRASE + "\n", encoding="utf-8")
    secret.chmod(0o600)
    backup, copy = own.root / "keys.cvkb", own.root / "copy"
    made = own.run("keys", "backup", "-o", backup, "--passphrase-file", secret, "--project", own.directory)
    assert made.code == 0, made
    shutil.copytree(own.lake, copy)
    person = "Paula Abernathy"  # person 10 of worlds.people
    assert person in names(own)

    assert erase(own, cuid, "--reason", "r").code == 0
    erasure_id = ledger(own)[0]["erasure_id"]
    assert person not in names(own)
    assert person not in names(own, lake=copy)
    expiry = datetime.now(UTC) + timedelta(days=30)
    proof = erase(own, "--verify", erasure_id, "--copy", copy)
    assert proof.code == 0, proof
    assert f"copy {copy}: 2 sealed rows of the records, 0 of them opened with the keys of now" in proof.out
    assert "key backup 1 of " in proof.out
    assert f"final on {expiry:%Y-%m-%d}, provided that these backups are destroyed by then" in proof.out

    other = {"CUSTVIEW_KEYS": str(own.root / "other_keys")}
    restored = own.run("keys", "restore", backup, "--passphrase-file", secret, "--project", own.directory, **other)
    assert (own.root / "other_keys" / "keyring.json").exists(), restored
    assert person in names(own, lake=copy, keys=own.root / "other_keys")

    assert own.run("keys", "destroyed", "1", "--file", backup, "--project", own.directory).code == 0
    told = json.loads(erase(own, "--verify", erasure_id, "--json").out)
    assert (told["is_proven"], told["is_final"], told["final_at"], told["key_backups_outstanding"]) == (True, True, None, [])


def test_a_lake_and_its_keys_that_are_restored_erase_again_at_the_first_command_that_writes(own, cuid):
    secret = own.root / "passphrase"
    secret.write_text(PASSPHRASE + "\n", encoding="utf-8")
    secret.chmod(0o600)
    backup, copy = own.root / "keys.cvkb", own.root / "copy"
    assert own.run("keys", "backup", "-o", backup, "--passphrase-file", secret, "--project", own.directory).code == 0
    shutil.copytree(own.lake, copy)
    everybody = names(own)
    assert erase(own, cuid, "--reason", "r", "--later").code == 0

    shutil.rmtree(own.lake)
    shutil.copytree(copy, own.lake)
    for name in ("keyring.json", "root.key"):
        (own.keys / name).unlink()
    assert own.run("keys", "restore", backup, "--passphrase-file", secret, "--project", own.directory).code == 0
    (asked,) = ledger(own)
    assert (asked["is_carried_out"], asked["carried_out_at"] is not None) == (False, True)
    assert "not in this lake yet" in erase(own, "--list").out
    replayed = erase(own, "--replay")

    assert replayed.code == 0, replayed
    assert "2 records, 1 customer ended" in replayed.out
    assert everybody - names(own) == {"Paula Abernathy"}
    assert erase(own, "--verify", ledger(own)[0]["erasure_id"]).code == 0
