"""Tests of ``custview_pipeline.adapters.access_log``."""

import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from custview_pipeline.adapters.access_log import LOG_FILE, log_access
from custview_pipeline.kernel.errors import LakeDamaged
from custview_pipeline.protection.wrapped_keys import Purpose


@pytest.fixture
def log(tmp_path, lake_keyring):
    def write(reason="asked by the customer", who="ada", what="show CU1"):
        log_access(tmp_path, lake_keyring, who=who, what=what, reason=reason)

    return write


def entries(folder):
    return [json.loads(line) for line in (folder / LOG_FILE).read_bytes().split(b"\n") if line]


def is_chained(folder, keyring):
    """Recompute every link."""
    before = "0" * 64
    for number, entry in enumerate(entries(folder), 1):
        mac = entry.pop("mac")
        text = json.dumps(entry, sort_keys=True, ensure_ascii=False)
        expected = hmac.digest(keyring.key(Purpose.LOG, entry["key_version"]), text.encode(), "sha256").hex()
        if (entry["sequence"], entry["before"], mac) != (number, before, expected):
            return False
        before = mac
    return True


def test_an_entry_says_who_what_why_and_when(log, tmp_path):
    log()
    (entry,) = entries(tmp_path)

    assert (entry["who"], entry["what"], entry["reason"]) == ("ada", "show CU1", "asked by the customer")
    assert datetime.fromisoformat(entry["at"]).utcoffset() is not None


def test_each_entry_is_chained_to_the_one_before(log, tmp_path, lake_keyring):
    for _ in range(3):
        log()

    assert is_chained(tmp_path, lake_keyring)


@pytest.mark.parametrize("change", [lambda e: e[1:], lambda e: [e[0], e[2]], lambda e: [e[0], {**e[1], "reason": "other"}, e[2]]])
def test_a_log_that_was_tampered_with_shows(log, tmp_path, lake_keyring, change):
    for _ in range(3):
        log()
    kept = change(entries(tmp_path))
    (tmp_path / LOG_FILE).write_text("".join(json.dumps(entry, sort_keys=True) + "\n" for entry in kept))

    assert not is_chained(tmp_path, lake_keyring)


def test_another_key_does_not_fit_the_chain(log, tmp_path, other_keyring):
    log()

    assert not is_chained(tmp_path, other_keyring)


@pytest.mark.parametrize("reason", ["line\nbreak", "separator\u2028here", "next\x85line", "form\x0cfeed", '"quoted"', "客户要求"])
def test_any_reason_leaves_the_log_readable(log, tmp_path, lake_keyring, reason):
    log(reason)
    log()

    assert entries(tmp_path)[0]["reason"] == reason
    assert is_chained(tmp_path, lake_keyring)


def test_an_entry_that_a_crash_left_unfinished_is_removed_and_the_chain_goes_on(log, tmp_path, lake_keyring):
    log()
    with (tmp_path / LOG_FILE).open("ab") as file:
        file.write(b'{"at": "2026-01-')
    log()

    assert len(entries(tmp_path)) == 2
    assert is_chained(tmp_path, lake_keyring)


@pytest.mark.parametrize("text", ["no json\n", "{}\n", "[]\n", "7\n"])
def test_a_damaged_log_reveals_nothing(log, tmp_path, text):
    (tmp_path / LOG_FILE).write_text(text)

    with pytest.raises(LakeDamaged, match="nothing is revealed") as refused:
        log("a reason with Wilhelmina in it")
    assert "Wilhelmina" not in str(refused.value)


def test_a_log_that_cannot_be_written_reveals_nothing(tmp_path, lake_keyring):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(LakeDamaged, match="nothing is revealed"):
        log_access(tmp_path / "file", lake_keyring, who="ada", what="show", reason="none")


def test_entries_written_at_once_make_one_chain(log, tmp_path, lake_keyring):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: log(f"reason {number}"), range(12)))

    assert len(entries(tmp_path)) == 12
    assert is_chained(tmp_path, lake_keyring)
