"""Commands about keys, reveals and erasures: nothing personal and no key in what they print, deny, log, keep or back up."""

import csv
import io
import re
import shutil
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline_tests.canaries import Planter, open_keyring, root_key, secrets_of
from custview_pipeline_tests.planted import Search
from custview_pipeline_tests.worlds import Outcome, SourceSpec, World, make_world, people

PASSPHRASE: Final = "seven pale owls count rain"
KEPT: Final = ("root.key", "keyring.json", "erasures.jsonl", "access_anchor.json", "backups.json")
POLICY: Final = """\
roles:
  shop_floor: {attributes: {all: masked}, purposes: [service]}
  auditor: {attributes: {all: full}, purposes: [audit]}
users:
  bob: [shop_floor]
  ada: [auditor]
"""
AS_BOB: Final = ("--as", "bob", "--purpose", "service", "--reason", "ticket 4711")
AS_EVE: Final = ("--as", "eve", "--purpose", "service", "--reason", "ticket 4711")


class Told(NamedTuple):
    """What commands said of a world with planted values, and its backups.

    Attributes:
        revealed: What was said to the one who may see everything; the proof that there was something to see.
    """

    world: World
    planter: Planter
    said: dict[str, Outcome]
    revealed: Outcome

    def pieces(self) -> list[tuple[str, bytes]]:
        """Return what was said, as the search takes it."""
        return [(f"said: {name}", f"{said.out}{said.err}".encode()) for name, said in self.said.items()]


def customers_of(world: World) -> list[str]:
    """Return the customers of the planted records."""
    rows = csv.DictReader(io.StringIO(world.export("crosswalk").decode()))
    return sorted({row["cuid"] for row in rows if row["source_key"].startswith("crm-9")})


def look(world: World, cuid: str) -> dict[str, Outcome]:
    """Ask for values as those who may not see them, or masked only, and look at how keys and log stand."""
    fields = [part for name in GOLDEN_ATTRIBUTES for part in ("--field", name)]
    inside = ("--project", world.directory)
    rows = csv.DictReader(io.StringIO(world.export("crosswalk").decode()))
    records = (next(f"crm:{row['source_key']}" for row in rows if row["cuid"] == cuid), "crm:crm-00001")
    number = re.search(r"^([0-9a-f]{16}) ", world.run("quarantine", "list", *inside).out, re.MULTILINE)
    assert number
    commands = {
        "reveal masked": ("reveal", cuid, *fields, *AS_BOB),
        "reveal masked json": ("reveal", cuid, *fields, "--json", *AS_BOB),
        "reveal denied": ("reveal", cuid, *fields, *AS_EVE),
        "show denied": ("show", cuid, "--reveal", *AS_EVE),
        "show denied who sees masks only": ("show", cuid, "--reveal", *AS_BOB),
        "export denied": ("export", "golden", "--reveal", "--output", world.root / "exports" / "denied.csv", *AS_BOB),
        "refused row denied": ("quarantine", "show", number[1], "--reveal", *AS_BOB),
        "explain a customer": ("explain", cuid),
        "explain a customer json": ("explain", cuid, "--json"),
        "explain records": ("explain", *records),
        "explain records json": ("explain", *records, "--json"),
        "explain records denied": ("explain", *records, "--reveal", *AS_EVE),
        "explain denied who is not there": ("explain", "crm:Canary", "Canary"),
        "model list": ("model", "list", "--json"),
        "model show": ("model", "show"),
        "model show json": ("model", "show", "--json"),
        "model train": ("model", "train"),
        "model export": ("model", "export", world.root / "exports" / "models.json"),
        "model import": ("model", "import", world.root / "exports" / "models.json"),
        "export edges": ("export", "edges", "--output", world.root / "exports" / "edges.csv"),
        "access check": ("access", "check"),
        "access log": ("access", "log"),
        "access log json": ("access", "log", "--json"),
        "access verify": ("access", "verify"),
        "keys status": ("keys", "status"),
        "keys status json": ("keys", "status", "--json"),
        "keys backups": ("keys", "backups"),
    }
    return {name: world.run(*command, *inside) for name, command in commands.items()}


