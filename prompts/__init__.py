"""The prompt sets that ship with Vouchrec, and how to find one: a folder of `.prompty` files, or with a `set.yaml`."""

from __future__ import annotations

from pathlib import Path

_SHIPPED = Path(__file__).parent


def shipped() -> tuple[str, ...]:
    """Names of the sets inside this package, in alphabetical order; the same in a source tree and in a wheel."""
    folders = (file.parent for pattern in ("*/*.prompty", "*/set.yaml") for file in _SHIPPED.glob(pattern))
    return tuple(sorted({folder.name for folder in folders}))


def locate(name_or_path: str | Path) -> Path:
    """The folder of a prompt set.

    A plain word ("recommend") names a shipped set; anything with a separator ("./mine", "~/prompts/books") is a path.
    So a folder that happens to lie in the working directory never replaces a shipped set by accident.

    Raises:
        FileNotFoundError: no such set; the message lists the shipped ones.
    """
    given = str(name_or_path)
    if given in shipped():
        return _SHIPPED / given
    is_path = isinstance(name_or_path, Path) or "/" in given or "\\" in given
    folder = Path(given).expanduser()
    if is_path and folder.is_dir():
        return folder
    raise FileNotFoundError(
        f"There is no prompt set {given!r}. Shipped sets: {', '.join(shipped())}. "
        "For a set of your own give a path to its folder, such as ./my-prompts."
    )
