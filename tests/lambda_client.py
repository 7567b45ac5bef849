"""Runs a zip with AWS's own Runtime Interface Client, as Lambda does."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class RuntimeApi(BaseHTTPRequestHandler):
    """AWS's Runtime API for one function, so that AWS's own client can run a zip as Lambda does."""

    def do_GET(self):
        event = self.server.events.pop(0) if self.server.events else None
        if event is None:
            self.server.done.set()
            self.server.stop.wait()
            return
        body = json.dumps(event).encode()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", f"request-{len(self.server.events)}")
        self.send_header("Lambda-Runtime-Deadline-Ms", "9999999999999")
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:f")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answers.append(
            (self.path.rsplit("/", 1)[-1] if "init" not in self.path else "init", json.loads(body))
        )
        self.send_response(202)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def run_zip(root, events, layers=(), python=sys.executable, client=()):
    """Return [("response"|"error"|"init", payload), ...] and what the function wrote.

    `client` is where the Python finds awslambdaric, if it is not our own.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi)
    server.daemon_threads = True
    server.events, server.answers = list(events), []
    server.done, server.stop = threading.Event(), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "LAMBDA_TASK_ROOT": str(root),
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "PYTHONPATH": os.pathsep.join([str(root), *(str(layer / "python") for layer in layers), *map(str, client)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    process = subprocess.Popen(
        [str(python), "-m", "awslambdaric", "lambda_function.lambda_handler"],
        cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        threading.Thread(target=lambda: (process.wait(), server.done.set()), daemon=True).start()
        assert server.done.wait(60), "the function did not answer"
    finally:
        server.stop.set()
        process.kill()
        output = process.communicate()[0]
        server.shutdown()
        server.server_close()
    return server.answers, output
