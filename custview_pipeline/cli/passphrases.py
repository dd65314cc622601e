"""Where the passphrase of a key backup comes from; never from an argument, which every user of the machine can list."""

import getpass
import sys
from pathlib import Path

from custview_pipeline.adapters.private_files import read_private
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import ProjectInvalid


def passphrase(file: Path | None, *, is_new: bool) -> str:
    """Return the passphrase: the first line of a file, else of CUSTVIEW_BACKUP_PASSPHRASE, else what is typed at the terminal.

    Args:
        file: A file that nobody else can read.
        is_new: Whether it is going to seal something: then it is typed twice.

    Raises:
        ProjectInvalid: There is none, or it was typed differently the second time.
        KeyUnavailable: Others can read the file.
    """
    if file is not None:
        return _first_line(file)
    given = settings.read(settings.BACKUP_PASSPHRASE)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise ProjectInvalid(
            f"no terminal to ask for the passphrase: --passphrase-file FILE, or set {settings.BACKUP_PASSPHRASE}"
        )
    return _typed(is_new=is_new)


def _first_line(file: Path) -> str:
    content = read_private(file, "the passphrase")
    if content is None:
        raise ProjectInvalid("no such file", file=file)
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError:
        raise ProjectInvalid("the passphrase must be text in UTF-8", file=file) from None
    if not lines or not lines[0]:
        raise ProjectInvalid("the first line must hold the passphrase", file=file)
    return lines[0]


def _typed(*, is_new: bool) -> str:
    try:
        typed = getpass.getpass("passphrase of the key backup: ")
        if is_new and getpass.getpass("once more: ") != typed:
            raise ProjectInvalid("the two passphrases differ; nothing was written")
    except EOFError:
        raise ProjectInvalid("no passphrase was given") from None
    return typed
