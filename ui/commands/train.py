"""`prizemarks train`: learn an archive's marks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.suggesting import command_on
from retrieval.gan.recipes import LARGEST_SEED, RECIPES, SWITCH_HELP, parse_switches
from ui.command import DONE, FAILURES, ArchiveArgument, JsonOption, archive_in
from ui.progress import bar
from ui.wording import counted, unread_sentences

if TYPE_CHECKING:  # it loads torch
    from retrieval.learn import Learned


def objectives_offered() -> str:
    """Return the objectives and switches of `train`, a line each, for its --help."""

    def listed(heading: str, lines: dict[str, str]) -> str:
        # \b keeps click from wrapping what is set out already.
        return "\b\n" + "\n".join([heading, *(f"  {k:15} {v}" for k, v in lines.items())])

    return "\n\n".join([listed("Objectives:", RECIPES), listed("Switches:", SWITCH_HELP)])


#: What is asked of a run when it begins, and not when it goes on.
_AT_THE_BEGINNING = ("architecture", "objective", "switches", "start", "steps", "seed")


def train(
    context: typer.Context,
    archive: ArchiveArgument,
    architecture: Annotated[
        str, typer.Option(help="dcgan, dcgan-attention, sketch-gan or thin-gan.")
    ] = "dcgan",
    objective: Annotated[
        str, typer.Option(metavar="NAME", help="What to learn by; the names are listed below.")
    ] = "contrastive",
    switches: Annotated[
        str,
        typer.Option(
            "--with", metavar="SWITCH,...", help="Added to an adversarial objective; see below."
        ),
    ] = "",
    start: Annotated[
        str, typer.Option("--from", help='Begin from "bundled", "random", or a model\'s id.')
    ] = "bundled",
    steps: Annotated[
        int | None, typer.Option(min=1, help="How many batches to learn from.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=LARGEST_SEED, help="Other random numbers, another model."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the interrupted run, whatever it was.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Discard an interrupted run and begin anew.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Learn the archive's marks without a label. An interrupted run goes on when run again.

    Example: prizemarks train my-archive
    """
    from retrieval.gan.training import Progress
    from retrieval.learn import default_settings, train_on_archive, unfinished_run

    with archive_in(archive) as opened:
        if resume and restart:
            raise RequestError("--resume and --restart exclude each other; give one.")
        if resume:
            _check_nothing_else_is_asked(context)
            unfinished = unfinished_run(opened)
            if unfinished is None:
                raise RequestError(f"{archive} has no interrupted run; leave --resume out.")
            settings = unfinished
        else:
            begin = None if start == "random" else start
            added = parse_switches(switches)
            chosen = default_settings(architecture, objective, begin, added)
            settings = replace(
                chosen,
                steps=chosen.steps if steps is None else steps,
                seed=chosen.seed if seed is None else seed,
            )
        with bar("Training") as report:

            def show(progress: Progress) -> None:
                losses = "  ".join(f"{k} {v:.2f}" for k, v in progress.losses.items())
                probed = f"  probe {progress.probe.precision_at_1:.3f}" if progress.probe else ""
                report(progress.step, progress.steps, losses + probed)

            learned = train_on_archive(opened, settings, show, restart=restart)
    if as_json:
        typer.echo(json.dumps(learned.model.manifest | {"unread": learned.unread}))
    else:
        for line in _sentences(archive, learned):
            typer.echo(line)
    raise typer.Exit(FAILURES if learned.unread else DONE)


def _check_nothing_else_is_asked(context: typer.Context) -> None:
    """Raise RequestError where an option beside --resume asks for another run."""
    asked = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name in _AT_THE_BEGINNING
        and (source := context.get_parameter_source(parameter.name)) is not None
        and source.name == "COMMANDLINE"
    ]
    if asked:
        raise RequestError(
            f"--resume goes on with the interrupted run as it was begun: leave {', '.join(asked)} "
            "out, or begin another with --restart instead."
        )


def _sentences(folder: Path, learned: Learned) -> list[str]:
    """Return what was learned in the archive in `folder`, for a person, one fact a line."""
    model, manifest = learned.model, learned.model.manifest
    probe = manifest["probe"]
    found = f"{counted(probe['marks'], 'mark')} found their own augmented view first."
    if manifest["probed"] == "redrawn marks":
        found = (
            f"{counted(probe['marks'], 'redrawn mark')}, for the archive has too few, found their "
            "other drawing first."
        )
    lines = [
        f"Model {model.id}: learned from {manifest['marks']} marks; checkpoint of step "
        f"{manifest['best_step']} of {manifest['settings']['steps']}, where "
        f"{probe['precision_at_1']:.1%} of {found}"
    ]
    said = f"It learned nothing from {counted(len(learned.unread), 'mark')}:"
    return [
        *lines,
        *unread_sentences(said, learned.unread),
        f"Losses and samples: {folder / 'models' / model.id / 'record'}",
        f"Next: {command_on(folder, 'index')}",
    ]
