"""The figure of a report: quality by depth of retrieval, by length of the history, by popularity of the target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from finetune.evaluate.metrics import DEEPEST
from finetune.evaluate.report import Report

# Okabe and Ito's colours, which people with any kind of colour vision can tell apart; the rest is drawn in grey.
COLOURS = {"agent": "#d55e00", "fused": "#0072b2", "sasrec": "#009e73", "transitions": "#cc79a7"}
GREYS = ("#595959", "#8c8c8c", "#b3b3b3", "#404040", "#737373", "#a6a6a6")
STROKES = ("-", "--", ":", "-.")


def figure(report: Report, path: Path) -> None:
    """Three panels: recall by depth of retrieval, ndcg@10 by length of the history and by popularity of the target."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = report.best_first
    drawing = Figure(figsize=(13, 4.6), layout="constrained", facecolor="white")
    FigureCanvasAgg(drawing)
    left, middle, right = drawing.subplots(1, 3, width_ratios=(1.25, 1, 1))
    plain = [n for n in names if n not in COLOURS]
    for name in reversed(names):
        look = _look(name, plain)
        left.plot(*report.by_depth(name), label=name, **look)
        for panel, buckets in ((middle, report.by_history(name)), (right, report.by_popularity(name))):
            labels, means, errors = zip(*buckets, strict=True)
            panel.errorbar(labels, means, errors, marker="o", markersize=4, elinewidth=0.8, **look)
    left.set(xscale="log", xlabel="depth of the list", ylabel="targets found", xlim=(1, DEEPEST))
    left.set_xticks([1, 5, 10, 50, 200], labels=["1", "5", "10", "50", "200"])
    left.minorticks_off()
    middle.set(xlabel="length of the history", ylabel="ndcg@10")
    right.set(xlabel="people learned from who know the target", ylabel="ndcg@10")
    titles = ("Recall by depth", "Quality by history", "Quality by popularity")
    for panel, title in zip((left, middle, right), titles, strict=True):
        panel.set_title(title, loc="left", fontsize=11, fontweight="bold")
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(axis="y", color="#e6e6e6", linewidth=0.8)
        panel.set_axisbelow(True)
        panel.set_ylim(bottom=0)
    handles, labels = left.get_legend_handles_labels()
    left.legend(handles[::-1], labels[::-1], frameon=False, fontsize=9)
    drawing.suptitle(report.title, x=0.01, ha="left", fontsize=12)
    drawing.savefig(path, dpi=150)


def _look(name: str, plain: Sequence[str]) -> dict[str, Any]:
    if name in COLOURS:
        return {"color": COLOURS[name], "linewidth": 2.2}
    place = plain.index(name)
    return {
        "color": GREYS[place % len(GREYS)],
        "linewidth": 1.2,
        "linestyle": STROKES[place % len(STROKES)],
    }
