"""Servers of contracts as people write them, and the secrets that they should not write there."""

import pytest

from custview_pipeline.contracts.odcs import parse_contract
from custview_pipeline.contracts.source_server import Credentials, DatabaseTable, RowsOfProgram
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline_tests.contracts.written_contracts import FILE, changed, contract, line_of

LOCAL = "{server: production, type: local, path: data/shop/*.csv, format: csv}"
SNAPSHOT = ("{property: extract, value: changes}", "{property: extract, value: snapshot}")
SECRET = "canary-7f3a"


def custom(**properties: str) -> str:
    return "customProperties: [" + ", ".join(f"{{property: {name}, value: {value}}}" for name, value in properties.items()) + "]"


def served(server: str):
    return contract((LOCAL, server), SNAPSHOT)


POSTGRES = "{type: postgres, host: db.example.org, port: 5433, database: crm, schema: sales"
TABLES = [
    (
        f"{POSTGRES}, {custom(user='reader', credentials='env:CRM_PASSWORD')}}}",
        DatabaseTable(
            "customers",
            "sales",
            "postgresql+psycopg2",
            "db.example.org",
            5433,
            "crm",
            "reader",
            Credentials("env", "CRM_PASSWORD"),
        ),
    ),
    (
        "{type: postgresql, host: db, port: '5432', database: crm}",
        DatabaseTable("customers", None, "postgresql+psycopg2", "db", 5432, "crm"),
    ),
    (
        f"{{type: mysql, host: db, database: crm, {custom(driver='mysql+mysqldb', credentials='file:/run/secrets/crm')}}}",
        DatabaseTable("customers", None, "mysql+mysqldb", "db", None, "crm", None, Credentials("file", "/run/secrets/crm")),
    ),
    (
        "{type: sqlserver, host: db, database: crm, schema: dbo}",
        DatabaseTable("customers", "dbo", "mssql+pyodbc", "db", None, "crm"),
    ),
    (
        "{type: oracle, host: db, port: 1521, serviceName: CRM}",
        DatabaseTable("customers", None, "oracle+oracledb", "db", 1521, "CRM"),
    ),
    (
        f"{{type: custom, schema: sales, {custom(credentials='env:CRM_URL')}}}",
        DatabaseTable("customers", "sales", credentials=Credentials("env", "CRM_URL")),
    ),
]


@pytest.mark.parametrize(("server", "table"), TABLES)
def test_a_table_is_read_whole(server, table):
    read = served(server)
    assert read.origin == table
    assert (read.file_format, read.path_pattern) == ("sql", f"the table {table.shown}")


def test_a_table_is_called_by_its_physical_name():
    read = contract(
        (LOCAL, POSTGRES + "}"), SNAPSHOT, ("  - name: customers\n", "  - name: customers\n    physicalName: KUNDEN\n")
    )
    assert isinstance(read.origin, DatabaseTable)
    assert read.origin.shown == "sales.KUNDEN"


STORES = [
    ("{type: s3, location: 's3://bucket/crm/*.csv', format: csv, delimiter: ';'}", "s3://bucket/crm/*.csv", None),
    (
        "{type: s3, location: 's3://bucket/*.csv', format: csv, endpointUrl: 'https://objects.example.org'}",
        "s3://bucket/*.csv",
        "https://objects.example.org",
    ),
    (
        "{type: azure, location: 'abfss://crm@store.dfs.core.windows.net/*.csv', format: csv}",
        "abfss://crm@store.dfs.core.windows.net/*.csv",
        None,
    ),
    ("{type: gcs, location: 'gs://bucket/*.csv', format: csv}", "gs://bucket/*.csv", None),
    ("{type: sftp, location: 'sftp://host/crm/*.csv', format: csv}", "sftp://host/crm/*.csv", None),
    ("{type: custom, location: 'memory://crm/*.csv', format: csv}", "memory://crm/*.csv", None),
]


@pytest.mark.parametrize(("server", "location", "endpoint"), STORES)
def test_objects_are_files_by_their_url(server, location, endpoint):
    read = served(server)
    assert (read.path_pattern, read.endpoint, read.file_format, read.origin) == (location, endpoint, "csv", None)