def measure(world: World) -> dict[str, Outcome]:
    """Score the customers by a truth, and ask people about a sample; the truth and the answers lie outside of the world."""
    outside, inside = world.root.parent, ("--project", world.directory)
    keys = list(csv.DictReader(io.StringIO(world.export("crosswalk").decode())))
    lines = [f"{row['source_system']},{row['source_key']},Canary {place}" for place, row in enumerate(keys)]
    truths = {"truth": lines, "no_truth": [*lines, f"{lines[0]} again"]}
    for name, own in truths.items():
        (outside / f"{name}.csv").write_text("\n".join(["source_system,source_key,entity", *own]), encoding="utf-8")
    truth, sheet, answers = outside / "truth.csv", world.root / "exports" / "pairs.csv", outside / "answers.csv"
    said = {
        "evaluate": world.run("evaluate", "--truth", truth, *inside),
        "evaluate json": world.run("evaluate", "--truth", truth, "--json", *inside),
        "evaluate denied for a record in two entities": world.run("evaluate", "--truth", outside / "no_truth.csv", *inside),
        "sample denied": world.run("sample-review", "20", "--out", world.root / "denied.csv", "--reveal", *AS_BOB, *inside),
        "sample": world.run("sample-review", "20", "--out", sheet, *inside),
    }
    rows = list(csv.DictReader(io.StringIO(sheet.read_text(encoding="utf-8"))))
    with answers.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(row | {"answer": "unsure"} for row in rows)
    said["sample answered"] = world.run("sample-review", "--answers", answers, *inside)
    answers.write_text(answers.read_text(encoding="utf-8").replace("unsure", "Canary"), encoding="utf-8")
    return said | {"answers denied for another word": world.run("sample-review", "--answers", answers, *inside)}


def decide(world: World, cuid: str) -> dict[str, Outcome]:
    """Decide, enter a value that is a canary too, try rules, and account for a value."""
    outside, inside = world.root.parent, ("--project", world.directory)
    values = {"name": "Canary Overridden", "bad": "Canary at nowhere"}
    for name, text in values.items():
        (outside / f"{name}.txt").write_text(text, encoding="utf-8")
        (outside / f"{name}.txt").chmod(0o600)
    book = "survivorship: {default: [longest], attributes: {phone: {prefer: [earliest], keep: all}}}"
    (outside / "book.yaml").write_text(book, encoding="utf-8")
    (outside / "no_book.yaml").write_text("survivorship: {default: [no_strategy]}", encoding="utf-8")
    commands = {
        "override": ("review", "decide", "override", cuid, "name", "--value-file", outside / "name.txt"),
        "override denied": ("review", "decide", "override", cuid, "email", "--value-file", outside / "bad.txt"),
        "lock": ("review", "decide", "lock", cuid, "--reason-code", "confirmed_by_customer"),
        "decide denied": ("review", "decide", "lock", "Canary"),
        "decisions": ("review", "decisions", "--json"),
        "run decided": ("run",),
        "show decided": ("show", cuid),
        "receipt": ("receipt", cuid, "name", "--json"),
        "receipt in words": ("receipt", cuid, "name"),
        "diff": ("diff", cuid, "2001-01-01", "2199-12-31"),
        "queue": ("review", "list", "--status", "open", "--json"),
        "rulebook show": ("rulebook", "show"),
        "rulebook effect": ("rulebook", "diff", outside / "book.yaml", "--json"),
        "rulebook denied": ("rulebook", "diff", outside / "no_book.yaml"),
        "evaluate decisions": ("evaluate", "--decisions", "--at-least", "0"),
    }
    said = {name: world.run(*command, *inside) for name, command in commands.items()}
    (world.root / "exports" / "receipt.json").write_text(said["receipt"].out, encoding="utf-8")
    return said | {"receipt verified": world.run("receipt", "--verify", world.root / "exports" / "receipt.json", *inside)}


