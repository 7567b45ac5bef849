"""What is done with all handlers of a notebook: package, write, plan, deploy, delete, roll back, look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from nbchalice.errors import NbChaliceError

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection
    from nbchalice.deploy.engine import Deployment, Status
    from nbchalice.deploy.execute import Progress
    from nbchalice.deploy.notebooks import Prune
    from nbchalice.deploy.package import Package
    from nbchalice.deploy.plan import Plan
    from nbchalice.deploy.results import Rollback
    from nbchalice.deploy.suggest import Allow
    from nbchalice.handlers import Handler
    from nbchalice.notebook.capture.slice import Slice
    from nbchalice.packaging.handler import HandlerPackage, Written
    from nbchalice.project import Project
    from nbchalice.resources.base import FunctionRef
    from nbchalice.templates.written import TemplateFormat

T = TypeVar("T")


def verified_packages(project: Project) -> dict[str, Package]:
    """Return the code of all handlers, each proven to do what the kernel does; all that is wrong is told at once."""
    from nbchalice.deploy.check import raise_all

    packages, broken = packages_of(project, verified=True)
    raise_all([*project.wrong, *broken.values()])
    return packages


def packages_of(project: Project, *, verified: bool) -> tuple[dict[str, Package], dict[str, NbChaliceError]]:
    """Return the code of the handlers that can be packaged, and why the others cannot.

    Parameters
    ----------
    project : Project
        The notebook's handlers.
    verified : bool
        Whether each module is proven first to do what the kernel does.
    """
    from nbchalice.deploy.package import Package
    from nbchalice.notebook.capture.ticking import ticking

    def package_of(handler: Handler) -> Package:
        package = project.package(handler)
        if verified:
            with ticking(lambda: f"{handler.name}: proving that its module has the notebook's values", project.tell):
                project.verify(handler, package.needs)
        if not (verified and project.proves and project.kernel is not None):
            return Package.of(package)
        piece, vendored = project.proven.proof(handler).piece, package.needs.vendored
        return replace(Package.of(package), proves=partial(project.comparison(handler).of_order, piece, vendored))

    return _each(project, package_of)


def write_packages(project: Project, out: Path) -> Written:
    """Write `<handler>.zip` for each handler, proven as for a deploy, and `layer-<key>.zip` for its imports."""
    from nbchalice.packaging.handler import write_all

    packages = _whole_packages(project)
    written = write_all(packages, out)
    return replace(written, notes=(*project.notes, *project.proven.notes(), *_left_here(project), *written.notes))


def write_template(project: Project, out: Path, form: TemplateFormat) -> Written:
    """Write a template of the app, and the code that it refers to.

    Parameters
    ----------
    project : Project
        The notebook's handlers.
    out : Path
        The folder; it is made.
    form : TemplateFormat
        For ``cloudformation`` the code is expected in a bucket, for ``sam`` and ``terraform`` beside the template.

    Raises
    ------
    NbChaliceError
        A handler cannot be packaged, or has what no template makes; nothing is written.
    """
    from nbchalice.deploy.package import Package
    from nbchalice.packaging.handler import Written
    from nbchalice.templates.cloudformation import template_of
    from nbchalice.templates.written import write

    packages = _whole_packages(project)
    template = template_of(project.app, {name: Package.of(package) for name, package in packages.items()})
    paths, how = write(template, out, form, project.app)
    sizes = {name: package.sizes for name, package in packages.items()}
    told = (*project.notes, *project.proven.notes(), *_left_here(project))
    return Written(paths, sizes, (*told, *template.notes, *how))


def _whole_packages(project: Project) -> dict[str, HandlerPackage]:
    """Return the package of each handler, proven as for a deploy."""
    from nbchalice.deploy.check import raise_all

    def package_of(handler: Handler) -> HandlerPackage:
        package = project.package(handler, whole=True)
        project.verify(handler, package.needs)
        return package

    packages, broken = _each(project, package_of)
    with project.telling_what_is_gone():
        raise_all([*project.wrong, *broken.values()])
    return packages


def undeployed(project: Project, aws: Connection, name: str) -> str:
    """Return that a handler as this kernel has it is not what is deployed, and in what; empty where it is.

    Nothing is run for it. Empty, too, where there is no kernel: a file's values cannot be told without running it.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from nbchalice.deploy.results import cannot
    from nbchalice.deploy.standing import changed_since

    handler = next((one for one in project.handlers if one.name == name), None)
    if project.kernel is None or handler is None:
        return ""
    try:
        piece = deployable(project, handler)
    except NbChaliceError as error:
        return "; ".join(filter(None, [f"the older {name} runs: it {cannot(error)}", error.hint]))
    with suppress(NbChaliceError, BotoCoreError, ClientError):
        if what := changed_since(aws, project.app, handler, piece):
            changed = f"{name} was changed since it was deployed ({', '.join(what)}), and the older one runs"
            return f"{changed}; %chalice plan tells what a deploy would do"
    return ""


