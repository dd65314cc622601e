"""``custview keys``: how they stand, rotated, backed up, lost, restored, and what is refused."""

import base64
import json
import re
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from custview_pipeline.adapters.key_files import FileKeyProvider
from custview_pipeline.cli.passphrases import passphrase
from custview_pipeline.kernel.errors import KeyUnavailable, ProjectInvalid
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline_tests.interrupted import open_keys
from custview_pipeline_tests.worlds import SourceSpec, World, make_world

PASSPHRASE = "seven pale owls count rain"


@pytest.fixture
def world(world, tmp_path):
    """Return a copy of the project whose job ran once."""
    shutil.copytree(world.root, tmp_path / "world")
    (tmp_path / "world" / "passphrase").write_text(PASSPHRASE + "\n")
    (tmp_path / "world" / "passphrase").chmod(0o600)
    return World(tmp_path / "world", world.sources)


def keys(world, command, *arguments, **environment):
    return world.run("keys", command, *arguments, "--project", world.directory, **environment)


def backup(world, name="safe.cvkb"):
    outcome = keys(world, "backup", "-o", world.root / name, "--passphrase-file", world.root / "passphrase")
    assert outcome.code == 0, outcome
    return world.root / name


def restore(world, path, *options):
    return keys(world, "restore", path, "--passphrase-file", world.root / "passphrase", *options)


def status(world, **environment):
    outcome = keys(world, "status", "--json", **environment)
    assert outcome.code == 0, outcome
    return json.loads(outcome.out)


def versions(world, purpose):
    return [(line["version"], line["state"]) for line in status(world)["keys"] if line["purpose"] == purpose]


def revealed(world):
    """Return the golden values in the clear, as someone with every right sees them."""
    (world.directory / "access.yaml").write_text(
        "roles:\n  auditor: {attributes: {all: full}, purposes: [audit], may_export: true}\nusers:\n  tester: [auditor]\n"
    )
    wanted = ("--reveal", "--reason", "test", "--as", "tester", "--output", world.root / "golden.csv")
    outcome = world.run("export", "golden", "--project", world.directory, *wanted)
    assert outcome.code == 0, outcome
    return (world.root / "golden.csv").read_bytes()


def secrets_of(world):
    """Return every key as it might be printed."""
    keyring = open_keys(world.keys)
    held = [*FileKeyProvider(world.keys).root_keys(), *(keyring.current(purpose)[1] for purpose in ("vault", "log", "id"))]
    return [form for key in held for form in (key.hex(), base64.b64encode(key).decode(), repr(key)[2:-1])]


def test_the_status_is_a_table_with_a_line_a_version(world):
    outcome = keys(world, "status")
    assert outcome.code == 0
    assert f"root key: file {world.keys / 'root.key'}" in outcome.out
    assert re.search(r"^root +current +\d{4}-\d\d-\d\d +0 d", outcome.out, re.MULTILINE)
    assert re.search(r"^vault +1 +current +\d{4}-\d\d-\d\d +0 d\s*$", outcome.out, re.MULTILINE)
    assert re.search(r"^id +1 +current .* never rotates", outcome.out, re.MULTILINE)
    assert "due for rotation after 365 days: CUSTVIEW_KEY_AGE_DAYS sets another number" in outcome.out
    assert "warning the keys have no backup" in outcome.out
    assert "beside the lake" not in outcome.out


def test_keys_beside_the_lake_are_warned_of(world):
    shutil.copytree(world.keys, world.lake.parent / "keys")

    outcome = keys(world, "status", CUSTVIEW_KEYS=str(world.lake.parent / "keys"))
    assert "warning the keys are beside the lake" in outcome.out


def test_what_is_due_is_said(world):
    said = status(world, CUSTVIEW_KEY_AGE_DAYS="1")
    assert not any(line["is_due"] for line in said["keys"])
    assert keys(world, "status", CUSTVIEW_KEY_AGE_DAYS="soon").code == 2


