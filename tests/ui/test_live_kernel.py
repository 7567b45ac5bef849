"""Live mode in a real kernel: a breakpoint stops it, and after the kernel's death `status` repairs the trigger."""

import os
import signal
import sys
import time

import pytest

from nbchalice.aws.target import connect

from ..kernels import start_kernel

pytestmark = pytest.mark.timeout(180)
SETUP = "%load_ext nbchalice\n%chalice app livekernel"
CELL = (
    "%%on_sqs_message livekernel-orders\n"
    "def price(event):\n"
    "    for record in event:\n"
    "        total = float(record.body) * 2\n"
    "        print('total', total)\n"
)


class Kernel:
    """A kernel, and the messages of JupyterLab's debugger to it."""

    def __init__(self, folder):
        self.manager, self.client = start_kernel(folder)
        self.sequence = 0

    def run(self, code):
        """Run a cell; return all the plain text that it shows."""
        texts = []

        def show(message):
            content = message["content"]
            texts.append(
                content.get("text") or content.get("data", {}).get("text/plain") or content.get("evalue") or ""
            )

        reply = self.client.execute_interactive(code, timeout=60, output_hook=show)
        text = "\n".join(texts)
        assert reply["content"]["status"] == "ok", text
        return text

    def debug(self, command, **arguments):
        self.sequence += 1
        content = {"type": "request", "seq": self.sequence, "command": command, "arguments": arguments}
        request = self.client.session.msg("debug_request", content)
        self.client.control_channel.send(request)
        while True:
            answer = self.client.get_control_msg(timeout=60)
            if answer["parent_header"].get("msg_id") == request["header"]["msg_id"]:
                assert answer["content"]["success"], answer["content"]
                return answer["content"].get("body")

    def stopped(self):
        """Wait for the event that a thread has stopped; return the thread."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            message = self.client.get_iopub_msg(timeout=60)
            if message["msg_type"] == "debug_event" and message["content"]["event"] == "stopped":
                return message["content"]["body"]["threadId"]
        raise AssertionError("no thread has stopped")

    def kill(self):
        os.kill(self.manager.provisioner.pid, signal.SIGKILL)
        self.manager.provisioner.process.wait(60)

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def new_kernel(local_aws, tmp_path):
    kernels = []

    def make():
        kernels.append(Kernel(tmp_path))
        return kernels[-1]

    yield make
    for kernel in kernels:
        kernel.close()


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="debugpy lags behind new versions of Python")
def test_a_breakpoint_stops_a_live_handler_and_the_kernels_death_is_repaired(new_kernel):
    kernel = new_kernel()
    for cell in (SETUP, CELL, "%chalice deploy"):
        kernel.run(cell)
    kernel.debug("initialize", clientID="test", adapterID="", pathFormat="path", linesStartAt1=True)
    kernel.debug("attach")
    path = kernel.debug("dumpCell", code=CELL)["sourcePath"]
    (point,) = kernel.debug("setBreakpoints", breakpoints=[{"line": 5}], source={"path": path})["breakpoints"]
    assert point["verified"]
    kernel.debug("configurationDone")
    assert "price is live" in kernel.run("%chalice live price")
    # Not from that kernel: the breakpoint stops all of its threads, also one that has just sent and not answered yet.
    client = connect("local").client("sqs")
    client.send_message(QueueUrl=client.get_queue_url(QueueName="livekernel-orders")["QueueUrl"], MessageBody="21")
    frame = kernel.debug("stackTrace", threadId=kernel.stopped())["stackFrames"][0]
    assert (frame["name"], frame["line"]) == ("price", 5)
    scope = kernel.debug("scopes", frameId=frame["id"])["scopes"][0]
    found = kernel.debug("variables", variablesReference=scope["variablesReference"])["variables"]
    assert ("total", "42.0") in [(one["name"], one["value"]) for one in found]

    kernel.kill()
    other = new_kernel()
    for cell in (SETUP, CELL):
        other.run(cell)
    assert "price: its trigger was paused by a live mode that died; it is put back" in other.run("%chalice status")
    assert "total 10.0" in other.run("%chalice send price --message 5")
