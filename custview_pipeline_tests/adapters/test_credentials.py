"""Secrets of sources, and the files that are refused to hold them."""

import pytest

from custview_pipeline.adapters.credentials import secret_of
from custview_pipeline.contracts.source_server import Credentials
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline_tests.adapters.delivered_files import CANARY


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "crm"
    path.write_text(f" {CANARY}\n")
    path.chmod(0o400)
    return path


def test_a_secret_is_read_from_a_variable_or_a_private_file(monkeypatch, secret_file):
    monkeypatch.setenv("CRM_PASSWORD", CANARY)
    assert secret_of("crm", Credentials("env", "CRM_PASSWORD")) == CANARY
    assert secret_of("crm", Credentials("file", str(secret_file))) == f" {CANARY}"


@pytest.mark.parametrize(
    ("mode", "content", "message"),
    [
        (0o640, CANARY.encode(), "others can read it: chmod 600"),
        (0o604, CANARY.encode(), "others can read it: chmod 600"),
        (0o600, b" \n", "the file is empty, which its contract names for the credentials"),
        (0o600, b"\xff\xfe", "the file of its credentials is no text"),
    ],
)
def test_a_file_that_is_no_good_is_named_without_what_it_holds(secret_file, mode, content, message):
    secret_file.chmod(0o600)
    secret_file.write_bytes(content)
    secret_file.chmod(mode)
    with pytest.raises(SourceUnreadable, match=message) as raised:
        secret_of("crm", Credentials("file", str(secret_file)))
    assert str(raised.value).startswith(f"crm: {secret_file}: ")
    assert CANARY not in str(raised.value)


def test_a_secret_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(SourceUnreadable, match="there is no such file"):
        secret_of("crm", Credentials("file", str(tmp_path / "none")))
    with pytest.raises(SourceUnreadable, match="variable NONE_OF_OURS of its credentials is not set"):
        secret_of("crm", Credentials("env", "NONE_OF_OURS"))