def test_no_command_prints_a_key_or_the_passphrase(world):
    secrets = [*secrets_of(world), PASSPHRASE]
    path = backup(world)
    outcomes = [
        keys(world, "status"), keys(world, "status", "--json"), keys(world, "backups", "--json"), keys(world, "rotate", "root"),
        restore(world, path), restore(world, world.root / "passphrase"), keys(world, "destroyed", "1", "--file", path),
    ]  # fmt: skip
    secrets += secrets_of(world)
    assert [secret for secret in secrets for outcome in outcomes if secret in outcome.out + outcome.err] == []


@pytest.mark.parametrize("purpose", ["vault", "token", "index"])
def test_a_key_that_sealed_something_is_rotated_and_every_value_opens(world, purpose):
    before = revealed(world)
    outcome = keys(world, "rotate", purpose)
    assert outcome.code == 0, outcome
    assert f"{purpose}: version 2 took the place of version 1; " in outcome.out
    assert versions(world, purpose) == [(2, "current")]
    assert revealed(world) == before


def test_the_keytable_key_is_rotated_and_every_shard_with_it(world):
    before, keyring = revealed(world), open_keys(world.keys)
    outcome = keys(world, "rotate", "keytable")
    assert outcome.code == 0, outcome
    assert versions(world, "keytable") == [(2, "current")]
    assert [sorted(generations) for generations in open_keys(world.keys).shard_keys().generations] == [[2]] * 256
    assert keyring.shard_keys().newest(0)[0] == 1
    assert revealed(world) == before


def test_the_log_key_is_rotated_and_its_former_version_stays(world):
    assert keys(world, "rotate", "log").out.startswith("log: version 2 is in use")
    assert keys(world, "rotate", "log").code == 0
    assert versions(world, "log") == [(1, "former"), (2, "former"), (3, "current")]


def test_the_root_key_is_rotated(world):
    before, root = revealed(world), (world.keys / "root.key").read_bytes()
    outcome = keys(world, "rotate", "root")
    assert outcome.code == 0, outcome
    assert "every key is wrapped under another root key" in outcome.out
    assert (world.keys / "root.key").read_bytes() != root
    assert revealed(world) == before
    (world.keys / "root.key").write_bytes(root)
    assert "wrapped under another root key" in keys(world, "rotate", "log").err


def test_a_root_key_of_the_environment_is_rotated_by_a_second_variable(world):
    root = (world.keys / "root.key").read_text().strip()
    (world.keys / "root.key").unlink()
    next_root = base64.b64encode(bytes(32)).decode()
    environment = {"CUSTVIEW_KEY_PROVIDER": "environment", "CUSTVIEW_ROOT_KEY": root}

    refused = keys(world, "rotate", "root", **environment)
    assert (refused.code, "CUSTVIEW_NEXT_ROOT_KEY: not set" in refused.err) == (1, True)
    outcome = keys(world, "rotate", "root", CUSTVIEW_NEXT_ROOT_KEY=next_root, **environment)
    assert "now move the value of CUSTVIEW_NEXT_ROOT_KEY to CUSTVIEW_ROOT_KEY" in outcome.out
    assert (
        "a rotation of the root key is on its way" in keys(world, "status", CUSTVIEW_NEXT_ROOT_KEY=next_root, **environment).out
    )
    moved = environment | {"CUSTVIEW_ROOT_KEY": next_root}
    assert status(world, **moved)["is_root_settled"]
    assert keys(world, "rotate", "log", **moved).code == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [("id", "the key id never rotates: record ids"), ("cellar", "there are: vault, token, index, keytable, log, root")],
)
def test_keys_that_cannot_be_rotated_are_wrong_use(world, name, said):
    stored = (world.keys / "keyring.json").read_bytes()
    outcome = keys(world, "rotate", name)
    assert (outcome.code, said in outcome.err) == (2, True)
    assert (world.keys / "keyring.json").read_bytes() == stored


def test_keys_are_backed_up_lost_and_restored(world):
    before = revealed(world)
    path = backup(world)
    shutil.rmtree(world.keys)
    lost = keys(world, "status")
    assert (lost.code, "no keys in" in lost.err) == (1, True)
    outcome = restore(world, path)
    assert outcome.code == 0, outcome
    assert f"restored the keys in {world.keys}" in outcome.out
    assert "was made under these keys" in outcome.out
    assert revealed(world) == before
    assert world.refresh().code == 0


