"""Who may sign in to the chat: `vouchrec accounts add|list|remove|password`. They work beside a server that runs."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from ui.options import Workspace
from ui.terminal import Terminal, clean, guarded

if TYPE_CHECKING:
    from agent.workspace.store import Store

accounts = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Accounts of the chat: who may sign in with `serve --auth`."
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The name to sign in with; small and large letters alike.")]
_NAME = re.compile(r"\w[\w.@+-]{0,63}")


@accounts.command("add")
@guarded
def add(
    ctx: typer.Context,
    name: Name,
    person: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Whose history it opens: a person of the workspace; a new one if not given."),
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Make an account. The password is asked for, or read from stdin."""
    from agent.errors import InputError
    from agent.workspace.accounts import Account
    from ui.auth.passwords import Passwords, checked

    terminal: Terminal = ctx.obj
    name = _name(name)
    with _store(workspace) as store:
        user_id = name if person is None else person
        is_known = store.has_user(user_id) or bool(store.turns(user_id))
        if person is None and is_known:
            raise InputError(
                f"There is a person {name!r} in the workspace already. For an account that opens their history, give "
                f"--person {name}; for somebody else, give another name."
            )
        if store.accounts.get(name):
            raise InputError(f"There is an account {name!r} already. `vouchrec accounts password {name}` changes it.")
        kept = Passwords().hash(checked(_password(), name))
        store.accounts.add(Account(name, user_id, kept, time.time()))
        _keep_private(store.path)
    whose = f"the history of {clean(user_id)}" if is_known else "a history of its own, which is empty"
    terminal.say(f"Added: {name}, with {whose}.")


@accounts.command("list")
@guarded
def list_accounts(ctx: typer.Context, workspace: Workspace = None) -> None:
    """Show the names of all accounts, whose history they open, and when they were made."""
    terminal: Terminal = ctx.obj
    with _store(workspace) as store:
        found = store.accounts.all()
    if not found:
        terminal.say("There is no account. `vouchrec accounts add NAME` makes one.")
        return
    table = Table("account", "person", "made", box=None, pad_edge=False)
    for account in found:
        made = datetime.fromtimestamp(account.created).isoformat(" ", "minutes")
        table.add_row(account.name, clean(account.user_id), made)
    terminal.out.print(table)


@accounts.command("remove")
@guarded
def remove(ctx: typer.Context, name: Name, workspace: Workspace = None) -> None:
    """Remove an account and sign it out everywhere; what is known of the person stays."""
    terminal: Terminal = ctx.obj
    with _store(workspace) as store:
        account = store.accounts.get(_name(name))
        if account is None or not store.accounts.remove(account.name):
            raise _unknown(name, store)
    terminal.say(f"Removed: {account.name}.")
    person = clean(account.user_id)
    terminal.note(f"What is known of the person stays; `vouchrec people forget {person}` removes it.", style="dim")


@accounts.command("password")
@guarded
def password(ctx: typer.Context, name: Name, workspace: Workspace = None) -> None:
    """Give an account another password and sign it out everywhere. It is asked for, or read from stdin."""
    from ui.auth.passwords import Passwords, checked

    terminal: Terminal = ctx.obj
    name = _name(name)
    with _store(workspace) as store:
        if store.accounts.get(name) is None:
            raise _unknown(name, store)
        store.accounts.change(name, Passwords().hash(checked(_password(), name)))
    terminal.say(f"Changed: {name}. Whoever was signed in by this account is signed out.")


def _name(given: str) -> str:
    from agent.errors import InputError
    from ui.auth.passwords import folded

    name = folded(given)
    if not _NAME.fullmatch(name):
        raise InputError(
            f"An account cannot be called {given[:60]!r}. Give up to 64 letters, digits, dots, dashes or underscores; "
            "an e-mail address will do."
        )
    return name


def _password() -> str:
    """Typed twice without being shown; the first line of stdin where nobody sits at it."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt="The same again")
    return typed


def _unknown(name: str, store: Store) -> Exception:
    from agent.errors import InputError

    names = ", ".join(account.name for account in store.accounts.all()) or "none"
    return InputError(f"There is no account {name[:60]!r}; there are: {names}.")


@contextmanager
def _store(workspace: Path | None) -> Iterator[Store]:
    """The store alone, which any number of processes may have open: a server need not stop for this."""
    from agent.errors import WorkspaceError
    from agent.settings import load_settings
    from agent.workspace.store import Store
    from agent.workspace.workspace import STORE

    path = load_settings(home=workspace).home / STORE
    if not path.is_file():
        raise WorkspaceError(
            f"There is no workspace at {path.parent}. Make one with `vouchrec init`, or give --workspace."
        )
    store = Store(path)
    try:
        yield store
    finally:
        store.close()


def _keep_private(path: Path) -> None:
    """Hashes of passwords are nobody's to read but the owner's; a store of somebody else is left as it is."""
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with suppress(OSError):
            os.chmod(file, 0o600)