def deployable(project: Project, handler: Handler, *, smallest: bool = False) -> Slice:
    """Return the statements of a handler that a deploy would take; nothing is run for it.

    Parameters
    ----------
    project, handler : Project or Handler
        The notebook, and one of its handlers.
    smallest : bool
        Whether those are left out that earlier proofs took along. Default: no.

    Raises
    ------
    NbChaliceError
        A deploy would refuse it.
    """
    piece = project.proven.smallest(handler) if smallest else project.proven.proposal(handler)[0]
    _require_as_run(project, handler, piece)
    return piece


def _require_as_run(project: Project, handler: Handler, piece: Slice) -> None:
    """Refuse a handler of a kernel whose cells, or whose record's type, were edited since they ran."""
    from nbchalice.notebook.capture.stale import require_as_run

    if project.namespace is not None:
        require_as_run(handler, piece, project.cells, project.written.cells, project.saved)


def with_record(project: Project, handler: Handler) -> Handler:
    """Return a handler that knows the type of its records: from a file, its module runs for that, confined.

    Parameters
    ----------
    project : Project
        The notebook's handlers.
    handler : Handler
        One of them.
    """
    from nbchalice.notebook.capture.evaluate import Evaluator
    from nbchalice.notebook.capture.record_samples import record_in
    from nbchalice.packaging.shipped import has_typed_function

    if handler.python is not None:
        return handler
    with suppress(NbChaliceError):
        piece = project.proven.proposal(handler)[0]
        if has_typed_function(piece.module):
            evaluator = Evaluator(project.notebook.parent, project.variables)
            return replace(handler, told=record_in(piece, handler, evaluator))
    return handler


def _each(project: Project, work: Callable[[Handler], T]) -> tuple[dict[str, T], dict[str, NbChaliceError]]:
    """Return what some work makes of each handler, and what is wrong with those it fails for."""
    results: dict[str, T] = {}
    broken: dict[str, NbChaliceError] = {}
    for handler in project.handlers:
        try:
            results[handler.name] = work(handler)
        except NbChaliceError as error:
            broken[handler.name] = error
    return results, broken


def plan(project: Project, aws: Connection, *, prune: Prune = False) -> Plan:
    """Return what a deploy would do."""
    from nbchalice.deploy import engine

    with project.telling_what_is_gone():
        changes = engine.plan(project.app, partial(verified_packages, project), aws, prune=prune)
    told = (*project.proven.notes(), *_left_here(project), *suggestions(project, aws))
    notes = (*_notes(project), *changes.notes, *told)
    return replace(changes, notes=notes)


def _notes(project: Project) -> tuple[str, ...]:
    """Return what there is to say of the notebook and its file."""
    gone = project.written.gone(project.handlers, project.cells, project.saved) if project.namespace is not None else []
    return (*project.notes, *project.written.notes(), *gone)


def _left_here(project: Project) -> tuple[str, ...]:
    """Return what there is to say of packages that the notebook asks for and that do not travel."""
    from nbchalice.packaging.unused import unused_note

    if any(handler.setting("requirements") for handler in project.handlers):
        return ()  # What travels is what that file lists.
    needs = (project.needs(handler).requirements for handler in project.handlers)
    orders = [handler.order for handler in project.handlers]
    note = unused_note(project.cells, project.notebook.parent, orders, chain.from_iterable(needs))
    return (note,) if note else ()


def suggestions(project: Project, aws: Connection) -> list[str]:
    """Return what the handlers' calls of AWS tell: what their own roles lack, and that they invoke themselves."""
    from nbchalice.deploy.desired import statements
    from nbchalice.deploy.loops import loop_notes
    from nbchalice.deploy.suggest import network_note, note

    notes = []
    for handler in project.handlers:
        ref = project.app.ref(aws, handler.name)
        if missing := lacking(project, handler, ref):
            notes.append(note(handler.name, missing))
        allowed, known = statements(handler, project.app, ref), _known_of_events(handler)
        notes += network_note(handler, project.slice(handler).module, _texts_beside(project, handler))
        notes += loop_notes(handler, project.slice(handler).module, ref, allowed, known)
    return notes


