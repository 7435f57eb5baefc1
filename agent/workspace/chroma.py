"""Chroma, the library: a folder opened, a collection made, and what goes wrong in it. The only file that imports it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.errors import InputError, WorkspaceError
from agent.workspace.generations import must_rebuild

COLLECTION = "items"
LARGEST_BATCH = 5461  # Chroma refuses more in one call
# Recall@50 against exact search over 20,000 clustered 384-dimensional vectors with much noise: ef_search 100/200/400 =
# .928/.976/.996 in 2.1/2.7/3.5 ms (with 16 neighbours .793/.888/.962); over 1,682 it is 1.000 from 200 on.
HNSW = {"space": "cosine", "max_neighbors": 32, "ef_construction": 200, "ef_search": 400}


def open_client(path: Path) -> Any:  # noqa: ANN401 - chromadb is imported here only
    """Chroma over the files of this folder; close it when done."""
    import chromadb
    from chromadb.config import Settings

    # Without `_env_file` Chroma would take settings from a `.env` in whatever folder the person stands in.
    return chromadb.PersistentClient(str(path), settings=Settings(_env_file=None, anonymized_telemetry=False))


def create_collection(path: Path, about: Mapping[str, Any]) -> None:
    """Make the collection in a new folder, with nothing in it; `about` says what it is for."""
    client = open_client(path)
    try:
        client.create_collection(
            COLLECTION, embedding_function=None, metadata=dict(about), configuration={"hnsw": HNSW}
        )
    finally:
        client.close()


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Chroma's own errors, and the panics of its Rust core (BaseException, no shared class), as WorkspaceError."""
    import chromadb.errors

    try:
        yield
    except (WorkspaceError, InputError):
        raise
    except (chromadb.errors.ChromaError, ValueError, KeyError, AttributeError, OSError) as error:
        raise WorkspaceError(must_rebuild(folder, f"cannot be used ({str(error)[:200]})")) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise WorkspaceError(must_rebuild(folder, f"is damaged ({str(error)[:200]})")) from error
