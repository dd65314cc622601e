"""Labels of many United States address lines at once: usaddress' own model, decoded in numpy.

The model is a linear-chain CRF. A token's score for each label is a sum of weights of its own features and of its neighbours';
those sums are kept for each kind of token, so that a line costs three look-ups a token and one Viterbi pass, which runs over all
lines of the same length together. usaddress adds up the same numbers in another order, so only lines whose best labelling leads
every other one clearly are answered here; the rest is left to usaddress itself.
"""

import re
import struct
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import usaddress

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

# Rust's and Python's character classes agree on these.
_PLAIN: Final = r"^[\n -~]*$"
_TOKENS: Final = r"\(*(?-u:\b)[^\s,;#&()]+[.,;)\n]*|[#&]"
# To the model a number looks like every other one of its length and trailing zeros; a ZIP+4 like every other that ends alike.
_NUMBER: Final = r"^[0-9]+[,.;]?$"
_ZIP_PLUS_4: Final = r"^[0-9]{5}-[0-9]{4}[,.;]?$"
# Far above what single precision loses: weights are below 10, a line's scores below 1000, their last digit below 0.0001.
_CLEAR_LEAD: Final = 0.01
_LINES_AT_ONCE: Final = 4096
_LONGEST_LINE: Final = 30
_MOST_TOKENS_KEPT: Final = 200_000


class Model(NamedTuple):
    """The weights of usaddress' model.

    Attributes:
        labels: In the order of the columns of the weights.
        attributes: Row of ``state`` by name of a feature.
        state: Weight of each feature for each label; the last row is zero, for features the model does not know.
        transition: Weight of each label (row) before each label (column).
    """

    labels: tuple[str, ...]
    attributes: dict[str, int]
    state: Floats
    transition: Floats


@cache
def load_model() -> Model:
    """Read the model file of the installed usaddress (format of CRFsuite 0.12, ``lib/crf/src/crf1d_model.c``).

    Raises:
        ValueError: The file is of another format.
    """
    data = (files("usaddress") / usaddress.MODEL_FILE).read_bytes()
    magic, _, kind, version, _, *rest = struct.unpack_from("<4sI4s7I", data)
    if (magic, kind, version) != (b"lCRF", b"FOMC", 100):
        raise ValueError("the model file of the installed usaddress is of another format than the one read here")
    label_count, attribute_count, features_at, labels_at, attributes_at = rest
    entry = np.dtype([("is_transition", "<u4"), ("source", "<u4"), ("label", "<u4"), ("weight", "<f8")])
    (feature_count,) = struct.unpack_from("<I", data, features_at + 8)
    features = np.frombuffer(data, entry, feature_count, features_at + 12)
    state = np.zeros((attribute_count + 1, label_count), np.float32)
    transition = np.zeros((label_count, label_count), np.float32)
    for table, part in (
        (state, features[features["is_transition"] == 0]),
        (transition, features[features["is_transition"] == 1]),
    ):
        np.add.at(table, (part["source"], part["label"]), part["weight"])
    attributes = {name: row for row, name in enumerate(_read_strings(data, attributes_at, attribute_count))}
    return Model(tuple(_read_strings(data, labels_at, label_count)), attributes, state, transition)


def _read_strings(data: bytes, start: int, count: int) -> list[str]:
    """Return the strings of a constant quark database (CQDB) by number."""
    _, _, _, _, size, backward = struct.unpack_from("<4s5I", data, start)
    places = struct.unpack_from(f"<{size}I", data, start + backward)
    found = []
    for place in places[:count]:
        _, length = struct.unpack_from("<II", data, start + place)
        found.append(data[start + place + 8 : start + place + 7 + length].decode())
    return found


class _Scores:
    """What each kind of token adds to the scores of its own labels, of those after it and of those before it."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._rows: dict[str, int] = {}
        self._kinds: dict[tuple[str, ...], int] = {}
        self._size = 0
        self.tables: Floats = np.zeros((3, len(model.labels), 1024), np.float32)

    def rows_of(self, tokens: list[str]) -> Integers:
        """Return the row of each token in ``tables``."""
        if len(self._rows) > _MOST_TOKENS_KEPT:
            self._rows.clear()
        known = self._rows
        return np.array([known[token] if token in known else self._add(token) for token in tokens], np.int64)

    def _add(self, token: str) -> int:
        names = tuple(
            name if value is True else f"{name}:{value}"
            for name, value in usaddress.tokenFeatures(token).items()
            if value is not False
        )
        known = tuple(name for name in names if self._is_known(name))
        row = self._kinds.get(known)
        if row is None:
            row = self._kinds[known] = self._size
            self._size += 1
            if row == self.tables.shape[2]:
                self.tables = np.concatenate([self.tables, np.zeros_like(self.tables)], axis=2)
            for table, prefix in zip(self.tables, ("", "previous:", "next:"), strict=True):
                table[:, row] = sum(self.weights(prefix + name) for name in known)
        self._rows[token] = row
        return row

    def _is_known(self, name: str) -> bool:
        return any(prefix + name in self._model.attributes for prefix in ("", "previous:", "next:"))

    def weights(self, name: str) -> Floats:
        """Return the weights of one feature; zeros where the model does not know it."""
        found: Floats = self._model.state[self._model.attributes.get(name, -1)]
        return found


@cache
def _scores() -> _Scores:
    return _Scores(load_model())


@cache
def _known_zip_codes() -> list[str]:
    """Return the words of the model that look like ZIP+4: they have weights of their own."""
    return sorted({name.rpartition(":")[2] for name in load_model().attributes if re.search(r"word:\d{5}-\d{4}$", name)})


def label_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Label the tokens of lines.

    Args:
        lines: ``code`` and ``line``, without nulls.

    Returns:
        ``code``, ``token`` and ``label`` (number of one of ``load_model().labels``), a row a token in the order of codes and
        tokens, just as ``usaddress.parse`` labels them; nothing of a line that is not plain ASCII, has no token or very many, or
        has no clear best labelling.
    """
    tokens = (
        lines.filter(pl.col("line").str.contains(_PLAIN))
        .select("code", token=pl.col("line").str.replace_all("&#38;|&amp;", "&").str.extract_all(_TOKENS))
        .with_columns(length=pl.col("token").list.len())
        .filter(pl.col("length").is_between(1, _LONGEST_LINE))
    )
    lengths = tokens["length"].to_numpy().astype(np.int64)
    flat = tokens.explode("token")
    rows = _rows_of(flat["token"])
    labels, is_clear = np.zeros(flat.height, np.uint8), np.zeros(tokens.height, np.bool_)
    starts = np.cumsum(lengths) - lengths
    for length in np.unique(lengths):
        of_length = np.flatnonzero(lengths == length)
        for first in range(0, of_length.size, _LINES_AT_ONCE):
            chunk = of_length[first : first + _LINES_AT_ONCE]
            places = starts[chunk] + np.arange(length)[:, None]
            labels[places], is_clear[chunk] = _decode(rows[places])
    return flat.select("code", "token", label=pl.Series(labels)).filter(pl.Series(np.repeat(is_clear, lengths)))