def lacking(project: Project, handler: Handler, ref: FunctionRef) -> list[Allow]:
    """Return what a handler's code calls of AWS and its own role does not allow; nothing of a role that was given."""
    from nbchalice.deploy.desired import statements
    from nbchalice.deploy.suggest import suggested

    if handler.setting("role") is not None:
        return []
    allowed, beside = statements(handler, project.app, ref), _texts_beside(project, handler)
    return suggested(project.slice(handler).module, ref, allowed, _known_of_events(handler), beside)


def allows(project: Project, handler: Handler, ref: FunctionRef, option: str) -> bool:
    """Tell whether a handler's own role is allowed by the notebook what an option of `--allow` allows."""
    from nbchalice.deploy.desired import statements
    from nbchalice.deploy.suggest import is_allowed

    if handler.setting("role") is not None:
        return False
    return is_allowed(option, statements(handler, project.app, ref))


def _texts_beside(project: Project, handler: Handler) -> Mapping[str, str]:
    """Return the texts of local modules that a handler may import, by name."""
    from nbchalice.packaging.local import texts_beside

    return texts_beside(project.notebook.parent, project.slice(handler).imports)


def _known_of_events(handler: Handler) -> Mapping[str, str]:
    """Return what is known of all events of a handler, by attribute."""
    given = [source.event_values(options) for source, options in handler.sources()]
    return given[0] if given and all(values == given[0] for values in given) else {}


def deploy(
    project: Project,
    aws: Connection,
    *,
    prune: Prune = False,
    progress: Progress | None = None,
    announce: Callable[[Plan], None] = lambda plan: None,
) -> Deployment:
    """Bring AWS to what the notebook says.

    Parameters
    ----------
    project : Project
        The notebook's handlers.
    aws : Connection
        Where.
    prune : Prune
        Whether handlers that stand and are not in the notebook are removed: all, or only some, by name.
    progress, announce : Progress or None or Callable[[Plan], None]
        As for `engine.deploy`.
    """
    from nbchalice.deploy import engine, execute
    from nbchalice.deploy.local_layers import prepare

    of_layers: list[str] = []

    def packages() -> dict[str, Package]:
        verified = verified_packages(project)
        if aws.local:
            of_layers.extend(prepare(verified))
        return verified

    with project.telling_what_is_gone():
        done = engine.deploy(
            project.app, packages, aws, prune=prune, progress=progress or execute.quiet, announce=announce
        )
    told = (*project.proven.notes(), *_left_here(project), *suggestions(project, aws))
    notes = (*_notes(project), *done.plan.notes, *of_layers, *told)
    return replace(done, plan=replace(done.plan, notes=notes))


def delete(
    project: Project, aws: Connection, handler: str | None = None, *, progress: Progress | None = None
) -> Deployment:
    """Remove all that the app owns, or what belongs to one handler."""
    from nbchalice.deploy import engine, execute

    name = next((one.name for one in project.handlers if handler in {one.name, one.function}), handler)
    return engine.delete(project.app, aws, name, progress=progress or execute.quiet)


def rollback(project: Project, aws: Connection, handler: str) -> Rollback:
    """Go back to the version of a handler's function that was deployed before."""
    from nbchalice.deploy import engine

    return engine.rollback(project.app, handler, aws)


def status(project: Project, aws: Connection) -> Status:
    """Return how each handler stands; one that cannot be packaged does not hide the others."""
    from nbchalice.deploy import engine

    if project.namespace is not None:
        project.proves = False  # What was proven last is remembered; from a file, the statements have to be run.
    packages, broken = packages_of(project, verified=False)
    edited = _edited(project)
    packages = {name: package for name, package in packages.items() if name not in edited}
    stands = engine.status(project.app, lambda: packages, aws, {**broken, **edited})
    notes = (f"{one.message}; {one.hint}" for one in edited.values())
    return replace(stands, notes=(*_notes(project), *stands.notes, *notes))


def _edited(project: Project) -> dict[str, NbChaliceError]:
    """Return the handlers of a kernel that are not as the notebook says, each with the cells to run again."""
    from nbchalice.errors import CaptureError

    edited: dict[str, NbChaliceError] = {}
    for handler in project.handlers:
        with suppress(NbChaliceError):  # What cannot be cut is told by what packages it.
            piece = project.slice(handler)
            try:
                _require_as_run(project, handler, piece)
            except CaptureError as error:
                edited[handler.name] = error
    return edited
