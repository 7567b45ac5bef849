"""Two that end an environment at once, a reset and the call that it interrupts, close what it holds once."""

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from nbchalice.aws.local.client import server
from nbchalice.aws.local.server.workers import Worker
from nbchalice.errors import LocalAWSError

from .test_pool import SPEC


class Reading:
    """Reads as an environment's output is read: until its end."""

    def __init__(self, channel):
        self._thread = threading.Thread(target=channel.recv, args=(1,))
        self._thread.start()

    def join(self):
        self._thread.join()


def started(folder):
    """An environment with what it holds while its process runs, but the process."""
    worker = Worker(SPEC, None, None, folder, names=None, environment={}, key=SimpleNamespace(end=lambda: None))
    worker._server_end, other = socket.socketpair()
    worker._lifeline = os.dup(other.fileno())
    worker._reader = Reading(worker._server_end)
    return worker, other


def test_an_environment_that_two_end_at_once_is_ended_once(tmp_path):
    both = threading.Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        for _ in range(500):
            worker, other = started(tmp_path / "scratch")
            ends = [threads.submit(lambda worker=worker: (both.wait(), worker.kill())) for _ in range(2)]
            assert [end.exception() for end in ends] == [None, None]
            other.close()


@pytest.mark.local_aws
def test_an_endpoint_that_fails_says_how(local_aws):
    with pytest.raises(LocalAWSError, match="did not answer: AttributeError: 'int'"):
        server.control("PUT", "faults", 5)
