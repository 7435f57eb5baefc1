"""The rules of the house: imports go one way, and heavy libraries are imported where they are used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ["prompts", "agent", "finetune", "ui"]  # each may import those before it
# In the order of a turn, and what looks back on one.
STAGES = ["workspace", "understanding", "retrieval", "generation", "ranking", "justification", "explaining"]
HEAVY = {
    "torch", "transformers", "peft", "accelerate", "sentence_transformers", "chromadb", "gradio", "scipy", "bm25s",
    "pyarrow", "pandas", "rapidfuzz", "gguf", "huggingface_hub", "sklearn",
}  # fmt: skip
# `ranking` reads the log-probabilities that `generation` defines; nothing else looks ahead.
PAGES = [
    ROOT / "ui" / "app.py",
    ROOT / "ui" / "front.py",
    ROOT / "ui" / "workshop" / "page.py",
]  # nothing else imports gradio
FILES = sorted(p for layer in LAYERS for p in (ROOT / layer).rglob("*.py"))


def imports(path: Path) -> list[tuple[str, bool]]:
    """(module, whether it is imported when the file is) for every import outside `if TYPE_CHECKING`."""
    found = []

    def walk(node: ast.AST, at_import: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.Import):
                found.extend((alias.name, at_import) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                found.append((child.module or "", at_import))
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            walk(child, at_import and not inside)

    walk(ast.parse(path.read_text(encoding="utf-8")), True)
    return found


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_layers_import_only_what_lies_below(path):
    layer = path.relative_to(ROOT).parts[0]
    above = set(LAYERS[LAYERS.index(layer) + 1 :])
    assert not {m for m, _ in imports(path) if m.split(".")[0] in above}


@pytest.mark.parametrize("path", [p for p in FILES if p.parent.name in STAGES], ids=relative)
def test_a_stage_never_imports_a_later_stage(path):
    later = set(STAGES[STAGES.index(path.parent.name) + 1 :])
    assert not {m for m, _ in imports(path) if m.startswith("agent.") and m.split(".")[1] in later}


@pytest.mark.parametrize("path", [p for p in FILES if p.parent.name in STAGES], ids=relative)
def test_only_the_turn_sees_all_stages(path):
    composed = {"agent.agent", "agent.build", "agent.conversation", "agent.stages", "agent.turn"}
    assert not {m for m, _ in imports(path)} & composed


@pytest.mark.parametrize("name", ["schema", "errors", "progress"])
def test_the_types_import_nothing_of_ours(name):
    assert not [m for m, _ in imports(ROOT / "agent" / f"{name}.py") if m.split(".")[0] in LAYERS]


@pytest.mark.parametrize("path", [p for p in FILES if p not in PAGES], ids=relative)
def test_heavy_libraries_are_imported_where_they_are_used(path):
    assert not {m for m, at_import in imports(path) if at_import and m.split(".")[0] in HEAVY}


def test_only_one_file_imports_chroma():
    assert {relative(p) for p in FILES if any(m.split(".")[0] == "chromadb" for m, _ in imports(p))} == {
        "agent/workspace/chroma.py"
    }


def test_ui_knows_nothing_of_models_and_stores():
    known = {m.split(".")[0] for p in (ROOT / "ui").rglob("*.py") for m, _ in imports(p)}
    assert not known & {"torch", "chromadb", "transformers", "sentence_transformers", "peft", "sqlite3"}


def test_importing_the_agent_is_light():
    code = f"import sys, agent; from agent import Agent; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
