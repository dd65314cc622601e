"""Protecting records: CPU and wall seconds and memory, beside the same work done value by value with plain libraries.

    python benchmarks/protect.py --rows 1000000

The rows are generated: eight fields as one JSON text a record, sixteen features of names, contacts and addresses as they are
compared, and a key table with one entry a record, in one segment and in twenty. Each work runs in a process of its own with one
polars thread, as a worker of the airlock has. CPU seconds and ratios of one run compare; wall times do not. Memory is the peak of
the process over what it held with its input at hand.

What ``shred`` measures is in memory. ``erase`` is the whole commit of a lake of twenty segments on disk that forgets one record,
with the keys in a key directory, where they are replaced twice and forced to disk.

What is plain: ``Fernet`` per record for sealing and opening; ``hmac.digest`` with SHA-256 per value for tokens; for shredding,
all shards written anew. Tokens are made without a compiled loop: OpenSSL's AES and numpy's packing of blocks. One
compiled with numba took 29 ns a value for the CMAC, where numpy takes 45 and the whole way from text to token 74; that is no
0.3 CPU s of 1M records, and no compiler is worth it.
"""

import argparse
import hmac
import os

os.environ["POLARS_MAX_THREADS"] = "1"

import multiprocessing
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import cryptography
import numpy as np
import numpy.typing as npt
import polars as pl
import psutil
from cryptography.fernet import Fernet
from cryptography.hazmat.backends.openssl import backend
from rich.console import Console
from rich.table import Table

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.protection.byte_columns import ByteColumn, rows_to_series
from custview_pipeline.protection.key_table import ENTRIES, ShardKeys, open_segments, seal_segment, shard_of
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.tokens import Tokeniser
from custview_pipeline.protection.vault import Place, Rows, Sealed, Vault
from custview_pipeline.protection.wrapped_keys import SHARD_COUNT

PLACE = Place("protected_records", 1)
# Name, least and most characters.
FIELDS = {
    "id": (8, 10),
    "full_name": (8, 24),
    "email": (14, 28),
    "mobile": (10, 14),
    "landline": (10, 14),
    "address": (25, 55),
    "country": (2, 2),
    "born": (10, 10),
}
FEATURES = {
    "given": (3, 9),
    "given_initial": (1, 1),
    "given_sound": (2, 5),
    "family": (3, 12),
    "family_prefix": (3, 3),
    "native_name": (2, 4),
    "birth_date": (10, 10),
    "birth_year": (4, 4),
    "email": (14, 28),
    "email_local": (5, 16),
    "phone": (11, 13),
    "house_number": (1, 5),
    "street": (5, 20),
    "city": (4, 14),
    "postal_code": (5, 6),
    "identifier": (12, 22),
}
EMPTY_SHARE = 0.1
# CPU seconds for 1M records, or for one of a table of 1M; the project's own. The last five are of the key table.
AIMS = {
    "seal, a key each": 7.5,
    "open": 4.0,
    "16 tokens each": 4.0,
    "shred, 1 segment": 0.005,
    "shred, 20 segments": 0.005,
    "erase, keys and commit": 0.02,
    "reseal, 1 segment": 0.1,
    "reseal, 20 segments": 0.1,
}
TOKEN_RATIO: Final = 12.0
MEMORY_AIM: Final = 1.0  # GiB
SHREDS: Final = 20  # of which the mean is taken


class Taken(NamedTuple):
    """What some work took: seconds, and GiB over the input."""

    cpu: float
    wall: float
    memory: float
    plain_cpu: float | None


def measure(work: Callable[[], object], plain_cpu: float | None = None) -> Taken:
    """Run ``work``."""
    before = psutil.Process().memory_info().rss
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Taken(cpu, wall, max(0, peak - before) / 2**30, plain_cpu)


def random_texts(count: int, lengths: tuple[int, int], chance: np.random.Generator) -> pl.Series:
    """Return texts of small letters."""
    column = ByteColumn.of_lengths(chance.integers(lengths[0], lengths[1] + 1, count))
    column.data[:] = chance.integers(ord("a"), ord("z") + 1, len(column.data), np.uint8)
    return column.to_series("text").cast(pl.String)


def random_ids(count: int, chance: np.random.Generator) -> npt.NDArray[np.int64]:
    return chance.integers(-(2**63), 2**63 - 1, count)