def _rows_of(tokens: pl.Series) -> Integers:
    """Return the row of each token in the score tables."""
    token = pl.col("token")
    kind = (
        pl.when(token.str.contains(_NUMBER))
        .then(token.str.replace_all("[1-9]", "1"))
        .when(token.str.contains(_ZIP_PLUS_4) & ~token.str.slice(0, 10).is_in(_known_zip_codes()))
        .then(pl.lit("11111-111") + token.str.slice(9))
        .otherwise(token)
    )
    frame = tokens.to_frame("token")
    distinct = frame.unique().with_columns(kind=kind)
    kinds = distinct.select("kind").unique()
    rows = distinct.join(kinds.with_columns(row=pl.Series(_scores().rows_of(kinds["kind"].to_list()))), on="kind", how="left")
    return frame.join(rows, on="token", how="left", maintain_order="left")["row"].to_numpy()


def _decode(rows: Integers) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return the best labels of lines of one length, and whether they lead every other labelling clearly.

    Args:
        rows: Row in the score tables of each token (first axis) of each line (second axis).
    """
    states = _state_scores(rows)
    coming = [states[0]]
    for state in states[1:]:
        coming.append(_best_arrivals(coming[-1]))
        coming[-1] += state
    lines, transition = np.arange(rows.shape[1]), load_model().transition
    labels = np.empty(rows.shape, np.uint8)
    lead = np.full(lines.size, np.inf, np.float32)
    last = coming[-1].copy()
    for place in range(len(rows) - 1, -1, -1):
        best = labels[place] = np.argmax(last, axis=0)
        highest = last[best, lines]
        last[best, lines] = -np.inf
        np.minimum(lead, highest - last.max(axis=0), out=lead)
        if place:
            last = coming[place - 1] + np.take(transition, best, axis=1)
    return labels, lead > _CLEAR_LEAD


class _Arrivals(NamedTuple):
    """The transitions: most weigh nothing, a few are an advantage, fewer a disadvantage.

    Attributes:
        common: Labels none of whose transitions is a disadvantage.
        has_disadvantage: For each label, whether it is one to come from some label.
        special: For each label those before it that the highest score of all (of the common ones where ``has_disadvantage``)
            does not speak for, each with the weight of the transition.
    """

    common: Integers
    has_disadvantage: list[bool]
    special: list[list[tuple[int, np.float32]]]


@cache
def _arrivals() -> _Arrivals:
    transition = load_model().transition
    is_common = [bool(weights.min() >= 0) for weights in transition]
    has_disadvantage = [bool(weights.min() < 0) for weights in transition.T]
    special = [
        [
            (before, weight)
            for before, weight in enumerate(weights)
            if weight > 0 or (has_disadvantage[label] and not is_common[before])
        ]
        for label, weights in enumerate(transition.T)
    ]
    return _Arrivals(np.flatnonzero(is_common), has_disadvantage, special)


def _best_arrivals(before: Floats) -> Floats:
    """Return for each label (first axis) of each line the highest score of a label before it with the transition."""
    arrivals = _arrivals()
    highest, highest_common = before.max(axis=0), before[arrivals.common].max(axis=0)
    best, candidate = np.empty_like(before), np.empty_like(highest)
    for label, special in enumerate(arrivals.special):
        into = best[label]
        into[:] = highest_common if arrivals.has_disadvantage[label] else highest
        for other, weight in special:
            np.maximum(into, np.add(before[other], weight, out=candidate), out=into)
    return best


def _state_scores(rows: Integers) -> list[Floats]:
    """Return for each token of the lines the score of each label (first axis) in each line."""
    scores = _scores()
    own, previous, following = scores.tables
    # np.take keeps the labels apart in memory; indexing would not.
    states = [np.take(own, place, axis=1) for place in rows]
    for place in range(1, len(states)):
        states[place] += np.take(previous, rows[place - 1], axis=1)
        states[place - 1] += np.take(following, rows[place], axis=1)
    ends = [(0, "address.start"), (-1, "address.end")]
    for place, name in ends if len(states) == 1 else [*ends, (1, "previous:address.start"), (-2, "next:address.end")]:
        states[place] += scores.weights(name)[:, None]
    return states
