"""What is said beside exported weights: what they are, and Python that loads them without Vouchrec (a test runs it)."""

from __future__ import annotations

from agent.generation.adapters import AdapterManifest

_WRITES = """It writes words as any model of transformers does:

```
from transformers import AutoModelForCausalLM, AutoTokenizer

writer, tokenizer = AutoModelForCausalLM.from_pretrained("."), AutoTokenizer.from_pretrained(".")
```
"""

_RANKS_ALONE = """**These weights rank, and should not write.** The adapter has learned no words, and would spoil
those of the same weights; so only the layers that rank are here, without a head for words. For words take the base
model. Vouchrec itself serves both side by side.
"""

_ITEMS = """It reads a history as one vector an item, after a prompt, and says how likely every item is to be next:

```python
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn.functional import layer_norm, linear
from transformers import AutoModel, AutoTokenizer

folder = Path(".")  # where this file is
model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
tensors = load_file(folder / "items.safetensors")
titles = [item["title"] for item in json.loads((folder / "items.json").read_text(encoding="utf-8"))]
PROMPT = {prompt!r}


@torch.inference_mode()
def scores(history):
    \"\"\"A logit for each of `titles`; `history` holds places in it, oldest first.\"\"\"
    words = tokenizer(PROMPT, add_special_tokens=False, return_tensors="pt").input_ids
    taken = tensors["vectors"][history[-{window}:]]
    taken = layer_norm(taken, taken.shape[-1:], tensors["norm.weight"], tensors["norm.bias"])
    taken = linear(taken, tensors["into.weight"], tensors["into.bias"]) * tensors["scale"]
    read = torch.cat([model.get_input_embeddings()(words), taken[None].to(model.dtype)], 1)
    state = {state}.float()
    return linear(layer_norm(state, state.shape), tensors["ask.weight"]) @ tensors["vectors"].T


history = [0]
print([titles[place] for place in scores(history).argsort(descending=True).tolist() if place not in history][:10])
```

`items.safetensors` holds `vectors`, one for each item of the catalogue as it was on export, and the maps between them
and the model; `items.json` the ids and titles of these items, in that order. `manifest.json` is the adapter's: what it
was tuned on and how, its `shape`, with the `depth` in layers after which it answers (null: after all), and `window`,
how many items of a history it reads.

An item that comes later has the vector `map.weight @ ((text - centre) / spread)`, where `text` is its vector by the
encoder of the manifest. One that was trained has its row of `own.weight` besides; the `items` of the manifest are the
keys of these rows, each an id with a mark of the title.
"""


def card(manifest: AdapterManifest, prompt: str) -> str:
    """README.md of an exported adapter; `prompt` is the text that it reads before a history."""
    shape, alone = manifest.shape, manifest.ranks_alone
    parts = [
        f"# {manifest.name}\n",
        f"The language model {manifest.base_name} with the adapter {manifest.name} in its weights, as Vouchrec exports "
        "it. The terms of that model hold for it too.\n",
        _RANKS_ALONE if alone else _WRITES,
    ]
    if shape is not None:
        state = "model(inputs_embeds=read).last_hidden_state[0, -1]"
        if shape.depth is not None and not alone:  # words need the layers above it, too
            told = "model(inputs_embeds=read, output_hidden_states=True)"
            state = f"model.norm({told}.hidden_states[{shape.depth}][0, -1])"
        parts.append(_ITEMS.format(prompt=prompt, window=manifest.window, state=state))
    return "\n".join(parts)
