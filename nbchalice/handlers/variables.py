"""The environment variables that a handler's function will have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from nbchalice.resources.log_group import log_group_name
from nbchalice.typed import Values

REGION = "us-east-1"


def lambdas_own(function: str, memory: int = 128, region: str = REGION, log_group: str = "") -> dict[str, str]:
    """Return what Lambda sets itself (Lambda: "Defined runtime environment variables"); its credentials are made up.

    Parameters
    ----------
    function : str
        The function's name on AWS.
    memory : int
        Its memory in MB.
    region : str
        Where it runs.
    log_group : str
        The log group that it writes to. Default: its own.
    """
    stream = f"{function}[$LATEST]" if log_group else "[$LATEST]"
    return {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group or log_group_name(function),
        "AWS_LAMBDA_LOG_STREAM_NAME": f"2024/01/01/{stream}0123456789abcdef0123456789abcdef",
        "AWS_ACCESS_KEY_ID": "set-by-lambda",
        "AWS_SECRET_ACCESS_KEY": "set-by-lambda",
        "AWS_SESSION_TOKEN": "set-by-lambda",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "_HANDLER": "lambda_function.lambda_handler",
    }


def _lambdas_own(name: str, settings: Values, app: str | None = None) -> Mapping[str, str]:
    return lambdas_own(name)


class Of(Protocol):
    """Gives the variables of a handler's function."""

    def __call__(self, name: str, settings: Values, app: str | None = None, /) -> Mapping[str, str]:
        """Return them."""
        ...


@dataclass(frozen=True)
class Variables:
    """What the code of a notebook finds in ``os.environ``, on Lambda and here.

    Parameters
    ----------
    of : Of
        The variables of a handler's function, by the handler's name, its own settings, and the app's name in the code.
    here : Mapping[str, str]
        Those of this process, and what cells set besides.
    place : str
        Where a person sets one for all functions of the stage.
    """

    of: Of = _lambdas_own
    here: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    place: str = "environment_variables of .chalice/config.json"


ON_LAMBDA = Variables()
"""What Lambda sets, and nothing else."""
