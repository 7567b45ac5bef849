"""`doctor`: what nbchalice stands on, and what a deployer must be allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbchalice.errors import InvalidInputError
from nbchalice.ui.commands.base import command, flag
from nbchalice.ui.frontend import Frontend

if TYPE_CHECKING:
    from nbchalice.ui.render.cards import Result


@command(
    "doctor",
    flag("--policy", "print the least IAM policy with which this very app can be deployed and used"),
    notebook="optional",
)
def doctor(ui: Frontend, policy: bool = False) -> Result:
    """Look at all that nbchalice stands on, say what helps, and change nothing.

    It looks at Python, kernel, notebook, front end, uv and the local AWS, which it does not start; with `--target aws`
    at credentials, account, region, endpoint, clock, and at which of the permissions that the app needs are there.
    """
    from nbchalice.doctor.examine import examine
    from nbchalice.ui.render.doctor import DoctorCard, PolicyCard

    if not policy:
        return DoctorCard(examine(ui.project if ui.has_notebook else None, ui.chosen_target, ui.connect))
    from nbchalice.doctor.permissions import needed

    if not ui.has_notebook:
        raise InvalidInputError("a policy is that of an app", "nbchalice doctor NOTEBOOK.ipynb --policy")
    aws = ui.connect() if ui.chosen_target == "aws" else None
    return PolicyCard(needed(ui.project(), aws))
