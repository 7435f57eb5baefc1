"""Is the language model faster on a CPU with its weights in 8 bits, and what does it lose?

Every linear map is quantised as PyTorch does it dynamically: weights once, activations at each call. Beside the model
as it serves, by turns in one run: reading a prompt of 500 tokens, and one step of writing five reasons upon it. What is
lost is told by what both say of the same 50 film titles after the same prompts: the correlation of their scores, and
how often the first of them is another one. Time is that of this thread on the processor.

    python benchmarks/int8.py --repeats 7 --json out.json
"""

from __future__ import annotations

import argparse
import copy
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import describe_run, open_without_model, ratio, write_json  # type: ignore[import-not-found]
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

from agent.assets import language_model
from agent.generation.chat import Chat
from agent.generation.loading import load_model
from agent.generation.prompting import PromptSet, clean_title
from finetune.evaluate.bootstrap import Interval, interval

READ, WRITTEN, TITLES, PEOPLE, RECENT = 500, 5, 50, 40, 20


def main() -> None:
    """Time both, compare both, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # so that a thread's time on the processor is all of it
    with open_without_model() as agent:
        folder = language_model(agent.settings.model, agent.settings.cache)
        served, tokenizer = load_model(folder, agent.settings.dtype)
        asked = list(_asked(agent, np.random.default_rng(arguments.seed)))
    chat = Chat(tokenizer)
    models = {"as served": served.eval(), "int8": _in_8_bits(served)}
    figures: dict[str, Any] = {}
    table = Table(title=f"int8 beside {str(next(served.parameters()).dtype).removeprefix('torch.')}, one thread")
    for column in ("", *models, "times as fast (95%)"):
        table.add_column(column, justify="right")
    with torch.inference_mode():
        for name, work in (("read 500 tokens, ms", _reading), ("a step of writing 5, ms", _writing)):
            times = _by_turns({model: work(models[model]) for model in models}, arguments.repeats)
            found = ratio(times["as served"], times["int8"])
            figures[name] = {**{m: float(np.median(t)) for m, t in times.items()}, "ratio": found}
            cells = [f"{1000 * np.median(times[model]):.1f}" for model in models]
            table.add_row(name, *cells, f"{found['median']:.2f} ({found['low']:.2f} to {found['high']:.2f})")
        pairs = [tuple(_scores(m, chat, *one) for m in models.values()) for one in asked]
    alike = interval(np.array([spearmanr(a, b).statistic for a, b in pairs]))
    changed = interval(np.array([float(a.argmax() != b.argmax()) for a, b in pairs]))
    Console().print(table)
    Console().print(f"Scores of {TITLES} titles for {PEOPLE} people: rank correlation {_said(alike)},")
    Console().print(f"another first title for {_said(changed)} of them.")
    compared = {"correlation": alike.as_dict(), "changed": changed.as_dict()}
    write_json(arguments.json, {**describe_run(), **figures, **compared})


def _said(found: Interval) -> str:
    return f"{found.mean:.3f} ({found.low:.3f} to {found.high:.3f})"


def _in_8_bits(model: Any) -> Any:  # noqa: ANN401 - transformers' own
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.ao is to move to torchao
        whole = copy.deepcopy(model).float()
        return torch.ao.quantization.quantize_dynamic(whole, {torch.nn.Linear}, dtype=torch.qint8).eval()


def _asked(agent: Any, random: np.random.Generator) -> Any:  # noqa: ANN401
    """Prompts with the latest of a history, and titles of films that are not in it."""
    rank = PromptSet.named(agent.settings.prompts).get("rank")
    columns = agent.workspace.store.interaction_columns()
    titles = [clean_title(item.title) for item in agent.catalogue.items]
    for user in random.choice(len(columns.user_ids), PEOPLE, replace=False):
        history = columns.items[columns.users == user]
        known = [{"title": titles[item], "feeling": "liked"} for item in history[-RECENT:]]
        others = random.choice(np.setdiff1d(np.arange(len(titles)), history), TITLES, replace=False)
        yield rank.render(history=known, request="", noun=agent.noun), [titles[item] for item in others]


def _scores(model: Any, chat: Chat, prompt: Any, titles: list[str]) -> Any:  # noqa: ANN401
    """(titles,): mean log-probability per token of each title after the prompt."""
    before = chat.encode(chat.render(prompt))
    read = model(torch.tensor([before]), use_cache=True)
    rows = [chat.title(title) for title in titles]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [chat.end] * (longest - len(row)) for row in rows])
    cache = read.past_key_values
    cache.batch_repeat_interleave(len(rows))
    after = model(ids, past_key_values=cache).logits
    first = read.logits[:, -1:].expand(len(rows), -1, -1)
    said = torch.cat([first, after[:, :-1]], 1).float().log_softmax(-1)
    each = said.gather(2, ids[..., None])[..., 0]
    return np.array([each[row, : len(rows[row])].mean().item() for row in range(len(rows))])


def _reading(model: Any) -> Callable[[], object]:  # noqa: ANN401
    ids = torch.arange(1000, 1000 + READ)[None]
    return lambda: model(ids, use_cache=True)


def _writing(model: Any) -> Callable[[], object]:  # noqa: ANN401
    cache = model(torch.arange(1000, 1000 + READ)[None], use_cache=True).past_key_values
    cache.batch_repeat_interleave(WRITTEN)
    ids = torch.arange(2000, 2000 + WRITTEN)[:, None]

    def step() -> object:
        try:
            return model(ids, past_key_values=cache)
        finally:
            cache.crop(-1)

    return step


def _by_turns(works: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(repeats + 1):
        for name, work in works.items():
            begun = time.thread_time()
            work()
            if turn:  # the first warms up
                times[name].append(time.thread_time() - begun)
    return times


if __name__ == "__main__":
    main()
