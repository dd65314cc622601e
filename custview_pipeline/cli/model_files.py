"""Reads and writes the file that match models travel in."""

from pathlib import Path

from custview_pipeline.adapters.private_files import replace_durably
from custview_pipeline.kernel.errors import ProjectInvalid


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        ProjectInvalid: It cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ProjectInvalid(f"cannot be read ({type(error).__name__})", file=path) from None
    except UnicodeDecodeError:
        raise ProjectInvalid("is no text in UTF-8", file=path) from None


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all; an earlier one is replaced.

    Raises:
        ProjectInvalid: It cannot be written.
    """
    if path.exists() and not path.is_file():
        raise ProjectInvalid("cannot be written: it is no regular file", file=path)
    try:
        replace_durably(path.resolve(), lambda file: file.write(text.encode()))
    except OSError as error:
        raise ProjectInvalid(f"cannot be written ({type(error).__name__})", file=path) from None
