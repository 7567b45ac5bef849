"""The one place that decides what shows a command's result: a widget where somebody sits, else its card."""

from __future__ import annotations

from nbchalice.ui.frontend import Frontend
from nbchalice.ui.render.cards import HandlerCard
from nbchalice.ui.render.dead_letters import DeadLetterCard
from nbchalice.ui.render.reports import StatusCard
from nbchalice.ui.views import FormView, LiveView, LogView


def shown(ui: Frontend, result: object) -> object:
    """Return what to show of a command's result.

    Parameters
    ----------
    ui : Frontend
        The notebook, at the stage and target of the command.
    result : object
        A card, a view, or what shows itself.

    Returns
    -------
    object
        A widget for a view, and for a card that has one where somebody sits at a front end; else the result itself.
    """
    if isinstance(result, FormView | LogView | LiveView):
        return _opened(ui.pinned(), result)
    if ui.interactive and isinstance(result, StatusCard | DeadLetterCard | HandlerCard):
        return _with_buttons(ui.pinned(), result)
    return result


# Widgets are imported when something is to be shown with one: an unattended notebook needs none.
def _opened(ui: Frontend, view: FormView | LogView | LiveView) -> object:
    if isinstance(view, FormView):
        from nbchalice.ui.widgets.sender import Sender

        return Sender(ui, view.handler, view.source)
    if isinstance(view, LiveView):
        from nbchalice.ui.widgets.live import live_viewer

        return live_viewer(ui, view.handler, view.source, as_role=view.as_role)
    from nbchalice.ui.widgets.viewer import log_viewer

    return log_viewer(
        ui, view.handler, since=view.since, until=view.until, level=view.level, request_id=view.request_id
    )


def _with_buttons(ui: Frontend, card: StatusCard | DeadLetterCard | HandlerCard) -> object:
    from nbchalice.ui.widgets.dead_letters import DeadLetterPanel
    from nbchalice.ui.widgets.status import HandlerPanel, StatusPanel

    if isinstance(card, StatusCard):
        return StatusPanel(ui, card)
    return DeadLetterPanel(ui, card) if isinstance(card, DeadLetterCard) else HandlerPanel(ui, card)
