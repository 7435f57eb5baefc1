"""What Chroma writes beyond its items: the memory of this process as it happened to be, which must not stay on disk.

A graph that holds no saved item yet is written with room for 100, and that room is memory which was never cleared
(https://github.com/chroma-core/chroma/issues/7688): it can hold names and words of people, even of forgotten ones.
"""

from __future__ import annotations

import struct
from pathlib import Path

HEADER = struct.Struct("<i6Qii3QdQ")  # of hnswlib as Chroma keeps it; the fields named below are its 4th and 5th
LENGTH = 4  # bytes of one vector's length, in length.bin


def clear_leftovers(generation: Path) -> None:
    """Fill with zeros what lies behind the saved items in every graph of this folder. Chroma never reads it.

    For whoever writes here only: an item saved meanwhile would be lost. Raises OSError where it cannot be written.
    """
    for header in generation.glob("*/header.bin"):
        fields = header.read_bytes()
        if len(fields) == HEADER.size:  # otherwise it is being written, or is damaged, which Chroma tells
            _, _, _, items, size, *_ = HEADER.unpack(fields)
            _clear(header.with_name("data_level0.bin"), items * size)
            _clear(header.with_name("length.bin"), items * LENGTH)


def _clear(file: Path, start: int) -> None:
    with file.open("rb") as opened:
        opened.seek(start)
        behind = opened.read()
    if behind.strip(b"\0"):
        with file.open("r+b") as opened:
            opened.seek(start)
            opened.write(bytes(len(behind)))
