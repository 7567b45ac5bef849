"""Waiting for what happens in another thread or process."""

import socket
import time
import urllib.request


def wait_until(check, seconds=120):
    """Call until the result is true; generous, so that no test depends on the machine's speed."""
    deadline = time.monotonic() + seconds
    while not (result := check()):
        assert time.monotonic() < deadline, f"still {result!r} after {seconds} s"
        time.sleep(0.02)
    return result


def free_port():
    """Return a port that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_answering(process, url, log):
    """Wait for the server that a process is; `log` is the file that it writes."""

    def answers():
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(url).close()
        except OSError:
            return False
        return True

    wait_until(answers)
