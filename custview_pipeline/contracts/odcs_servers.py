"""The ``servers`` of an ODCS contract: which one is read, where it is, in what form; and that no secret stands there.

Types and keys are those of the standard (bitol.io, v3.1 and v3.2); ``gcs`` is ours, for the standard has none for Google's store.
Custom properties of a server are ours: ``user``, ``credentials``, ``driver``, ``entryPoint``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject, Server

from custview_pipeline.contracts.odcs_document import CustomValue, Place, custom_values
from custview_pipeline.contracts.source_contract import FileFormat
from custview_pipeline.contracts.source_server import Credentials, DatabaseTable, RowsOfProgram
from custview_pipeline.contracts.yaml_text import suggest

_FORMATS: Final[dict[str, FileFormat]] = {
    "csv": "csv",
    "json": "jsonl",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "parquet": "parquet",
    "xlsx": "xlsx",
}
_STORES: Final = ("s3", "azure", "gcs", "sftp")
# The drivers that SQLAlchemy's documentation names first for each database; the contract may name another one.
_DRIVERS: Final = {
    "postgres": "postgresql+psycopg2",
    "postgresql": "postgresql+psycopg2",
    "mysql": "mysql+pymysql",
    "sqlserver": "mssql+pyodbc",
    "oracle": "oracle+oracledb",
}
_TYPES: Final = ("local", *_STORES, *_DRIVERS, "custom")
_PROPERTIES: Final = ("user", "credentials", "driver", "entryPoint")
_SECRET_NAME: Final = re.compile(
    r"passw|secret|token|pwd|(?:api|access|account|private)_?key|^(?:jdbc|database|connection|sqlalchemy)?_?(?:ur[il]|string)$",
    re.IGNORECASE,
)
_SECRET_TEXT: Final = re.compile(  # user:password@ of a URL or a host, and keys among the parameters of a URL
    r"(?:^|//)[^\s/@:]+:(?!//)[^\s@]+@|[?&;](?:sig|token|password|pwd|secret|(?:account|access|api)?_?key)\w*=", re.IGNORECASE
)
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class ReadServer:
    """The server that is read.

    Attributes:
        path_pattern: Glob or URL of files; for others the name by which they are shown.
        file_format: Of files; sql for a table and python for rows of a program.
        origin: The table or program; None for files.
        endpoint: URL of the service of an object store; None for its usual one.
    """

    path_pattern: str
    file_format: FileFormat
    encoding: str = "utf-8"
    delimiter: str = ","
    origin: DatabaseTable | RowsOfProgram | None = None
    endpoint: str | None = None


def read_server(
    document: OpenDataContractStandard, top: Place, table: SchemaObject, custom: Mapping[str, CustomValue]
) -> ReadServer:
    """Return the server that is read: the only one of a kind that can be, or the one called production.

    Args:
        document: The contract.
        top: The top of its file.
        table: The table that it describes.
        custom: The contract's custom properties.

    Raises:
        ProjectInvalid: There is none, or it cannot be used, or it holds a secret; names file and line, never the secret.
    """
    server, place = _server(document, top)
    _refuse_secrets(server, place)
    properties = custom_values(server.customProperties, place, _PROPERTIES)
    kind = (server.type or "").lower()
    if kind in _DRIVERS:
        return _table_server(_database(server, place, properties, table, _DRIVERS[kind]))
    if kind != "custom" or server.location:
        return _file_server(server, place, custom, path=_path(server, place) if kind == "local" else _location(server, place))
    if "entryPoint" in properties:
        name = properties["entryPoint"].text("entryPoint")
        return ReadServer(f"the entry point {name}", "python", origin=RowsOfProgram(name))
    if "credentials" in properties:
        credentials = _credentials(properties)
        return _table_server(DatabaseTable(_table_name(table), server.schema_, credentials=credentials))
    raise place.invalid(
        "a custom server needs a location with a format, or one of the customProperties entryPoint (a program that gives rows) "
        "and credentials (env:NAME or file:PATH of a database's SQLAlchemy URL)"
    )


def _server(document: OpenDataContractStandard, top: Place) -> tuple[Server, Place]:
    servers = document.servers or []
    if not servers:
        raise top.invalid(
            "the contract has no servers: add {server: production, type: local, path: data/*.csv, format: csv}", "servers"
        )
    usable = [index for index, server in enumerate(servers) if (server.type or "").lower() in _TYPES]
    if not usable:
        written = servers[0].type or ""
        raise top.invalid(
            f"a server of type {written!r} is not supported{suggest(written, _TYPES)}; supported are {', '.join(_TYPES)}",
            *("servers", 0, "type"),
        )
    production = [index for index in usable if "production" in {servers[index].server, servers[index].environment}]
    if len(usable) > 1 and len(production) != 1:
        raise top.invalid("several servers that can be read: call the one to read production", "servers", usable[1])
    chosen = production[0] if len(usable) > 1 else usable[0]
    return servers[chosen], top.at("servers", chosen)


def _refuse_secrets(server: Server, place: Place) -> None:
    """Refuse what is a secret, or may hold one, wherever on a server it is written."""
    hint = "a contract holds no secrets: take it out, and name where it is, as in credentials: env:CRM_PASSWORD"
    for name, value in server.model_dump(exclude={"roles", "customProperties"}, exclude_none=True, by_alias=True).items():
        if _SECRET_TEXT.search(str(value)):
            raise place.invalid(f"{name!r} looks as if it held a secret; {hint}", name)
    for index, custom in enumerate(server.customProperties or ()):
        if _SECRET_NAME.search(custom.property or "") or _SECRET_TEXT.search(str(custom.value)):
            raise place.invalid(f"{custom.property!r} looks as if it held a secret; {hint}", "customProperties", index)


def _file_server(server: Server, place: Place, custom: Mapping[str, CustomValue], *, path: str) -> ReadServer:
    return ReadServer(
        path,
        _file_format(server, place),
        _encoding(server, place, custom),
        _delimiter(server, place, custom),
        endpoint=server.endpointUrl,
    )


def _path(server: Server, place: Place) -> str:
    if not server.path:
        raise place.invalid("the server needs a path, such as data/crm/*.csv, relative to the project")
    return server.path.removeprefix("./")


def _location(server: Server, place: Place) -> str:
    if "://" not in (server.location or ""):
        raise place.invalid("the server needs a location, such as s3://bucket/crm/*.csv", "location")
    return str(server.location)


def _table_server(table: DatabaseTable) -> ReadServer:
    return ReadServer(f"the table {table.shown}", "sql", origin=table)


def _database(
    server: Server, place: Place, properties: Mapping[str, CustomValue], table: SchemaObject, driver: str
) -> DatabaseTable:
    for name in ("host",) if driver.startswith("oracle") else ("host", "database"):
        if not getattr(server, name):
            raise place.invalid(f"the server needs a {name}")
    is_oracle = driver.startswith("oracle")
    return DatabaseTable(
        table=_table_name(table),
        schema=server.schema_,
        driver=properties["driver"].text("driver") if "driver" in properties else driver,
        host=server.host,
        port=_port(server, place),
        database=server.serviceName or server.database if is_oracle else server.database,
        user=properties["user"].text("user") if "user" in properties else None,
        credentials=_credentials(properties),
    )


def _table_name(table: SchemaObject) -> str:
    return table.physicalName or table.name or ""


def _port(server: Server, place: Place) -> int | None:
    if server.port is None:
        return None
    written = str(server.port)
    if not written.isdecimal() or not 0 < int(written) < 1 << 16:
        raise place.invalid("port should be a whole number from 1 to 65535", "port")
    return int(written)


def _credentials(properties: Mapping[str, CustomValue]) -> Credentials | None:
    if "credentials" not in properties:
        return None
    written = properties["credentials"]
    kind, _, name = written.text("credentials").partition(":")
    if kind == "env" and _VARIABLE.fullmatch(name):
        return Credentials("env", name)
    if kind == "file" and PurePath(name).is_absolute():
        return Credentials("file", name)
    raise written.place.invalid(  # whatever stands there may be the password itself
        "credentials should say where the secret is: env:NAME of an environment variable, or file:/absolute/path", "value"
    )


def _file_format(server: Server, place: Place) -> FileFormat:
    written = (server.format or "").lower()
    if written not in _FORMATS:
        raise place.invalid(
            f"format {written!r} is not supported{suggest(written, _FORMATS)}; supported are {', '.join(_FORMATS)}", "format"
        )
    return _FORMATS[written]


def _encoding(server: Server, place: Place, custom: Mapping[str, CustomValue]) -> str:
    written, where = server.encoding or "utf-8", place
    if "encoding" in custom:
        written, where = custom["encoding"].text("encoding"), custom["encoding"].place
    try:
        "a".encode(written)
    except (LookupError, UnicodeError):
        raise where.invalid(f"unknown encoding {written!r}", "value" if "encoding" in custom else "encoding") from None
    return written.lower()


def _delimiter(server: Server, place: Place, custom: Mapping[str, CustomValue]) -> str:
    written, where = server.delimiter or ",", place
    if "delimiter" in custom:
        written, where = custom["delimiter"].text("delimiter"), custom["delimiter"].place
    written = "\t" if written in {"\\t", "tab"} else written
    if len(written) != 1 or not written.isascii() or written in '"\r\n':
        raise where.invalid(
            "delimiter should be one ASCII character, such as ; or | or \\t", "value" if "delimiter" in custom else "delimiter"
        )
    return written
