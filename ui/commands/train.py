"""`prizemarks train`: learn an archive's marks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from retrieval.catalogue.archive import Archive
from retrieval.catalogue.errors import RequestError
from retrieval.catalogue.suggesting import command_on
from retrieval.gan.recipes import LARGEST_SEED, RECIPES, SWITCH_HELP, parse_switches
from ui.command import DONE, FAILURES, ArchiveArgument, JsonOption, archive_in
from ui.progress import bar, console
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
        str, typer.Option(help="Network: dcgan, dcgan-attention, sketch-gan or thin-gan.")
    ] = "dcgan",
    objective: Annotated[
        str, typer.Option(metavar="NAME", help="Training objective, one of those listed below.")
    ] = "contrastive",
    switches: Annotated[
        str,
        typer.Option(
            "--with",
            metavar="SWITCH,...",
            help="Options of an adversarial objective, listed below.",
        ),
    ] = "",
    start: Annotated[
        str, typer.Option("--from", help='Start from "bundled", "random", or a model id.')
    ] = "bundled",
    steps: Annotated[int | None, typer.Option(min=1, help="Number of training batches.")] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=LARGEST_SEED, help="Random seed."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the interrupted run with its own options.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Discard the interrupted run and start again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a model on the archive's marks, without labels. Run it again to resume.

    Example: prizemarks train my-archive
    """
    from retrieval.gan.training import Progress
    from retrieval.learn import default_settings, train_on_archive, unfinished_run

    with archive_in(archive) as opened:
        if resume and restart:
            raise RequestError("--resume and --restart cannot be used together: give one.")
        if resume:
            _check_nothing_else_is_asked(context)
            unfinished = unfinished_run(opened)
            if unfinished is None:
                raise RequestError(f"{archive} has no interrupted run: leave out --resume.")
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

            with _how_to_go_on(opened):
                learned = train_on_archive(opened, settings, show, restart=restart)
    if as_json:
        typer.echo(json.dumps(learned.model.manifest | {"unread": learned.unread}))
    else:
        for line in _sentences(archive, learned):
            typer.echo(line)
    raise typer.Exit(FAILURES if learned.unread else DONE)


@contextmanager
def _how_to_go_on(archive: Archive) -> Iterator[None]:
    """Say on Ctrl-C how to go on: the same command with --restart would discard the run."""
    from retrieval.learn import has_unfinished_run

    try:
        yield
    except KeyboardInterrupt:
        if has_unfinished_run(archive):
            again = command_on(archive.folder, "train", "--resume")
            said = f"Stopped. To go on from the last checkpoint: {escape(again)}"
            console.print(said, soft_wrap=True)
        else:
            console.print("Stopped before the first checkpoint: nothing was kept.")
        raise typer.Exit(130) from None


def _check_nothing_else_is_asked(context: typer.Context) -> None:
    """Raise RequestError where options given with --resume would change the run."""
    asked = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name in _AT_THE_BEGINNING
        and (source := context.get_parameter_source(parameter.name)) is not None
        and source.name == "COMMANDLINE"
    ]
    if asked:
        raise RequestError(
            f"--resume continues the interrupted run with its own options: leave out "
            f"{', '.join(asked)}, or start another run with --restart."
        )


def _sentences(folder: Path, learned: Learned) -> list[str]:
    """Return what was learned in the archive in `folder`, for a person, one fact a line."""
    model, manifest = learned.model, learned.model.manifest
    probe = manifest["probe"]
    found = f"{counted(probe['marks'], 'mark')} ranked their own augmented view first."
    if manifest["probed"] == "redrawn marks":
        found = (
            f"{counted(probe['marks'], 'redrawn mark')} (the archive has too few) ranked their "
            "other drawing first."
        )
    lines = [
        f"Model {model.id}: trained on {counted(manifest['marks'], 'mark')}; checkpoint of step "
        f"{manifest['best_step']} of {manifest['settings']['steps']}, where "
        f"{probe['precision_at_1']:.1%} of {found}"
    ]
    said = f"{counted(len(learned.unread), 'mark')} could not be read for training:"
    return [
        *lines,
        *unread_sentences(said, learned.unread),
        f"Losses and samples: {folder / 'models' / model.id / 'record'}",
        f"Next: {command_on(folder, 'index')}",
    ]