def make_records(file: Path, rows: int, seed: int) -> None:
    """Write record ids, and the payloads that are sealed."""
    chance = np.random.default_rng(seed)
    fields = pl.DataFrame({name: random_texts(rows, lengths, chance) for name, lengths in FIELDS.items()})
    payloads = fields.select(payload=pl.struct(pl.all()).struct.json_encode())
    payloads.with_columns(record_id=random_ids(rows, chance)).write_ipc(file)


def make_features(file: Path, rows: int, seed: int) -> None:
    """Write features, some of them empty."""
    chance = np.random.default_rng(seed)
    columns = {
        name: random_texts(rows, lengths, chance).set(pl.Series(chance.random(rows) < EMPTY_SHARE), None)
        for name, lengths in FEATURES.items()
    }
    pl.DataFrame(columns).write_ipc(file)


def record_rows(records: pl.DataFrame) -> Rows:
    return Rows(records["record_id"], pl.Series(np.ones(records.height, np.int32)))


def seal_records(file: Path, sample_rows: int) -> Taken:
    """Seal every payload."""
    records, vault, plainly = pl.read_ipc(file), Vault({1: os.urandom(32)}, 1), Fernet(Fernet.generate_key())
    texts = records["payload"].head(sample_rows).to_list()
    plain = measure(lambda: [plainly.encrypt(text.encode()) for text in texts])
    return measure(lambda: vault.seal(PLACE, record_rows(records), records["payload"]), plain.cpu / len(texts) * records.height)


def open_records(file: Path, sample_rows: int) -> Taken:
    """Open every payload."""
    records, vault, plainly = pl.read_ipc(file), Vault({1: os.urandom(32)}, 1), Fernet(Fernet.generate_key())
    tokens = [plainly.encrypt(text.encode()) for text in records["payload"].head(sample_rows)]
    plain = measure(lambda: [plainly.decrypt(token) for token in tokens])
    rows, sealed = record_rows(records), sealed_in_portions(vault, records)
    return measure(lambda: vault.unseal(PLACE, rows, sealed), plain.cpu / len(tokens) * records.height)


def sealed_in_portions(vault: Vault, records: pl.DataFrame) -> Sealed:
    """Return the sealed rows; sealing them leaves no peak of memory that opening them would hide behind."""
    parts = [vault.seal(PLACE, record_rows(part), part["payload"]) for part in records.iter_slices(25_000)]
    return Sealed(*(pl.concat(column) for column in zip(*parts, strict=True)))


