"""The `vouchrec` command. Each command opens what it needs; `vouchrec --help` opens nothing and is quick."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import warnings
from functools import partial
from typing import Annotated, Literal

import typer

from ui import people as people_commands
from ui import prompt_commands, prompt_edits, upkeep
from ui.accounts import accounts
from ui.adapters import adapters
from ui.evaluate import evaluate
from ui.explain import explain
from ui.finetune import behaviour, preference, promote, sft
from ui.keys import keys
from ui.options import Example, User, Workspace
from ui.prompt_test import test as test_prompts
from ui.terminal import Terminal, guarded, open_agent
from ui.votes import votes

app = typer.Typer(
    name="vouchrec",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96},
    help="Recommendations that vouch for themselves: a language model ranks real items and says, truthfully, why.",
    epilog="Begin with: vouchrec demo. Then talk to it: vouchrec chat, or vouchrec serve for the browser. "
    "VOUCHREC_HOME names the default workspace, VOUCHREC_CACHE the folder that keeps the models.",
)
index = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The search index of a workspace.")
prompts = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The prompt files: read, edit, compare.")
people = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What is known of a person: theirs to see.")
finetune = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Learn from the histories of a workspace.")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"vouchrec {version('vouchrec')}")
        except PackageNotFoundError:
            typer.echo("vouchrec, run from its source and not installed, so without a version")
        raise typer.Exit


@app.callback()
def start(
    ctx: typer.Context,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="VOUCHREC_DEBUG", help="Show where an error comes from.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What stands before the command."""
    del version
    ctx.obj = ctx.obj if isinstance(ctx.obj, Terminal) else Terminal()
    ctx.obj.debug = debug


@app.command(
    short_help="List what fits, with checked reasons.",
    epilog='\b\nFor example:\n  vouchrec recommend --history "Alien (1979)" --say "tense but funny, from the 90s"\n'
    "  vouchrec recommend --user 196 --where 'year=1990..1999' --where 'genres=Comedy|Drama'",
)
@guarded
def recommend(
    ctx: typer.Context,
    user: User = None,
    history: Annotated[
        list[str] | None, typer.Option("--history", metavar="TITLE", help="A title or id already seen; repeatable.")
    ] = None,
    say: Annotated[str, typer.Option("--say", "-s", metavar="TEXT", help="What is wanted, in plain words.")] = "",
    n: Annotated[int, typer.Option("-n", min=1, metavar="N", help="How many to list.")] = 5,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="CONDITION",
            help="A condition that must hold, in quotes; repeatable. 'year>=1990' 'year=1990..1999' "
            "'genres=Comedy|Drama' 'genres!=Horror'",
        ),
    ] = None,
    strategy: Annotated[
        Literal["score", "generate"],
        typer.Option(help="score: the model ranks what was retrieved. generate: it spells titles of the catalogue."),
    ] = "score",
    seed: Annotated[int | None, typer.Option(metavar="N", help="The same seed, the same variation.")] = None,
    adapter: Annotated[
        str | None, typer.Option(metavar="NAME", help="One that passed the gate, or base; else the one in service.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Scores, the model and times too.")] = False,
    workspace: Workspace = None,
) -> None:
    """List what fits a person, a history or a request, with a checked reason for each."""
    from ui.arguments import check_request
    from ui.screen import follow
    from ui.where import parse_where

    terminal: Terminal = ctx.obj
    if terminal.opener is open_agent:
        check_request(workspace, user, history, say, n, where, strategy, seed, adapter)
    with terminal.agent(workspace) as agent:
        filters = parse_where(where or (), agent.catalogue.attribute_types)
        if as_json:
            reply = agent.recommend(user, history, say, n, filters, strategy, seed, adapter)
            text = json.dumps(reply.as_dict(), indent=2, allow_nan=False, ensure_ascii=not terminal.has_unicode)
            terminal.out.out(text, highlight=False)
        else:
            replies = agent.stream(user, history, say, n, filters, strategy, seed, adapter=adapter)
            follow(terminal, agent, replies, trace=verbose)


@app.command(short_help="Talk about what you feel like, in the terminal.")
@guarded
def chat(
    ctx: typer.Context,
    user: User = None,
    n: Annotated[int, typer.Option("-n", min=1, metavar="N", help="How many to list each time.")] = 5,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the latest conversation of --user.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Scores, models and times under each list, as /trace in the chat.")
    ] = False,
    example: Example = False,
    workspace: Workspace = None,
) -> None:
    """Talk about what you feel like, here in the terminal."""
    from ui.chat import Chat

    terminal: Terminal = ctx.obj
    if example:
        upkeep.ensure_example(terminal, workspace)
    with terminal.agent(workspace) as agent:
        Chat(terminal, agent, user, n, resume, trace=verbose).run()


