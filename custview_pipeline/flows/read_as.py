"""How the rows of a delivery were read, as text that the lake keeps.

A contract says what columns of today's files mean. A record that came under another one is standardised anew as it was read then:
its raw row has the columns and the form of dates of then.
"""

import json
from dataclasses import replace
from typing import Final

from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract

_READ_BY: Final = ("name", "attribute", "date_format", "scheme", "issuer", "is_personal")  # what standardising and sealing ask


def read_as(contract: SourceContract, region: str) -> str:
    """Return how rows are read under a contract: JSON of the default country and of what each column means; no value."""
    columns = [{name: getattr(column, name) for name in _READ_BY} for column in contract.columns]
    return json.dumps({"region": region, "columns": columns}, ensure_ascii=False)


def as_read(contract: SourceContract, text: str) -> tuple[SourceContract, str]:
    """Return the contract with the columns of then, without their limits, and the default country of then.

    Args:
        contract: The source's contract of now.
        text: What ``read_as`` returned then.
    """
    then = json.loads(text)
    return replace(contract, columns=tuple(SourceColumn(**column) for column in then["columns"]), quality=()), then["region"]
