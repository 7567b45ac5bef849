"""Real kernels: what a cell shows, and how it ended."""

import re
from dataclasses import dataclass

from ..kernels import start_kernel

COLORS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Reply:
    """What came of a cell."""

    status: str
    error: str
    text: str


class Kernel:
    """A kernel in a folder."""

    def __init__(self, folder):
        self.manager, self.client = start_kernel(folder)

    def run(self, code):
        """Run a cell."""
        texts, errors = [], []

        def show(message):
            content = message["content"]
            if message["msg_type"] == "error":
                errors.append(f"{content['ename']}\n" + "\n".join(content["traceback"]))
            texts.append(content.get("text") or content.get("data", {}).get("text/plain") or "")

        reply = self.client.execute_interactive(code, timeout=240, output_hook=show)
        return Reply(reply["content"]["status"], COLORS.sub("", "\n".join(errors)), "\n".join(texts))

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