def test_a_backup_older_than_the_lake_is_said(world):
    path = backup(world)
    keys(world, "rotate", "keytable")
    shutil.rmtree(world.keys)
    outcome = restore(world, path)
    assert outcome.code == 0
    assert "warning the lake is newer than the backup: in 256 of 256 shards" in outcome.out
    assert "older than the lake" in keys(world, "rotate", "keytable").err


def test_the_passphrase_comes_from_a_file_or_the_environment_and_never_from_a_pipe(world):
    path, lines = world.root / "safe.cvkb", world.root / "passphrase"
    piped = keys(world, "backup", "-o", path)
    assert (piped.code, "no terminal to ask for the passphrase" in piped.err) == (2, True)
    assert keys(world, "backup", "-o", path, CUSTVIEW_BACKUP_PASSPHRASE=PASSPHRASE).code == 0
    assert restore(world, path).code == 0
    lines.chmod(0o644)
    assert (restore(world, path).code, "others can read it" in restore(world, path).err) == (1, True)
    for content, said in (("\n", "the first line must hold"), ("ö", "too weak"), (None, "no such file")):
        lines.unlink(missing_ok=True)
        if content is not None:
            lines.write_text(content)
            lines.chmod(0o600)
        outcome = keys(world, "backup", "-o", world.root / "other.cvkb", "--passphrase-file", lines)
        assert (outcome.code, said in outcome.err) == (2, True), outcome


def test_a_passphrase_is_typed_twice_at_a_terminal(monkeypatch):
    typed = iter([PASSPHRASE, PASSPHRASE, PASSPHRASE, "another passphrase", PASSPHRASE])
    monkeypatch.setattr("custview_pipeline.cli.passphrases.sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))

    assert passphrase(None, is_new=True) == PASSPHRASE
    with pytest.raises(ProjectInvalid, match="the two passphrases differ"):
        passphrase(None, is_new=True)
    assert passphrase(None, is_new=False) == PASSPHRASE


class Terminal:
    """A terminal."""

    def isatty(self):
        """Return whether it is one."""
        return True


def test_a_wrong_passphrase_and_an_altered_file_are_one_error(world):
    path = backup(world)
    (world.root / "passphrase").write_text("seven pale owls count snow")
    wrong = restore(world, path)
    (world.root / "passphrase").write_text(PASSPHRASE)
    blob = path.read_bytes()
    path.write_bytes(blob[:-1] + bytes([blob[-1] ^ 1]))
    assert wrong == restore(world, path)
    assert (wrong.code, wrong.err) == (1, "error cannot be opened: wrong passphrase, or no key backup, or an altered one\n")


def test_a_key_directory_with_other_keys_is_refused(world):
    path, other = backup(world), world.root / "other"
    open_keys(other)
    outcome = keys(world, "restore", path, "--passphrase-file", world.root / "passphrase", CUSTVIEW_KEYS=str(other))
    assert (outcome.code, "holds other keys" in outcome.err) == (1, True)


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_nothing_of_the_keys_goes_into_the_lake(world, command):
    if command == "backup":
        outcome = keys(world, "backup", "-o", world.lake / "safe.cvkb", "--passphrase-file", world.root / "passphrase")
    else:
        path = backup(world)
        place = {"CUSTVIEW_KEYS": str(world.lake / "keys")}
        outcome = keys(world, "restore", path, "--passphrase-file", world.root / "passphrase", **place)
    assert (outcome.code, "inside the lake" in outcome.err) == (2, True)
    assert not list(world.lake.rglob("*.cvkb"))
    assert not (world.lake / "keys" / "keyring.json").exists()


def test_backups_are_listed_expire_and_are_recorded_as_destroyed(world):
    assert keys(world, "backups").out.startswith("no key backup was made yet")
    first, second = backup(world, "first.cvkb"), backup(world, "second.cvkb")
    day = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
    listed = keys(world, "backups").out
    assert len(re.findall(rf"^ +[12] +.* UTC +{day} +outstanding, expires on {day}", listed, re.MULTILINE)) == 2

    other = keys(world, "destroyed", "1", "--file", second)
    assert (other.code, "nothing was deleted" in other.err, second.exists()) == (1, True, True)
    outcome = keys(world, "destroyed", "1", "--file", first)
    assert (outcome.code, first.exists()) == (0, False)
    assert "key backup 1 is recorded as destroyed" in outcome.out
    assert keys(world, "destroyed", "2").code == 0
    assert second.exists()
    assert [note["is_outstanding"] for note in json.loads(keys(world, "backups", "--json").out)] == [False, False]
    missing = keys(world, "destroyed", "3")
    assert (missing.code, "no key backup 3" in missing.err) == (2, True)


def test_an_expired_backup_is_restored_only_on_purpose(world, monkeypatch):
    path = backup(world)
    (world.keys / "root.key").unlink()

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=31)

    monkeypatch.setattr("custview_pipeline.cli.keys.datetime", Later)
    outcome = restore(world, path)
    assert (outcome.code, "--although-expired restores it" in outcome.err) == (1, True)
    assert not (world.keys / "root.key").exists()
    outcome = restore(world, path, "--although-expired")
    assert (outcome.code, "the keys were there already and were kept" in outcome.out) == (0, True)
    assert isinstance(open_keys(world.keys), Keyring)