def test_a_program_is_named_by_its_entry_point():
    read = served(f"{{type: custom, {custom(entryPoint='crm_api')}}}")
    assert (read.origin, read.file_format) == (RowsOfProgram("crm_api"), "python")


def test_of_several_servers_the_one_called_production_is_read_and_others_are_no_matter():
    others = "{server: test, type: local, path: x, format: csv}\n  - {type: kafka, host: k}"
    servers = f"{others}\n  - {{server: production, {POSTGRES[1:]}}}"
    assert served(servers).file_format == "sql"


WRONG = [
    ("{type: kafka, host: k}", "a server of type 'kafka' is not supported; supported are local, s3, azure, gcs, sftp, postgres"),
    ("{type: postgress, host: k}", "a server of type 'postgress' is not supported; did you mean 'postgres'?"),
    ("{type: postgres, database: crm}", "the server needs a host"),
    ("{type: mysql, host: db}", "the server needs a database"),
    ("{type: postgres, host: db, database: crm, port: 70000}", "port should be a whole number from 1 to 65535"),
    ("{type: s3, format: csv}", "the server needs a location, such as s3://bucket"),
    ("{type: s3, location: bucket/x.csv, format: csv}", "the server needs a location, such as s3://bucket"),
    ("{type: custom}", "a custom server needs a location with a format, or one of the customProperties entryPoint"),
    (
        f"{{type: postgres, host: db, database: crm, {custom(credential='env:X')}}}",
        "unknown custom property 'credential'; did you mean 'credentials'?",
    ),
]


@pytest.mark.parametrize(("server", "message"), WRONG)
def test_a_server_that_cannot_be_used_names_its_line(server, message):
    with pytest.raises(ProjectInvalid) as raised:
        served(server)
    text = changed((LOCAL, server), SNAPSHOT)
    assert str(raised.value).startswith(f"{FILE}:{line_of('  - ' + server, text)}: {message}")


WITH_SECRET = [
    f"{{type: postgres, host: 'reader:{SECRET}@db', database: crm}}",
    f"{{type: postgres, host: db, database: 'postgresql://reader:{SECRET}@db/crm'}}",
    f"{{type: s3, location: 's3://key:{SECRET}@bucket/x.csv', format: csv}}",
    f"{{type: azure, location: 'https://store/x.csv?sv=1&sig={SECRET}', format: csv}}",
    f"{{type: postgres, host: db, database: crm, {custom(password=SECRET)}}}",
    f"{{type: custom, {custom(url=SECRET)}}}",
    f"{{type: custom, {custom(credentials=SECRET)}}}",
    f"{{type: custom, {custom(credentials=f'env:{SECRET}')}}}",
    f"{{type: custom, {custom(credentials=f'file:{SECRET}')}}}",
    f"{{type: custom, {custom(credentials=f'postgresql://reader:{SECRET}@db/crm')}}}",
    f"{{type: custom, {custom(note=f'mysql://reader:{SECRET}@db/crm')}}}",
    f"{{type: postgres, host: db, database: crm, password: {SECRET}}}",
    f"{{type: postgres, host: db, database: crm, port: {SECRET}}}",
]


@pytest.mark.parametrize("server", WITH_SECRET, ids=range(len(WITH_SECRET)))
def test_a_secret_in_a_contract_is_an_error_that_names_the_line_and_not_the_secret(server):
    with pytest.raises(ProjectInvalid) as raised:
        served(server)
    text = changed((LOCAL, server), SNAPSHOT)
    assert str(raised.value).startswith(f"{FILE}:{line_of('  - ' + server, text)}: ")
    assert SECRET not in str(raised.value)


def test_changes_of_a_table_need_a_column_that_tells_them():
    text = changed((LOCAL, POSTGRES + "}"))
    with pytest.raises(ProjectInvalid, match="changes of a table are told by a column that carries updated_at"):
        parse_contract(text, file=FILE)
    told = text.replace(
        "      - name: notes\n",
        "      - {name: at, customProperties: [{property: attribute, value: updated_at}]}\n      - name: notes\n",
    )
    assert parse_contract(told, file=FILE).extract == "changes"