def erase(world: World, cuid: str, copy: Path) -> dict[str, Outcome]:
    inside = ("--project", world.directory)
    said = {"erase": world.run("erase", cuid, "--reason", "ticket 4712", "--yes", *inside)}
    erasure = re.search(r"erasure ([0-9a-f]{16})", said["erase"].out)
    assert erasure, said
    for form in ((), ("--json",)):
        said[f"erase verify {form}"] = world.run("erase", "--verify", erasure[1], "--copy", copy, *form, *inside)
        said[f"erase list {form}"] = world.run("erase", "--list", *form, *inside)
    said["erased shown"] = world.run("show", cuid, *inside)
    said["erased revealed"] = world.run(
        "reveal", cuid, "--field", "name", "--as", "ada", "--purpose", "audit", "--reason", "x", *inside
    )
    return said


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    root, planter = tmp_path_factory.mktemp("commands"), Planter()
    world = make_world(root / "world", SourceSpec("crm", max_refused_share=0.9))
    planted = [planter.person() | {"ref": f"crm-9{number:04d}"} for number in range(4)]
    world.deliver("crm", [*people(8, of="crm"), *planted, planter.person() | {"ref": None}])
    (world.directory / "access.yaml").write_text(POLICY, encoding="utf-8")
    (root / "passphrase").write_text(PASSPHRASE, encoding="utf-8")
    (root / "passphrase").chmod(0o600)
    said = {"run": world.refresh()}
    first, second, *_ = customers_of(world)
    inside = ("--project", world.directory)
    revealed = world.run(
        "reveal", first, "--field", "name", "--field", "email", "--as", "ada", "--purpose", "audit", "--reason", "x", *inside
    )
    backup = ("keys", "backup", "--output", world.root / "safe.cvkb", "--passphrase-file", root / "passphrase")
    said["keys backup"] = world.run(*backup, *inside)
    said |= look(world, first)
    said |= measure(world)
    said |= decide(world, second)
    shutil.copytree(world.lake, world.root / "copy_of_the_lake")
    said |= erase(world, first, world.root / "copy_of_the_lake")
    for purpose in ("vault", "token", "index", "keytable", "log", "root"):
        said[f"keys rotate {purpose}"] = world.run("keys", "rotate", purpose, *inside)
    said |= {f"{name} again": outcome for name, outcome in look(world, second).items()}
    said["run again"] = world.refresh()
    return Told(world, planter, said, revealed)


def test_the_commands_did_what_they_are_there_for(told):
    codes = {name: outcome.code for name, outcome in told.said.items()}
    refused = {name for name, code in codes.items() if code != 0}
    assert {name for name in refused if "denied" not in name} == {"erased shown", "erased revealed"}, codes
    assert {name for name in codes if "denied" in name} <= refused
    assert "Canary" in told.revealed.out
    assert {path.name for path in told.world.keys.iterdir()} >= set(KEPT)
    assert (told.world.lake / "access_log.jsonl").stat().st_size
    assert (told.world.root / "safe.cvkb").stat().st_size


def test_no_value_is_in_what_they_print_keep_and_back_up(told):
    search = Search.for_texts([*told.planter.texts, "Canary"])
    world, copy = told.world, told.world.root / "copy_of_the_lake"
    assert search.in_folder(world.root, open_keyring(world), leaving_out=[world.directory / "data", copy]) == {}
    assert search.in_folder(copy) == {}
    assert search.in_pieces(told.pieces()) == {}


def test_no_key_and_no_passphrase_is_anywhere_but_where_it_belongs(told):
    search = secrets_of(open_keyring(told.world), root_key(told.world))
    assert search.in_folder(told.world.root) | search.in_pieces(told.pieces()) == {"keys/root.key": {"root"}}
    search = Search.for_secrets({"passphrase": PASSPHRASE.encode()})
    assert search.in_folder(told.world.root) | search.in_pieces(told.pieces()) == {}


def test_the_ledger_and_the_certificate_name_no_record(told):
    kept = (told.world.keys / "erasures.jsonl").read_text(encoding="utf-8")
    crosswalk = told.world.export("crosswalk").decode()
    assert "crm-9" in crosswalk
    for place, text in {"ledger": kept, **{name: said.out for name, said in told.said.items() if "verify" in name}}.items():
        assert "crm-9" not in text, place