@pytest.mark.parametrize("command", [["status"], ["rotate", "root"], ["rotate", "vault"], ["backup", "-o", "safe.cvkb"]])
def test_a_project_without_keys_gets_none_by_these_commands(tmp_path, command):
    world = make_world(tmp_path / "new", SourceSpec("crm"))
    outcome = keys(world, *command)
    assert (outcome.code, "no keys in" in outcome.err) == (1, True)
    assert not world.keys.exists()


def test_keys_of_a_project_without_a_lake_are_rotated_where_that_means_something(tmp_path):
    world = make_world(tmp_path / "new", SourceSpec("crm"))
    open_keys(world.keys)
    assert [keys(world, "rotate", name).code for name in ("root", "log", "keytable")] == [0, 0, 0]
    assert "nothing is stored yet" in keys(world, "rotate", "vault").err


@pytest.mark.parametrize("command", ["status", "rotate", "backup", "restore", "backups", "destroyed"])
def test_the_help_of_each_command_has_an_example(world, command):
    assert f"Example: custview keys {command}" in world.run("keys", command, "--help").out


def shard_generations(world):
    return {len(generations) for generations in open_keys(world.keys).shard_keys().generations}


def test_a_rotation_of_the_keytable_that_was_interrupted_does_not_look_finished(world, monkeypatch):
    def fail(*_):
        raise KeyUnavailable("interrupted")

    with monkeypatch.context() as interrupted:
        interrupted.setattr(Keyring, "rotate_keytable", fail)
        assert keys(world, "rotate", "keytable").code == 1
    assert versions(world, "keytable") == [(1, "current")]
    open_keys(world.keys).renew_shards(range(256))  # killed before the commit counts
    assert shard_generations(world) == {2}
    assert "a renewal was interrupted: custview keys rotate keytable ends it" in keys(world, "status").out

    assert keys(world, "rotate", "keytable").code == 0
    assert versions(world, "keytable") == [(2, "current")]
    assert shard_generations(world) == {1}


@pytest.mark.parametrize("command", [["status"], ["rotate", "vault"], ["backup", "-o", "safe.cvkb"]])
def test_where_the_lake_is_and_the_keys_are_not_a_run_is_not_said_to_make_them(world, command):
    outcome = keys(world, *command, CUSTVIEW_KEYS=str(world.root / "elsewhere"))

    assert outcome.code == 1
    assert "the lake was made with some" in outcome.err
    assert "custview run" not in outcome.err


@pytest.mark.parametrize("command", [["status"], ["backup", "-o", "safe.cvkb"]])
def test_keys_inside_the_lake_are_refused_by_every_command(world, command):
    outcome = keys(world, *command, CUSTVIEW_KEYS=str(world.lake / "keys"))

    assert "the keys are inside the lake" in outcome.err


def test_a_passphrase_that_others_can_read_is_known(world):
    (world.root / "passphrase").chmod(0o644)
    outcome = keys(world, "backup", "-o", world.root / "safe.cvkb", "--passphrase-file", world.root / "passphrase")

    assert "think of the passphrase as known" in outcome.err
