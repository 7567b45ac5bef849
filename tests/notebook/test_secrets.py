"""The search for credentials ends soon, whatever a line holds, and finds what stands among much else."""

import subprocess
import sys

import pytest

from nbchalice.notebook.secrets import find_secret

# Each line of 150 KB may take 30 s of the processor, whatever else runs: a tenth of one is enough when it is read once,
# and five minutes are not when what takes 2 s for 10 KB is done with fifteen times as much.
SEARCH = """
import resource, sys, time
from nbchalice.notebook.secrets import _KINDS, find_secret
hints = " ".join(hints for hints, _ in _KINDS.values())
for piece in sys.stdin.read().split("|"):
    many = piece * (150_000 // len(piece))
    for line in (many + hints, hints + "://" + many + " = '" + many + "'x"):
        print(repr(piece), flush=True)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 30, resource.RLIM_INFINITY))
        find_secret(line)
print("done")
"""
PIECES = [
    *("token", "secret", "password", "api_key", "access_key", "token=", "token = ", "token='", "token='a1", "token:\t"),
    *("token[", "token'] ", 'token="a1!', "secret_", "_token", "Token\\n", "passwd'", "pragma: ", "pragma:", "EXAMPL"),
    *("a.", "a://", "a://b", "a://b:", "a://b:ccc", "a://b:ccc@", "://", "http://", "a+", "a-", "a:", "a@", "b:ccc"),
    *("-----BEGIN ", "-----BEGIN A ", "-----BEGIN", "A ", "PRIVATE KEY ", "-", "BEGIN "),
    *("aws", "aws secret", "awssecret'", "aws'", "'", '"', "' ", " ", "\t", "=", "= ", "a", "0", "a1", "/", "+"),
    *("eyJ", "eyJaaaaaaaaaa", "eyJaaaaaaaaaa.", "-eyJaaaaaaaaaa", "eyJaaaaaaaaaa.eyJaaaaaaaaaa", ".eyJ", "-eyJ", "."),
    *(
        "AKIA",
        "ASIA1",
        "ghp_",
        "github_pat_",
        "glpat-",
        "xoxb-",
        "https://hooks.slack.com/services/T",
        "T/B",
        "sk_live_",
    ),
    *(
        "setdefault('token",
        "sk-",
        "sk-proj-",
        "AIza",
        "npm_",
        "pypi-",
        "hf_",
        "https://hooks.slack.com/services/Ta/Ba",
        "{",
        "\\",
        "é",
        "𝒂",
    ),
]


@pytest.mark.slow
def test_any_line_is_searched_in_linear_time():
    done = subprocess.run([sys.executable, "-c", SEARCH], input="|".join(PIECES), capture_output=True, text=True)
    assert done.stdout.endswith("done\n"), (done.stdout.splitlines()[-1:], done.returncode, done.stderr)


@pytest.mark.parametrize(
    "line",
    [
        "tokentoken_token = 'a1b2c3d4" + "e5f6g7h8'",
        "x = token, token = 'a1b2c3d4" + "e5f6g7h8'",
        "MY_API_KEYS = {'db_password': 'a1b2c3d4" + "e5f6g7h8'}",
        "u = a.b.c('redis+tls://x:" + "hunter2x@h')",
        "u = 'no://user a://b:c://user:" + "hunter2x@h'",
        "t = 'x-ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0NTY3.SflKxwRJSMeKKF2QT4'",
        "PEM = '-----BEGIN -----BEGIN OPENSSH PRIVATE " + "KEY-----'",
    ],
)
def test_what_stands_among_its_like_is_found(line):
    assert find_secret(line)
    assert find_secret("token = x; " * 10_000 + line)
