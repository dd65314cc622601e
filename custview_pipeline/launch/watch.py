"""Makes a running server serve what the project's files say now: looks at them, and has the code location loaded again."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests

from custview_pipeline.adapters.project_directory import CONTRACT_FILES, load_project
from custview_pipeline.contracts.project import PROJECT_FILE, ProjectFile, parse_project
from custview_pipeline.kernel.errors import CustviewError, ProjectInvalid
from custview_pipeline.kernel.redaction import silenced

_LOOK_SECONDS: Final = 1.0
_RELOAD_SECONDS: Final = 120.0
_MUTATION: Final = (
    'mutation {reloadRepositoryLocation(repositoryLocationName: "custview") '
    "{... on WorkspaceLocationEntry {locationOrLoadError {__typename}}}}"
)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Location:
    """The code location of a running web server.

    Attributes:
        host: Address the server listens on; of IPv4 or a name, for ``serve`` listens on no other.
        port: Its port.
    """

    host: str
    port: int

    def reload(self) -> bool | None:
        """Load it again; the server serves the old one until that is done.

        Returns:
            Whether it could be loaded; None where the server does not answer.
        """
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104 -- what it was told to listen on
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands between us and our own server
            try:
                url = f"http://{host}:{self.port}/graphql"
                answer = session.post(url, json={"query": _MUTATION}, timeout=_RELOAD_SECONDS).json()
            except (requests.RequestException, ValueError):
                return None
        match answer:
            case {"data": {"reloadRepositoryLocation": {"locationOrLoadError": {"__typename": "RepositoryLocation"}}}}:
                return True
        return False


class ProjectWatch:
    """The files of a project, as they were when they were last loaded.

    Looking costs a millisecond and works on every file system; notifications do not.

    Args:
        directory: The project directory.
        location: What to load again.
        say: Who is told, in one line each time.
    """

    def __init__(self, directory: Path, location: Location, say: Say) -> None:
        self._directory, self._location, self._say = directory, location, say
        self._served = self._seen = digest_of(directory)

    def run(self, ended: threading.Event) -> None:
        """Look at the files until ``ended`` is set."""
        while not ended.wait(_LOOK_SECONDS):
            try:
                with silenced("watching the project's files"):
                    self.look()
            except CustviewError as error:
                self._say(str(error))

    def look(self) -> None:
        """Look once: files that changed, and are the same as at the last look, are loaded where they are valid."""
        found, before = digest_of(self._directory), self._seen
        self._seen = found
        if found == self._served or found != before:
            return
        served, self._served = self._served, found
        try:
            load_project(self._directory)
        except ProjectInvalid as error:
            self._say(f"not loaded, what was good before is served on: {error}")
            return
        is_loaded = self._location.reload()
        if is_loaded is None:  # it is starting or ending; looked at again in a moment
            self._served = served
            return
        self._say("the project's files changed: loaded" if is_loaded else "the project's files changed and could not be loaded")


def digest_of(directory: Path) -> str:
    """Return what changes when any file does that says what the project is."""
    digest = hashlib.sha256()
    for path in _files(directory):
        content = _content(path)
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _files(directory: Path) -> Iterator[Path]:
    """Yield the files, whether they are there or not."""
    yield directory / PROJECT_FILE
    written = _written(directory)
    yield directory / written.rulebook
    yield directory / written.access
    yield from sorted((directory / written.contracts).glob(CONTRACT_FILES))


def _written(directory: Path) -> ProjectFile:
    """Return what custview.yaml says, or the places that files have by default while it cannot be read."""
    try:
        return parse_project(_content(directory / PROJECT_FILE).decode("utf-8-sig"), file=PROJECT_FILE)
    except (ProjectInvalid, UnicodeDecodeError):
        return ProjectFile(name="unreadable")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
