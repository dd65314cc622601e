"""Draws the threshold curve: precision, recall and F1 against the threshold, of pairs and of records."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
import polars as pl

from custview_pipeline.adapters.private_files import replace_durably
from custview_pipeline.kernel.errors import ProjectInvalid

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANELS: Final = {"Records (B-cubed)": "b3_", "Pairs": ""}
# The colours of Okabe and Ito (2008), which people who see red and green alike can tell apart.
_COLOURS: Final = {"precision": "#0072B2", "recall": "#E69F00", "f1": "#009E73"}
_NAMES: Final = {"precision": "precision", "recall": "recall", "f1": "F1"}
_GREY: Final = "#5f6368"
_PALE: Final = "#e3e5e8"
_LOWEST_SHOWN: Final = 0.5  # of a score; what lies below is of no use to anybody, and would flatten the rest
_DOTS_PER_INCH: Final = 160


def assert_can_plot() -> None:
    """Refuse to draw where matplotlib is not installed, before any work is done.

    Raises:
        ProjectInvalid: It is not; names the extra that brings it.
    """
    if find_spec("matplotlib") is None:
        raise ProjectInvalid("--plot needs matplotlib: pip install 'custview-pipeline[plots]'")


def write_plot(scores: pl.DataFrame, path: Path, *, shipped: float) -> None:
    """Draw the curve.

    Args:
        scores: What ``flows.evaluate.threshold_curve`` returns.
        path: The PNG file; an earlier one is replaced.
        shipped: The threshold in use, in bits; it is marked.

    Raises:
        ProjectInvalid: The file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 -- an extra, and a second to load
    from matplotlib.figure import Figure  # noqa: PLC0415 -- see above

    figure = Figure(figsize=(10.5, 4.4), layout="constrained", facecolor="white")
    canvas = FigureCanvasAgg(figure)  # no window, whatever the machine has
    axes = figure.subplots(1, len(_PANELS), sharex=True, sharey=True)
    for panel, (title, prefix) in zip(axes, _PANELS.items(), strict=True):
        _draw(panel, scores, prefix, shipped)
        panel.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes[0].set_ylabel("score")
    lowest = min(_LOWEST_SHOWN, *(_at(scores, f"{prefix}{name}", shipped) for prefix in _PANELS.values() for name in _NAMES))
    axes[0].set_ylim(max(axes[0].get_ylim()[0], lowest), 1.01)
    lines, names = axes[0].get_legend_handles_labels()
    figure.legend(lines, names, frameon=False, loc="outside upper right", fontsize=10, ncols=len(_COLOURS))

    def write(file: BinaryIO) -> None:
        canvas.print_figure(file, format="png", dpi=_DOTS_PER_INCH)

    target = path.resolve()
    if target.exists() and not target.is_file():
        raise ProjectInvalid("cannot be written: it is no regular file", file=path)
    try:
        replace_durably(target, write)
    except OSError as error:
        raise ProjectInvalid(f"cannot be written ({type(error).__name__})", file=path) from None


def _draw(panel: "Axes", scores: pl.DataFrame, prefix: str, shipped: float) -> None:
    thresholds, here = scores["threshold"].to_numpy(), []
    for name, colour in _COLOURS.items():
        line = scores[f"{prefix}{name}"].to_numpy()
        panel.plot(thresholds, line, color=colour, lw=2.4 if name == "f1" else 1.8, label=_NAMES[name])
        if thresholds[0] <= shipped <= thresholds[-1]:
            value = _at(scores, f"{prefix}{name}", shipped)
            here.append(f"{_NAMES[name]} {value:.3f}")
            panel.plot([shipped], [value], "o", color=colour, ms=5.5, mec="white", mew=1.2, zorder=5)
    panel.axvline(shipped, color=_GREY, lw=1.2, ls=(0, (4, 3)), zorder=0)
    said = "\n".join([f"in use: {shipped:g}", *here])
    panel.annotate(
        said,
        (shipped, 0),
        xycoords=("data", "axes fraction"),
        xytext=(7, 8),
        textcoords="offset points",
        color=_GREY,
        fontsize=9,
        linespacing=1.35,
    )
    panel.set_xlabel("threshold, bits of evidence")
    panel.grid(color=_PALE, lw=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(_GREY)
    panel.tick_params(color=_GREY, labelsize=9)
    panel.margins(x=0.01)


def _at(scores: pl.DataFrame, name: str, threshold: float) -> float:
    """Return a score at a threshold, between those that were measured if need be."""
    return float(np.interp(threshold, scores["threshold"].to_numpy(), scores[name].to_numpy()))
