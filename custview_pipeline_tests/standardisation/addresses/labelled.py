"""The labelled addresses of usaddress' repository (see labelled_addresses/README.md)."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import NamedTuple


class Labelled(NamedTuple):
    """A line, and the label of each of its tokens."""

    line: str
    labels: list[str]


def read_labelled(*names):
    """Return the addresses of these files, of all where none is named."""
    folder = Path(__file__).parent / "labelled_addresses"
    files = [folder / name for name in names] or sorted(folder.glob("*.xml"))
    return [
        Labelled("".join(address.itertext()).strip(), [token.tag for token in address])
        for file in files
        for address in ET.parse(file).getroot()  # noqa: S314 - a file of our own
    ]
