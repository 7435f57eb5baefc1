"""A table for the terminal, and the files that a report is written to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import InputError
from finetune.evaluate.bootstrap import Interval
from finetune.evaluate.figure import figure
from finetune.evaluate.metrics import LIST
from finetune.evaluate.report import Report
from finetune.evaluate.run import CHOSEN_BY

if TYPE_CHECKING:
    from rich.table import Table

SHOWN = ("ndcg@10", "hr@10", "mrr@10", "recall@50", "recall@200", "auc")


def table(report: Report) -> Table:
    """The table for the terminal, 80 columns wide: the best first; what does not fit stands in the files."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    found = Table(
        title=report.title,
        title_justify="left",
        caption=report.caption,
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        collapse_padding=True,
    )
    found.add_column("system", no_wrap=True)
    for column in (CHOSEN_BY, "95% interval", "hr@10", "recall@50", "auc", "if retrieved"):
        found.add_column(column, justify="right", no_wrap=True)
    for name in report.best_first:
        metrics = report.systems[name]
        main = metrics[CHOSEN_BY]
        others = [_cell(metrics.get(m)) for m in ("hr@10", "recall@50", "auc", f"{CHOSEN_BY} if retrieved")]
        found.add_row(name, f"{main.mean:.4f}", f"{main.low:.4f}-{main.high:.4f}", *others)
    return found


def markdown(report: Report) -> str:
    """The report as a page: the main table, pairs, lists as a whole, groups, tuning."""
    names = report.best_first
    shown = [*SHOWN, "ndcg@10 if retrieved"]
    parts = [f"# {report.title}", report.caption]
    rows = [[n, *(_cell(report.systems[n].get(m), m in ("ndcg@10", "hr@10")) for m in shown)] for n in names]
    parts.append(_grid(["system", *shown], rows))
    parts.append("## Pairs\n\nndcg@10 of the first less that of the second, over the same people; 95% interval.")
    pairs = [
        [a, b, f"{i.mean:+.4f}", f"{i.low:+.4f} to {i.high:+.4f}", "yes" if i.is_clear else "no"]
        for (a, b), i in report.differences.items()
    ]
    parts.append(_grid(["first", "second", "difference", "interval", "clear of 0"], pairs))
    details = report.details()
    whole = [f"{m}@{LIST}" for m in ("coverage", "gini", "novelty", "diversity", "miscalibration")]
    rates = ["off_catalogue", "repeat", "seen"]
    body = [
        [n, *(_cell(report.systems[n].get(m)) for m in whole), *(f"{details['rates'][n][r]:.4f}" for r in rates)]
        for n in names
    ]
    parts.append("## Lists\n\nLower is better for Gini, miscalibration and the last three.")
    parts.append(_grid(["system", *whole, *rates], body))
    for attribute, systems in details["groups"].items():
        groups = list(systems[names[0]]["groups"])
        if len(groups) > 1:
            body = [
                [n, *(f"{systems[n]['groups'][g]['mean']:.4f}" for g in groups), f"{systems[n]['gap']:.4f}"]
                for n in names
            ]
            people = [f"{g} ({systems[names[0]]['groups'][g]['people']})" for g in groups]
            parts.append(f"## ndcg@10 by {attribute}\n\nGroups of 20 people or more, their number in brackets.")
            parts.append(_grid(["system", *people, "gap"], body))
    body = [
        [n, str(len(t["trials"]) or "none"), ", ".join(f"{k} = {v:g}" for k, v in t["setting"].items()) or "fixed"]
        for n, t in details["tuning"].items()
    ]
    parts.append(
        f"## Tuning\n\nOn the validation people of seed 0, by {CHOSEN_BY}; each tuned system has the same "
        "number of trials. The constants of transitions and of behaviour were chosen before (docs/log.md)."
    )
    parts.append(_grid(["system", "trials", "setting"], body))
    for name, weights in details["weights"].items():
        if weights:
            told = ", ".join(f"{source} {weight:.3f}" for source, weight in weights.items())
            parts.append(f"Weights of {name}, learned on the validation people of each seed, in the mean: {told}.")
    times = [[n, ", ".join(f"{s} {ms:.2f}" for s, ms in details["timings_ms"][n].items())] for n in names]
    parts.append("## Milliseconds\n\nMedian for each person; `score` is the whole catalogue, in batches.")
    parts.append(_grid(["system", "by stage"], times))
    return "\n\n".join(parts) + "\n"


def write(report: Report, folder: Path, json_file: Path | None = None) -> list[Path]:
    """Write report.json (or `json_file`), details.json, report.md and report.png; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    main = json_file or folder / "report.json"
    written = [main, folder / "details.json", folder / "report.md", folder / "report.png"]
    try:
        main.parent.mkdir(parents=True, exist_ok=True)
        main.write_text(json.dumps(report.as_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
        written[1].write_text(json.dumps(report.details(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
        written[2].write_text(markdown(report), encoding="utf-8")
    except OSError as error:
        raise InputError(f"The report cannot be written: {error}. Give a folder that is yours to write.") from error
    figure(report, written[3])
    return written


def _cell(value: Interval | None, with_interval: bool = False) -> str:
    if value is None:
        return "-"
    return f"{value.mean:.4f} ({value.low:.4f}-{value.high:.4f})" if with_interval else f"{value.mean:.4f}"


def _grid(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
