"""Writes the parts of the documentation that state facts of the code: tables.md, dictionary.md, the attributes in contracts.md.

Call ``python docs/make_tables.py`` to write them, and with ``--check`` to end with 1 where they are out of date.
"""

import sys
from pathlib import Path

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.base import TableContract
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.contracts.value_standards import dictionary_rows

DOCS = Path(__file__).parent
BEGIN, END = "<!-- attributes: made by make_tables.py -->", "<!-- end of attributes -->"


def tables() -> str:
    """Return tables.md."""
    head = (
        "# Tables\n\nMade by `python docs/make_tables.py` from `custview_pipeline/contracts`. Sensitivity: *open* says nothing "
        "about a person, *token* is a keyed digest, *ciphertext* is sealed. Where the key holds `version`, the newest version "
        "holds; the end of a version is the start of the next.\n"
    )
    return "\n".join([head, *(_table(contract) for contract in CONTRACTS.values())])


def _table(contract: TableContract) -> str:
    rows = [
        f"| `{name}` | {_type(str(own.dtype))} | {contract.sensitivities[name]} | {_yes(own.nullable)} | {own.description} |"
        for name, own in contract.schema.columns.items()
    ]
    return "\n".join(
        [
            f"## {contract.name}\n",
            f"{contract.meaning}\n",
            f"Key: {_key(contract)}. Written by {contract.written_by}, read by {contract.read_by}.\n",
            "| column | type | sensitivity | may be empty | meaning |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _key(contract: TableContract) -> str:
    return ", ".join(f"`{name}`" for name in contract.key)


def _type(dtype: str) -> str:
    kind, _, inside = dtype.partition("(")
    return {"Struct": "Struct", "Datetime": "Datetime, UTC"}.get(
        kind, f"{kind} of {inside.removesuffix(')')}" if inside else kind
    )


def _yes(is_so: bool) -> str:  # noqa: FBT001 -- a cell of a table
    return "yes" if is_so else ""


def attributes() -> str:
    """Return the table of attributes for contracts.md."""
    rows = [f"| `{known.name}` | {known.meaning} | {_yes(known.is_personal)} |" for known in ATTRIBUTES.values()]
    golden = ", ".join(f"`{name}`" for name in GOLDEN_ATTRIBUTES)
    head = ["| attribute | meaning | personal |", "|---|---|---|"]
    return "\n".join([BEGIN, "", *head, *rows, "", f"They come together in the golden attributes: {golden}.", "", END])


def dictionary() -> str:
    """Return dictionary.md."""
    head = (
        "# Dictionary of attributes\n\nMade by `python docs/make_tables.py` from `contracts/attributes.py`: what a column of a "
        "source can mean, and the standard that its standardised values keep. Length is in characters; a longer cell is cut off "
        "and reported as `too_long`. *Required*: a row without it is refused whatever the contract says; "
        "*optional*: most customers have none. *Critical*: a critical "
        "data element, unless a contract states `criticalDataElement`. Sensitivity: *open* is stored readable, *personal* is "
        "sealed, *restricted* is sealed and does most harm where it leaks. All examples are invented.\n"
    )
    columns = {
        "name": "attribute", "meaning": "meaning", "meaning_zh": "含义", "type": "type", "length": "length", "format": "format",
        "range": "range", "allowed": "allowed values", "required": "required", "critical": "critical",
        "sensitivity": "sensitivity", "examples": "examples",
    }  # fmt: skip
    cells = [[_code(row[key]) if key in {"name", "examples"} else row[key] for key in columns] for row in dictionary_rows()]
    lines = [f"| {' | '.join(line)} |" for line in (list(columns.values()), ["---"] * len(columns), *cells)]
    return "\n".join([head, *lines, ""])


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def made() -> dict[Path, str]:
    """Return what each file should hold."""
    contracts = (DOCS / "contracts.md").read_text(encoding="utf-8")
    before, _, rest = contracts.partition(BEGIN)
    _, _, after = rest.partition(END)
    return {
        DOCS / "tables.md": tables(),
        DOCS / "dictionary.md": dictionary(),
        DOCS / "contracts.md": f"{before}{attributes()}{after}",
    }


def main() -> int:
    """Write the files, or check them."""
    stale = [path for path, text in made().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            sys.stderr.write(f"{path.name} is out of date: run python docs/make_tables.py\n")
        return 1 if stale else 0
    for path, text in made().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