def make_tokens(file: Path, sample_rows: int) -> Taken:
    """Make the tokens of every feature."""
    features, tokeniser, key = pl.read_ipc(file), Tokeniser(os.urandom(32), 1), os.urandom(32)
    cells = [text for name in FEATURES for text in features[name].head(sample_rows // len(FEATURES)).drop_nulls()]
    plain = measure(lambda: [hmac.digest(key, text.encode(), "sha256") for text in cells])
    filled = sum(len(column) - column.null_count() for column in features)
    return measure(
        lambda: [tokeniser.tokens(name, features[name], rule_version="1") for name in FEATURES], plain.cpu / len(cells) * filled
    )


def random_shard_keys(generation: int = 1, former: ShardKeys | None = None) -> ShardKeys:
    """Return shard keys, of one more generation than the former ones."""
    generations = former.generations if former else ({},) * SHARD_COUNT
    seal_key = former.seal_key if former else os.urandom(32)
    return ShardKeys(seal_key, tuple({**known, generation: os.urandom(32)} for known in generations))


def make_segments(rows: int, count: int, keys: ShardKeys) -> dict[str, bytes]:
    """Return a key table of ``rows`` entries in ``count`` segments."""
    chance, segments = np.random.default_rng(rows), {}
    for number in range(count):
        size = rows // count
        materials = rows_to_series("material", chance.integers(0, 256, (size, 12), np.uint8))
        columns = {"record_id": random_ids(size, chance), "version": np.ones(size, np.int32), "material": materials}
        segments[f"{number:08d}"] = seal_segment(pl.DataFrame(columns, schema=ENTRIES), keys, f"{number:08d}")
    return segments


def reseal(rows: int, count: int) -> Taken:
    """Seal the whole key table anew, as one segment under new keys."""
    keys = random_shard_keys()
    segments, renewed = make_segments(rows, count, keys), random_shard_keys(2, keys)
    return measure(lambda: seal_segment(open_segments(segments, keys), renewed, "renewed"))


def shred(rows: int, count: int) -> Taken:
    """Forget records, one by one: the shard of each is written anew without it, under a new key."""
    keys = random_shard_keys()
    segments, renewed = make_segments(rows, count, keys), random_shard_keys(2, keys)
    whole = measure(lambda: seal_segment(open_segments(segments, keys), renewed, "renewed"))
    victims = open_segments(segments, keys).frame().select("record_id", "version").sample(SHREDS, seed=1)

    def forget(victim: pl.DataFrame) -> bytes:
        shards = shard_of(victim["record_id"])
        table = open_segments(segments, keys, shards=shards.to_list())
        kept = table.frame().join(victim, on=["record_id", "version"], how="anti")
        return seal_segment(kept, renewed, "renewed")

    forget(victims[:1])  # imports and tables are loaded once
    taken = measure(lambda: [forget(victim) for victim in victims.iter_slices(1)], whole.cpu)
    return taken._replace(cpu=taken.cpu / SHREDS, wall=taken.wall / SHREDS)


def forget(rows: int, count: int) -> Taken:
    """Forget records as an erasure does, one by one: keys replaced on disk, a segment, a manifest, former keys destroyed."""
    with tempfile.TemporaryDirectory() as folder:
        directory, chance = Path(folder) / "keys", np.random.default_rng(rows)
        keyring = Keyring.open(FileKeyProvider(directory), KeyDirectory(directory))
        with DeltaLake(Path(folder) / "lake", keyring).writer() as writer:
            for number in range(count):
                ids = random_ids(rows // count, chance)
                materials = rows_to_series("material", chance.integers(0, 256, (len(ids), 12), np.uint8))
                entries = pl.DataFrame(
                    {"record_id": ids, "version": np.ones(len(ids), np.int32), "material": materials}, schema=ENTRIES
                )
                with writer.commit(f"made-{number}") as commit:
                    commit.add_keys(entries)
            victims = entries.select("record_id", "version").sample(SHREDS + 1, seed=1)

            def forget_each(chosen: pl.DataFrame) -> None:
                for victim in chosen.iter_slices(1):
                    with writer.commit("erased") as commit:
                        commit.forget_keys(victim)

            forget_each(victims[:1])  # imports and tables are loaded once
            taken = measure(lambda: forget_each(victims[1:]))
            return taken._replace(cpu=taken.cpu / SHREDS, wall=taken.wall / SHREDS)


def alone(work: Callable[..., Taken | None], *given: Any) -> Any:
    """Return what ``work`` returns in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, given)


def measured(rows: int, sample_rows: int, seed: int) -> dict[str, Taken]:
    """Return what each work took."""
    with tempfile.TemporaryDirectory() as folder:
        records, features = Path(folder) / "records.arrow", Path(folder) / "features.arrow"
        alone(make_records, records, rows, seed)
        alone(make_features, features, rows, seed)
        return {
            "seal, a key each": alone(seal_records, records, sample_rows),
            "open": alone(open_records, records, sample_rows),
            "16 tokens each": alone(make_tokens, features, sample_rows),
            "shred, 1 segment": alone(shred, rows, 1),
            "shred, 20 segments": alone(shred, rows, 20),
            "erase, keys and commit": alone(forget, rows, 20),
            "reseal, 1 segment": alone(reseal, rows, 1),
            "reseal, 20 segments": alone(reseal, rows, 20),
        }


def report(found: dict[str, Taken], rows: int) -> None:
    """Print what each work took beside its aim."""
    table = Table("work", title=f"{rows:,} records")
    for heading in ("CPU s", "aim", "of it", "wall s", "GiB", "plain", "times"):
        table.add_column(heading, justify="right")
    for name, taken in found.items():
        aim = AIMS[name] if name.startswith(("shred", "erase")) else AIMS[name] * rows / 1_000_000
        plain = [f"{taken.plain_cpu:.2f}", f"{taken.plain_cpu / taken.cpu:.0f}"] if taken.plain_cpu else []
        figures = [f"{taken.cpu:.4f}", f"{aim:.3f}", f"{taken.cpu / aim:.0%}", f"{taken.wall:.4f}", f"{taken.memory:.2f}"]
        table.add_row(name, *figures, *plain)
    console = Console()
    console.print(table)
    console.print(
        f"aims beside these: tokens {TOKEN_RATIO:.0f} times faster than hmac.digest; {MEMORY_AIM:.0f} GiB over the input"
    )
    versions = f"Python {platform.python_version()}, polars {pl.__version__}, cryptography {cryptography.__version__}"
    console.print(f"{platform.machine()}, {versions}, {backend.openssl_version_text()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="records to protect")
    parser.add_argument("--sample", type=int, default=50_000, help="values for the plain libraries")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    report(measured(options.rows, options.sample, options.seed), options.rows)


if __name__ == "__main__":
    main()
