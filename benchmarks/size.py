"""Cost of matching against the number of records: CPU, wall and memory of matching with a trained model, and of training.

    python benchmarks/size.py --sizes 100000 300000 1000000 3000000 --plot docs/images/matching_size.png

Each size is a generated world, taken into a lake once; with --keep the lakes stay for the next run. Reading the index and
matching run in a fresh process with a model that another process trained on the same records. The slope is that of a straight
line through the logarithms: 1 is linear. The plot needs the extra `plots`.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from meter import Taken, in_own_process
from our_matching import match_index, take_in
from rich.console import Console
from rich.table import Table

from custview_pipeline.demo.world import generate

TAKEN_IN = "taken_in"


class Cost(NamedTuple):
    """What one size took.

    Attributes:
        records: Records in the index.
        pairs: Pairs compared.
        match: Reading the index and matching.
    """

    records: int
    pairs: int
    train: Taken
    match: Taken


def measure(size: int, seed: int, folder: Path) -> Cost:
    """Measure one size; its lake is made where ``folder`` does not hold it yet."""
    world, store = folder / f"world-{size}-{seed}", folder / f"lake-{size}-{seed}"
    if not (store / TAKEN_IN).exists():
        in_own_process(partial(generate, records=size, seed=seed), world)
        in_own_process(take_in, world, store)
        (store / TAKEN_IN).touch()
    first = in_own_process(match_index, world, store, None)
    again = in_own_process(match_index, world, store, first.known)
    read, match = again.stages["read"], again.stages["match"]
    whole = Taken(read.cpu + match.cpu, read.wall + match.wall, max(read.peak, match.peak))
    return Cost(again.clusters.height, again.compared_count, first.stages["train"], whole)


def slope(records: Sequence[float], costs: Sequence[float]) -> float:
    """Return the slope of a straight line through the logarithms."""
    return float(np.polyfit(np.log(records), np.log(costs), 1)[0]) if len(records) > 1 else float("nan")


def plot(costs: Sequence[Cost], file: Path) -> None:
    """Draw CPU and memory against records, both axes logarithmic, with a straight line for comparison."""
    import matplotlib as mpl  # noqa: PLC0415 -- an extra, wanted for the plot alone

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 -- as above
    from matplotlib.ticker import FuncFormatter, LogLocator  # noqa: PLC0415 -- as above

    records = np.array([cost.records for cost in costs], dtype=float)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for label, colour, values in (
        ("match, trained model", "#1f5fa8", [cost.match.cpu for cost in costs]),
        ("train", "#d98032", [cost.train.cpu for cost in costs]),
    ):
        left.plot(records, values, "o-", color=colour, label=f"{label} (slope {slope(records, values):.2f})")
    linear = costs[0].match.cpu * records / records[0]
    left.plot(records, linear, "--", color="#999999", linewidth=1, label="linear")
    right.plot(records, [cost.match.peak for cost in costs], "o-", color="#1f5fa8", label="match, trained model")
    right.plot(records, [cost.train.peak for cost in costs], "o-", color="#d98032", label="train")
    for axes, title, unit in ((left, "CPU time", "seconds"), (right, "Peak memory", "GiB")):
        axes.set(xscale="log", yscale="log", title=title, xlabel="records", ylabel=unit)
        axes.set_xticks(records, [f"{each / 1e6:.2g} M" for each in records])
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.minorticks_off()
        axes.grid(visible=True, color="#dddddd", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=150)


def shown(costs: Sequence[Cost]) -> Table:
    headings = ("records", "pairs compared", "train, CPU s", "match, CPU s", "wall s", "peak GiB", "CPU us a record")
    table = Table(*headings, title="Matching from the stored index")
    for cost in costs:
        each = f"{1e6 * cost.match.cpu / cost.records:.1f}"
        taken = (f"{cost.train.cpu:.1f}", f"{cost.match.cpu:.1f}", f"{cost.match.wall:.1f}", f"{cost.match.peak:.2f}")
        table.add_row(f"{cost.records:,}", f"{cost.pairs:,}", *taken, each)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[100_000, 300_000, 1_000_000, 3_000_000])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the lakes, which stay there")
    parser.add_argument("--plot", type=Path, help="where to draw the plot (PNG)")
    parser.add_argument("--json", type=Path, help="file of earlier costs, read and added to, so that sizes may be run one by one")
    options = parser.parse_args()
    known = [Cost(*cost) for cost in json.loads(options.json.read_text())] if options.json and options.json.exists() else []
    costs = {cost.records: cost._replace(train=Taken(*cost.train), match=Taken(*cost.match)) for cost in known}
    with tempfile.TemporaryDirectory() as temporary:
        for size in options.sizes:
            cost = measure(size, options.seed, options.keep or Path(temporary))
            costs[cost.records] = cost
            if options.json:
                options.json.write_text(json.dumps(list(costs.values())))
    ordered = [costs[records] for records in sorted(costs)]
    console = Console()
    console.print(shown(ordered))
    cpu = slope([cost.records for cost in ordered], [cost.match.cpu for cost in ordered])
    console.print(f"slope of CPU against records, in logarithms: {cpu:.2f}")
    if options.plot:
        plot(ordered, options.plot)


if __name__ == "__main__":
    main()