@app.command(short_help="Open the chat for the browser, and the service for programs.")
@guarded
def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="The port to listen on.")] = 7860,
    api_only: Annotated[bool, typer.Option("--api-only", help="The service for programs, without the chat.")] = False,
    auth: Annotated[bool, typer.Option("--auth", help="People sign in to the chat: see `vouchrec accounts`.")] = False,
    rate: Annotated[
        int, typer.Option(min=0, metavar="N", help="Requests of one key or address a minute; 0 sets no limit.")
    ] = 120,
    workshop: Annotated[
        bool, typer.Option("--workshop", help="The prompt workshop too, for its owner on this machine.")
    ] = False,
    example: Example = False,
    workspace: Workspace = None,
) -> None:
    """Open the chat for the browser and the service for programs (/v1), here alone unless --host says otherwise.

    Calls from elsewhere need a key: see `vouchrec keys`.
    """
    if api_only and workshop:
        raise typer.BadParameter("The workshop stands beside the chat, so it needs a start without --api-only.")
    if example:
        upkeep.ensure_example(ctx.obj, workspace)
    if api_only and auth:
        raise typer.BadParameter("--auth is for the chat, which --api-only leaves out. Programs have keys.")
    if api_only:
        from ui.api.serving import serve as listen
    else:
        from ui.front import serve

        listen = partial(serve, with_workshop=workshop, auth=auth)
    listen(workspace, host=host, port=port, terminal=ctx.obj, per_minute=rate)


@app.command(short_help="Offer it as tools to a language model (MCP).")
@guarded
def mcp(ctx: typer.Context, user: User = None, workspace: Workspace = None) -> None:
    """Answer as tools of the Model Context Protocol, on stdin and stdout, for one person. Needs vouchrec[mcp]."""
    from ui.mcp import serve as answer

    answer(workspace, user, ctx.obj)


@app.command(short_help="Show it at work on MovieLens-100K; takes no input.")
@guarded
def demo(ctx: typer.Context, workspace: Workspace = None) -> None:
    """Show it at work on MovieLens-100K: a real person, then a request in words. Takes no input."""
    from ui.demo import run

    run(ctx.obj, workspace)


app.command(
    "init",
    short_help="Make a workspace from your catalogue.",
    epilog="\b\nFor example:\n  vouchrec init books --items books.csv --interactions ratings.csv\n"
    "  vouchrec init --dataset movielens-100k",
)(guarded(upkeep.init))
app.command(
    "explain",
    short_help="Why this, or where is that? For a list that was shown.",
    epilog='\b\nFor example:\n  vouchrec explain last "Alien (1979)"\n  vouchrec explain 3f9c --user 196 Fargo --json',
)(guarded(explain))
app.command("votes", short_help="How contenders stand after blind comparisons.")(guarded(votes))
app.command("evaluate", short_help="Measure retrieval and ranking on held-out people.")(guarded(evaluate))
app.command("doctor", short_help="Examine models, prompts and workspace.")(guarded(upkeep.doctor))
index.command("rebuild")(guarded(upkeep.rebuild_index))
prompts.command("list")(guarded(prompt_commands.list_prompts))
prompts.command("show")(guarded(prompt_commands.show))
prompts.command("check", short_help="Render the samples and run the cases.")(guarded(prompt_commands.check))
prompts.command(
    "render",
    short_help="Print what the language model would read.",
    epilog='\b\nFor example:\n  vouchrec prompts render rank --input request="something slow and strange"',
)(guarded(prompt_commands.render))
prompts.command("diff", short_help="What an edit changes in the files.")(guarded(prompt_edits.diff))
prompts.command(
    "test",
    short_help="What an edit changes in lists, reasons and time.",
    epilog="\b\nFor example:\n  vouchrec prompts new ./mine\n  vouchrec prompts test --set ./mine --people 100",
)(guarded(test_prompts))
prompts.command("new", short_help="Make a set or a prompt of your own.")(guarded(prompt_edits.new))
prompts.command("use", short_help="Put a set in service for a workspace.")(guarded(prompt_edits.use))
finetune.command("behaviour", short_help="Retrieval by what people did, in minutes.")(guarded(behaviour))
finetune.command("sft", short_help="The language model, by LoRA and item vectors.")(guarded(sft))
finetune.command("preference", short_help="An adapter, by what was liked and disliked.")(guarded(preference))
finetune.command("promote", short_help="Let an adapter serve, if nothing gets worse by it.")(guarded(promote))
people.command("show", short_help="Say what is stored of a person.")(guarded(people_commands.show))
people.command("export", short_help="Give out all of it, as JSON or CSV.")(guarded(people_commands.export))
people.command("edit", short_help="Correct one entry of it.")(guarded(people_commands.edit))
people.command("delete", short_help="Delete one entry of it, for good.")(guarded(people_commands.delete))
people.command("forget", short_help="Remove all of it, for good.")(guarded(people_commands.forget))
app.add_typer(index, name="index")
app.add_typer(prompts, name="prompts")
app.add_typer(people, name="people")
app.add_typer(finetune, name="finetune")
app.add_typer(adapters, name="adapters")
app.add_typer(keys, name="keys")
app.add_typer(accounts, name="accounts")


def quieten(debug: bool) -> None:
    """Keep other libraries from the terminal: their bars, their logs, their reports home. Affects this process only."""
    os.environ |= {
        "ANONYMIZED_TELEMETRY": "False",
        "DO_NOT_TRACK": "1",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    if debug:
        return
    os.environ |= {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "TQDM_DISABLE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    os.environ |= {"TRANSFORMERS_NO_ADVISORY_WARNINGS": "1", "HF_HUB_VERBOSITY": "error"}
    warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())  # else Python prints what nobody handles
    logging.getLogger("vouchrec").addHandler(logging.StreamHandler())  # our own, such as a prompt file gone wrong


def main() -> None:
    """The entry point of the `vouchrec` script."""
    quieten("--debug" in sys.argv or bool(os.environ.get("VOUCHREC_DEBUG")))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a title must not end the program where its letters are lacking
    app(prog_name="vouchrec")


if __name__ == "__main__":
    main()
