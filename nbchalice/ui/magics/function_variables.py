"""The live notebook's handlers with the variables that their functions will have, which may not be the kernel's."""

from __future__ import annotations

from dataclasses import replace

from nbchalice.config import read_config, with_config
from nbchalice.notebook.capture.evaluate import Evaluator
from nbchalice.notebook.capture.follow import Followed, computed
from nbchalice.project import Project
from nbchalice.runtime.app import Trigger


def follow_variables(project: Project) -> None:
    """Give a project's handlers the triggers that the functions' own variables make of their decorators.

    Parameters
    ----------
    project : Project
        Of a live session; its handlers, problems and notes are changed.
    """
    doubtful = computed(project.handlers, project.cells)
    if not doubtful:
        return
    followed = Followed(project.effects, project.notebook.name, Evaluator(project.notebook.parent, project.variables))
    followed.look_at(doubtful)
    config = read_config(project.notebook.parent)
    for before, result in followed.results.items():
        name = str(result.name)
        settings = with_config(config, project.stage, name, result.settings)
        triggers = tuple(Trigger(source, options) for source, options in result.triggers)
        handlers = []
        for handler in project.handlers:
            if handler.name == before:
                handlers.append(replace(handler, name=name, triggers=triggers, settings=settings))
            else:
                handlers.append(handler)
        project.handlers = tuple(handlers)
    project.problems = (*project.problems, *followed.problems)
    project.notes = (*project.notes, *followed.notes)
