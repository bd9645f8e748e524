"""The report's figures: confusion matrix, training curves, precision-recall, calibration."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve

from ecg.records.aami import CLASSES
from ecg.records.ec57 import match, match_window
from trainer.scoring.evaluation import Named
from trainer.scoring.scores import SCORED

COLOURS: Final = {"N": "#3cb44b", "S": "#f5b800", "V": "#e6194b", "F": "#a05fd4", "Q": "#808080"}
BINS: Final = 10
DPI: Final = 110


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG without a date: the same figure gives the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI, facecolor=figure.get_facecolor(), metadata={"Software": None})
    return path


def confusion_figure(parts: dict[str, dict[str, Any]], path: Path) -> Path:
    """Heat maps of both evaluations: colour is the share of the cardiologists' class, the number a count."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    for axes, (title, part) in zip(figure.subplots(1, len(parts), squeeze=False)[0], parts.items(), strict=True):
        counts = np.array(part["confusion"]["reference_by_named"])
        rows, columns = _used(counts)
        shown = counts[np.ix_(rows, columns)]
        share = shown / np.maximum(counts.sum(axis=1)[rows, None], 1)
        axes.imshow(share, cmap="Greens", vmin=0, vmax=1)
        for i, j in np.ndindex(*shown.shape):
            dark = share[i, j] > 0.5
            axes.text(j, i, f"{shown[i, j]:,}", ha="center", va="center", color="white" if dark else "black")
        axes.set_xticks(range(len(columns)), [(*CLASSES, "missed")[c] for c in columns])
        axes.set_yticks(range(len(rows)), [(*CLASSES, "no beat")[r] for r in rows])
        axes.set(title=title, xlabel="the network's class", ylabel="the cardiologists' class")
    return save(figure, path)


def _used(counts: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """Rows and columns to show: the classes, and missed or false beats where there are any."""
    rows = [i for i in range(6) if i < 5 or counts[5].any()]
    columns = [i for i in range(6) if i < 5 or counts[:, 5].any()]
    return rows, columns


def curves_figure(log: list[dict[str, float]], path: Path) -> Path:
    """Loss, and validation macro-F1 where records were held out, by epoch."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    epochs = [row["epoch"] for row in log]
    axes.plot(epochs, [row["loss"] for row in log], color="#222222", label="loss on the records fitted on")
    axes.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
    scored = [row for row in log if "macro_f1_nsv" in row]
    if scored:
        other = axes.twinx()
        values = [row["macro_f1_nsv"] for row in scored]
        other.plot(
            [row["epoch"] for row in scored],
            values,
            color=COLOURS["N"],
            label="macro-F1(N,S,V) on held-out DS1 records",
        )
        other.set(ylabel="macro-F1", ylim=(0, 1))
        other.legend(loc="lower right", frameon=False)
    axes.legend(loc="upper right", frameon=False)
    return save(figure, path)


def beats_of(named: dict[str, Named]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """All beats outside flutter: reference class (-1: no beat there) [n] and probabilities [n, 5].

    A missed reference beat stands at the end with probability 0 of every class.
    """
    classes, given = [], []
    for one in named.values():
        reference = one.cut.reference
        inside = reference.outside_flutter(one.cut.index)
        classes.append(one.cut.classes[inside])
        given.append(one.probabilities[inside].astype(np.float64))
        if one.cut.source == "detector":
            counts = reference.outside_flutter(reference.index)
            found, _ = match(reference.index[counts], one.cut.index[inside], match_window(reference.rate))
            missed = reference.classes[counts][found < 0]
            classes.append(missed)
            given.append(np.zeros((len(missed), len(CLASSES))))
    return np.concatenate(classes), np.concatenate(given)


def precision_recall_figure(named: dict[str, Named], path: Path) -> tuple[Path, dict[str, float]]:
    """Precision over recall as the threshold on a class's probability moves; average precision by class."""
    classes, given = beats_of(named)
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    found = {}
    for name in SCORED:
        i = CLASSES.index(name)
        if not (classes == i).any():
            continue
        precision, recall, _ = precision_recall_curve(classes == i, given[:, i])
        found[name] = float(average_precision_score(classes == i, given[:, i]))
        axes.step(recall, precision, where="post", color=COLOURS[name], label=f"{name}  {found[name]:.3f}")
    axes.set(xlabel="sensitivity", ylabel="+P", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(title="average precision", loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return save(figure, path), found


def calibration_figure(named: dict[str, Named], path: Path) -> tuple[Path, dict[str, float]]:
    """Share of right beats by the probability given to a class; expected calibration error by class."""
    classes, given = beats_of(named)
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot((0, 1), (0, 1), color="#bbbbbb", linewidth=1)
    found = {}
    for name in SCORED:
        i = CLASSES.index(name)
        if not (classes == i).any():
            continue
        mean, right, weight = _reliability(classes == i, given[:, i])
        found[name] = float((np.abs(mean - right) * weight).sum())
        axes.plot(mean, right, "o-", color=COLOURS[name], markersize=4, label=f"{name}  {found[name]:.3f}")
    axes.set(xlabel="probability given", ylabel="share of right beats", xlim=(0, 1), ylim=(0, 1))
    axes.legend(title="calibration error", loc="upper left", frameon=False)
    return save(figure, path), found


def reliability_figure(curves: dict[str, list[list[float]]], path: Path) -> tuple[Path, dict[str, float]]:
    """Share of right names by their confidence, a curve for each set of beats; expected calibration error by set.

    curves: rows of `trainer.scoring.calibration.rows`: lower bound, share of the beats, mean confidence, share right.
    """
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot((0, 1), (0, 1), color="#bbbbbb", linewidth=1)
    found = {}
    for (name, rows), marker in zip(curves.items(), "osD^v", strict=False):
        share, confidence, right = np.array(rows, np.float64).reshape(-1, 4)[:, 1:].T
        found[name] = float((np.abs(confidence - right) * share).sum())
        axes.plot(confidence, right, f"{marker}-", markersize=4, label=f"{name}  {found[name]:.3f}")
    axes.set(xlabel="confidence of the name", ylabel="share of right names", xlim=(0, 1), ylim=(0, 1))
    axes.legend(title="calibration error", loc="upper left", frameon=False)
    return save(figure, path), found


def _reliability(
    known: NDArray[np.bool_], given: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean probability, share of right beats, and share of all beats, of each bin with beats."""
    bins = np.minimum((given * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    used = counts > 0
    mean = np.bincount(bins, given, BINS)[used] / counts[used]
    right = np.bincount(bins, known, BINS)[used] / counts[used]
    return mean, right, counts[used] / counts.sum()


def clinical(axes: Axes) -> None:
    """Axes as ECG paper on a dark screen: 25 mm/s, 10 mm/mV, a line every 0.2 s and 0.5 mV."""
    axes.set_facecolor("black")
    axes.set_aspect(0.4)
    low, high = axes.get_xlim()
    axes.set_xticks(np.arange(np.ceil(low / 0.2) * 0.2, high, 0.2))
    bottom, top = axes.get_ylim()
    axes.set_yticks(np.arange(np.ceil(bottom / 0.5) * 0.5, top + 1e-9, 0.5))
    axes.grid(color="#0b3d14", linewidth=0.7)
    axes.tick_params(length=0, labelbottom=False, labelleft=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
