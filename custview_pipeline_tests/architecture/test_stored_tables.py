"""Every stored table has a contract, and keeps its secrets."""

import importlib
import pkgutil

import polars as pl
import pytest

from custview_pipeline import contracts
from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.base import Sensitivity, TableContract, column, table
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.match_index import INDEX_SCHEMAS
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.kernel.errors import PlaintextLeak

TABLES = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS.keys())
ROOMS = {
    "ingestion", "validation", "protection", "matching", "survivorship", "stewardship", "views", "audit", "consumers",
}  # fmt: skip


def declared():
    """Return every table contract that a module of contracts declares."""
    modules = [
        importlib.import_module(f"{contracts.__name__}.{found.name}") for found in pkgutil.iter_modules(contracts.__path__)
    ]
    return {value.name for module in modules for value in vars(module).values() if isinstance(value, TableContract)}


def test_every_declared_table_is_registered():
    assert declared() == set(CONTRACTS)


@TABLES
def test_a_table_says_what_a_row_is_and_who_writes_and_reads_it(contract):
    assert contract.meaning.endswith(".")
    assert {contract.written_by} <= ROOMS
    assert set(contract.read_by.split(", ")) <= ROOMS
    assert set(contract.key) <= set(contract.types)
    assert all(cell.description for cell in contract.schema.columns.values())


@TABLES
def test_every_column_states_its_sensitivity_and_none_is_readable(contract):
    assert set(contract.sensitivities) == set(contract.types)
    assert Sensitivity.PLAINTEXT not in contract.sensitivities.values()
    contract.assert_storable()


@TABLES
def test_sealed_columns_are_bytes_and_bytes_are_sealed(contract):
    for name, sensitivity in contract.sensitivities.items():
        assert (contract.types[name] == pl.Binary) is (sensitivity is Sensitivity.CIPHERTEXT)


@TABLES
def test_no_column_carries_a_personal_attribute_readably(contract):
    personal = {name for name, attribute in ATTRIBUTES.items() if attribute.is_personal}
    for name, dtype in contract.types.items():
        if name in personal and name in GOLDEN_ATTRIBUTES:
            assert "value" not in {field.name for field in dtype.fields}, "a pointer has no room for a value"
        else:
            assert name not in personal


def test_open_golden_attributes_are_not_personal():
    for name, attribute in GOLDEN_ATTRIBUTES.items():
        if attribute.is_open:
            assert not ATTRIBUTES[name].is_personal


def test_the_index_holds_no_text_but_open_values():
    texts = {
        (part, name)
        for part, schema in INDEX_SCHEMAS.items()
        for name, dtype in schema.items()
        if dtype == pl.String or dtype == pl.List(pl.String)
    }

    assert texts == {
        ("claims", "attribute"),
        ("claims", "open_value"),
        ("frequencies", "entity_type"),
        ("frequencies", "feature"),
    }


def test_a_table_with_a_readable_column_cannot_be_stored():
    leaky = table(
        "leaky", "A row.", key=("name",), rooms=("audit", "audit"), name=column(pl.String, Sensitivity.PLAINTEXT, "A name")
    )

    with pytest.raises(PlaintextLeak, match="leaky holds readable columns name"):
        leaky.assert_holds(pl.DataFrame({"name": ["Wilhelmina"]}))
