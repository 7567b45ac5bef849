import copy
import json
import logging
from pathlib import Path

import pytest

from nbchalice import Chalice

EVENTS = Path(__file__).parents[1] / "fixtures" / "events"


@pytest.fixture
def event():
    def load(name):
        return copy.deepcopy(json.loads((EVENTS / f"{name}.json").read_text()))

    return load


@pytest.fixture
def app():
    yield Chalice("shop")
    logger = logging.getLogger("shop")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.propagate = True


class Context:
    aws_request_id = "req-1"


@pytest.fixture
def context():
    return Context()
