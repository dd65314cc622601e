"""Secrets of sources, read where their contracts say that they are."""

from pathlib import Path

from custview_pipeline.adapters.private_files import read_private
from custview_pipeline.contracts.source_server import Credentials
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import KeyUnavailable, SourceUnreadable


def secret_of(source_system: str, credentials: Credentials) -> str:
    """Return the secret: the variable's value, or the text of the file without white space at its end.

    Raises:
        SourceUnreadable: The variable is not set, or the file is absent, empty, no text, or others can read it.
    """
    if credentials.kind == "env":
        if (value := settings.read(credentials.name)) is None:
            raise SourceUnreadable(f"{source_system}: the environment variable {credentials.name} of its credentials is not set")
        return value
    path = Path(credentials.name)
    try:
        content = read_private(path, "the secret")
    except KeyUnavailable as error:
        raise SourceUnreadable(f"{source_system}: {error}") from None
    try:
        secret = (content or b"").decode().rstrip()
    except UnicodeDecodeError:
        raise SourceUnreadable(f"{source_system}: {path}: the file of its credentials is no text") from None
    if not secret:
        what = "there is no such file" if content is None else "the file is empty"
        raise SourceUnreadable(f"{source_system}: {path}: {what}, which its contract names for the credentials")
    return secret
