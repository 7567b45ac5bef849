"""Handlers have Lambda's rules: what they may read, write, start and use, and how what they may not do fails."""

import contextlib
import io
import os
import shutil
import socket
import stat
import tempfile
import zipfile
from pathlib import Path

import boto3
import pytest

from nbchalice.aws.local.client import server
from nbchalice.aws.local.client.environment import cache_folder

from ..interpreters import find_or_skip
from .conftest import Functions

pytestmark = pytest.mark.local_aws

TRY = """
import boto3, ctypes, glob, json, os, signal, socket, subprocess, sys, tempfile, urllib.request, uuid
LIBC = ctypes.CDLL(None, use_errno=True)
def call(result):
    if result != 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def handler(event, context):
    os.chdir("/tmp")
    names = {**globals(), **event["names"], "TASK": os.environ["LAMBDA_TASK_ROOT"], "LAYERS": event["names"]["LAYERS"]}
    try:
        exec(event["code"], names)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return names.get("result", "done")
"""

READ = {
    "credentials": "open(HOME + '/.aws/credentials').read()",
    "credentials by a link": "l = tempfile.mkdtemp() + '/l'; os.symlink(HOME, l); open(l + '/.aws/credentials').read()",
    "credentials from a program": "subprocess.run(['/bin/cat', HOME + '/.aws/credentials'], check=True)",
    "credentials by libc": "call(LIBC.open((HOME + '/.aws/credentials').encode(), 0) < 0)",
    "the home": "os.listdir(HOME)",
    "the notebook": "open(HOME + '/shop.ipynb').read()",
    "the server's record and key": "open(STATE + '/server.json').read()",
    "the copy of the record": "open(STATE + '/server.lock').read()",
    "the server's log": "open(STATE + '/server.log').read()",
    "the state": "os.listdir(STATE + '/state')",
    "the objects": "os.listdir(STATE + '/objects')",
    "the code of others": "os.listdir(STATE + '/tmp/code')",
    "the scratch of others": "os.listdir(STATE + '/tmp/scratch')",
    "the server's environ": "open(f'/proc/{SERVER}/environ').read()",
    "the kernel's environ": "open(f'/proc/{KERNEL}/environ').read()",
    "the parent's environ": "open(f'/proc/{os.getppid()}/environ').read()",
    "anybody's environ": "assert [open(f'/proc/{p}/environ').read() for p in os.listdir('/proc') if p.isdigit()]",
    "the server's memory": "open(f'/proc/{SERVER}/mem', 'rb')",
    "the server's files": "open(f'/proc/{SERVER}/fd/2').read(); os.readlink(f'/proc/{SERVER}/fd/2')",
    "the server's root": "os.listdir(f'/proc/{SERVER}/root' + HOME)",
    "the parent's root": "os.listdir(f'/proc/{os.getppid()}/root' + HOME)",
    "the shadow file": "open('/etc/shadow').read()",
    "disks": "assert [open(p, 'rb') for p in glob.glob('/dev/[hsv]d*') + glob.glob('/dev/nvme*')]",
    "an open file of others": (
        "assert [n for n in os.listdir('/proc/self/fd') if os.readlink(f'/proc/self/fd/{n}').startswith((HOME, STATE))]"
    ),
}
WRITE = {
    "the code": "open(TASK + '/app.py', 'a')",
    "beside the code": "open(TASK + '/new.py', 'w')",
    "away with the code": "os.remove(TASK + '/app.py')",
    "the code's name": "os.rename(TASK + '/app.py', '/tmp/app.py')",
    "the layers": "open(LAYERS + '/python/shared.py', 'a')",
    "the runtime's packages": "open(boto3.__file__, 'a')",
    "the runtime": "assert not sys.argv[0].startswith('/tmp/'); open(sys.argv[0], 'a')",  # a checkout may be there
    "the interpreter": "open(os.__file__, 'a')",
    "byte code of the interpreter": "open(os.__file__ + '.pyc', 'w')",
    "the home": "open(HOME + '/.bashrc', 'a')",
    "a folder in the home": "os.mkdir(HOME + '/.new')",
    "the state": "open(STATE + '/state/sqs.json', 'w')",
    "the root": "open('/new', 'w')",
    "the system": "open('/usr/bin/new', 'w')",
    "the home from a program": "subprocess.run(['/bin/sh', '-c', f'echo x > {HOME}/x'], check=True)",
}
REACH = {
    "the server: signal": "os.kill(SERVER, 0)",
    "the server: kill": "os.kill(SERVER, signal.SIGKILL)",
    "the server's group": "os.killpg(SERVER, signal.SIGKILL)",
    "the kernel: signal": "os.kill(KERNEL, 0)",
    "the server: trace": "call(LIBC.ptrace(16, SERVER, 0, 0))",
    "the kernel: trace": "call(LIBC.ptrace(16, KERNEL, 0, 0))",
    "the control endpoint: stop": "urllib.request.urlopen(urllib.request.Request(URL + '/_nbchalice/stop', b''))",
    "the control endpoint: reset": "urllib.request.urlopen(urllib.request.Request(URL + '/_nbchalice/reset', b''))",
    "the emulator's reset": "urllib.request.urlopen(urllib.request.Request(URL + '/_ministack/reset', b''))",
    "a socket without a file": "socket.socket(socket.AF_UNIX).connect(ABSTRACT)",
    "other mounts": "call(LIBC.mount(b'none', TASK.encode(), None, 4096 | 32, None))",
    "what is below a mount": "call(LIBC.umount2(b'/tmp', 2))",
    "what is below the root": (
        "subprocess.run(['unshare', '-Urm', 'sh', '-c', f'umount -l /; cat {HOME}/.aws/credentials'], check=True)"
    ),
    "what is above the root": "os.chdir('/'); [os.chdir('..') for _ in range(9)]; open('.' + HOME + '/.bashrc')",
    "more rights": (
        "subprocess.run(['unshare', '-Urm', 'sh', '-c',"
        " f'mount -o remount,bind,rw {TASK} && echo x >> {TASK}/app.py'], check=True)"
    ),
}
ONLY_WITH_A_ROOT_OF_ITS_OWN = {
    "the host's /tmp": "open(HOST_TMP).read()",
    "this computer's processes": "assert str(SERVER) in os.listdir('/proc')",
    "the kernel's command": "open(f'/proc/{KERNEL}/cmdline').read()",
    "modes of the home": "os.chmod(HOME + '/.aws/credentials', 0o777)",
    "modes of the code": "os.chmod(TASK + '/app.py', 0o777)",
    "a socket in the home": "socket.socket(socket.AF_UNIX).connect(HOME + '/agent')",
    "shared memory": "os.listdir('/dev/shm')",
    "a terminal": "open('/dev/tty', 'w')",
}
USEFUL = {
    "/tmp": "p = f'/tmp/{uuid.uuid4()}'; open(p, 'w').write('1'); result = open(p).read() == '1' or 1 / 0; os.remove(p)",
    "tempfile": "tempfile.NamedTemporaryFile().write(b'1'); tempfile.mkdtemp()",
    "sqlite in /tmp": "import sqlite3; sqlite3.connect('/tmp/db').execute('create table t (a)'); os.remove('/tmp/db')",
    "a shell": "result = subprocess.check_output(['/bin/sh', '-c', 'echo a | tr a b']) == b'b\\n' or 1 / 0",
    "a shell by os.system": "assert os.system('test -d /tmp') == 0",
    "this Python as a program": "subprocess.run([sys.executable, '-c', 'import json, ssl, sqlite3'], check=True)",
    "a program in /tmp": (
        "open('/tmp/tool', 'w').write('#!/bin/sh\\nexit 0\\n'); os.chmod('/tmp/tool', 0o755);"
        "subprocess.run(['/tmp/tool'], check=True)"
    ),
    "ending a child": "p = subprocess.Popen(['sleep', '9']); p.kill(); assert p.wait() == -9",
    "a process and a pipe": (
        "import multiprocessing as m; c = m.get_context('fork'); a, b = c.Pipe();"
        "p = c.Process(target=b.send, args=(1,)); p.start(); assert a.recv() == 1; p.join()"
    ),
    "threads": "from concurrent.futures import ThreadPoolExecutor as T; assert list(T(4).map(abs, [-1])) == [1]",
    "a socket in /tmp": "socket.socket(socket.AF_UNIX).bind('/tmp/s'); os.remove('/tmp/s')",
    "the local AWS": "boto3.client('sts').get_caller_identity()",
    "what listens here": "socket.create_connection(('127.0.0.1', PORT)).close()",
    "certificates": "import ssl; assert len(ssl.create_default_context().get_ca_certs()) == CERTIFICATES",
    "how names are found": "result = socket.getaddrinfo('localhost', 80) or 1 / 0",
    "random and null": "os.urandom(8); open('/dev/urandom', 'rb').read(8); open('/dev/null', 'w').write('x')",
    "its own descriptors": "assert os.path.exists('/dev/fd/1' if os.path.exists('/dev/fd') else '/proc/self/fd/1')",
    "time zones": "import zoneinfo; zoneinfo.ZoneInfo('Europe/Berlin')",
    "compiled modules": "import sqlite3, ssl, lzma, bz2, zlib, ctypes, decimal",
    "processors": "assert os.cpu_count() > 0",
}


class Machine:
    """A local AWS of its own, whose handlers are confined by one means, and what is to be kept from them."""

    def __init__(self, root, means, running, functions, outside):
        self.root, self.means, self.running, self.functions, self.outside = root, means, running, functions, outside
        site = {"python/shared.py": "A = 1"}
        layer = functions.aws("lambda").publish_layer_version(
            LayerName="shared", Content={"ZipFile": functions.archive(site)}
        )["LayerVersionArn"]
        self.name = functions.make(TRY, Layers=[layer], MemorySize=512)

    def names(self):
        import ssl

        port = self.outside["listener"].getsockname()[1]
        layers = sorted((self.root / "local" / "tmp" / "functions" / "layers").glob("*"))
        return {
            "HOME": str(self.root / "me"), "STATE": self.running.state_dir, "SERVER": self.running.pid,
            "KERNEL": os.getpid(), "URL": self.running.endpoint, "PORT": port, "HOST_TMP": self.outside["tmp"].name,
            "ABSTRACT": self.outside["abstract"].getsockname().decode(),
            "LAYERS": "/opt" if self.means == "namespaces" else str(layers[0]) if layers else "",
            "CERTIFICATES": len(ssl.create_default_context().get_ca_certs()),
        }  # fmt: skip

    def run(self, code):
        failed, answer, _ = self.functions.invoke(self.name, {"code": code, "names": self.names()})
        return answer["errorType"] if failed else answer


@pytest.fixture(scope="module", params=["namespaces", "landlock"])
def machine(request, no_other_aws):
    root = Path(tempfile.mkdtemp(dir="/var/tmp"))
    (root / "me" / ".aws").mkdir(parents=True)
    (root / "me" / ".aws" / "credentials").write_text("[default]\naws_secret_access_key = mine\n")
    (root / "me" / "shop.ipynb").write_text("{}")
    (root / "me" / ".bashrc").write_text("")
    outside = {name: socket.socket(socket.AF_UNIX) for name in ("agent", "abstract")} | {"listener": socket.socket()}
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        outside["agent"].bind(str(root / "me" / "agent"))
        outside["abstract"].bind(f"\0nbchalice-test-{os.getpid()}")
        outside["listener"].bind(("127.0.0.1", 0))
        for each in outside.values():
            each.listen(50)
            stack.enter_context(each)
        outside["tmp"] = stack.enter_context(tempfile.NamedTemporaryFile(dir="/tmp"))  # noqa: SIM115
        patch.setenv("NBCHALICE_LOCAL_HOME", str(root / "local"))
        patch.setenv("NBCHALICE_LOCAL_CONFINEMENT", request.param)
        running = server.ensure_running()
        try:
            means = server.control("GET", "info")["confinement"]
            if means != request.param:
                pytest.skip(f"this system confines handlers by {means}")
            clients = {}

            def aws(service):
                if service not in clients:
                    clients[service] = boto3.client(service, **running.client_kwargs())
                return clients[service]

            yield Machine(root, means, running, Functions(aws), outside)
        finally:
            server.stop()
            shutil.rmtree(root)


WITH_A_ROOT_OF_ITS_OWN = pytest.mark.parametrize("machine", ["namespaces"], indirect=True)
WITH_LANDLOCK = pytest.mark.parametrize("machine", ["landlock"], indirect=True)


def content(folder):
    return {
        str(path): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file() and path.suffix != ".pyc"
    }


def test_attacks(machine, record_property):
    """Each is tried in a handler; then everything stands as before, and the server answers."""
    machine.run("pass")
    places = machine.root / "me", machine.root / "local" / "tmp" / "functions" / "code"
    before = [content(place) for place in places]
    assert all(before)
    attacks = {
        f"{kind} {name}": code
        for kind, cases in (("read", READ), ("write", WRITE), ("reach", REACH))
        for name, code in cases.items()
    }
    attacks |= ONLY_WITH_A_ROOT_OF_ITS_OWN if machine.means == "namespaces" else {}
    if machine.means == "landlock" and cache_folder().resolve().is_relative_to("/tmp"):  # which they share, as is told
        del attacks["write the runtime's packages"]
    answers = {name: machine.run(code) for name, code in attacks.items()}
    succeeded = {name: answer for name, answer in answers.items() if not is_refusal(answer)}
    assert not succeeded, succeeded
    record_property("tried", [f"attacks by handlers confined by {machine.means}", len(attacks)])
    assert [content(place) for place in places] == before
    assert server.status() == machine.running


def is_error(answer):
    return isinstance(answer, str) and "Error" in answer


def is_refusal(answer):
    return str(answer).startswith(
        ("OSError", "PermissionError", "FileNotFoundError", "NotADirectoryError", "ProcessLookupError", "HTTPError")
        + ("CalledProcessError", "ConnectionRefusedError", "AssertionError", "IsADirectoryError")
    )


@pytest.mark.table("what works on Lambda")
@pytest.mark.parametrize("name", USEFUL)
def test_what_works_on_lambda_works(machine, name):
    answer = machine.run(USEFUL[name])
    assert not is_error(answer), answer


PLACES = {
    "the code": ("open('/var/task/x', 'w')", "/var/task/x"),
    "the layers": ("open('/opt/x', 'w')", "/opt/x"),
    "the root": ("open('/x', 'w')", "/x"),
    "the system": ("open('/usr/x', 'w')", "/usr/x"),
    "the home": ("os.makedirs(os.path.expanduser('~/.cache/x'))", "/home/sbx_user1051"),
    "from the working folder": ("os.chdir('/var/task'); open('model.bin', 'wb')", "model.bin"),
    "its own code, at the end": ("open('/var/task/app.py', 'a')", "/var/task/app.py"),
    "its own code, in place": ("open('/var/task/app.py', 'r+b')", "/var/task/app.py"),
    "a layer's module": ("open('/opt/python/shared.py', 'a')", "/opt/python/shared.py"),
    "the runtime": ("open('/var/runtime/x', 'x')", "/var/runtime/x"),
    "a folder": ("os.mkdir('/var/task/cache')", "/var/task/cache"),
    "a link": ("os.symlink('/tmp', '/var/task/tmp')", "/tmp' -> '/var/task/tmp"),
    "another name": ("os.rename('/var/task/app.py', '/var/task/b.py')", "/var/task/app.py' -> '/var/task/b.py"),
    "away with it": ("os.remove('/var/task/app.py')", "/var/task/app.py"),
    "nothing in it": ("os.truncate('/var/task/app.py', 0)", "/var/task/app.py"),
    "its mode": ("os.chmod('/var/task/app.py', 0o777)", "/var/task/app.py"),
    "one more name": ("os.link('/var/task/app.py', '/var/task/c.py')", "/var/task/app.py' -> '/var/task/c.py"),
    "a copy": ("import shutil; shutil.copy('/var/task/app.py', '/var/task/b.py')", "/var/task/b.py"),
    "by pathlib": ("import pathlib; pathlib.Path('/opt/x').write_text('x')", "/opt/x"),
    "by a library": ("import zipfile; zipfile.ZipFile('/var/task/x.zip', 'w')", "/var/task/x.zip"),
}


@WITH_A_ROOT_OF_ITS_OWN
@pytest.mark.table("places where a handler writes")
@pytest.mark.parametrize("place", PLACES)
def test_what_lambda_has_read_only_is_told_in_its_words(machine, place):
    code, path = PLACES[place]
    assert machine.run(code) == f"OSError: [Errno 30] Read-only file system: '{path}'"


BY_A_PROGRAM = "raise OSError(subprocess.run(['/bin/sh', '-c', {!r}], capture_output=True, text=True).stderr)"


@WITH_A_ROOT_OF_ITS_OWN
@pytest.mark.table("places where a handler writes")
@pytest.mark.parametrize(
    "command", ["echo x > /var/task/x", "cp /opt/python/shared.py /opt/b.py", "rm /var/task/app.py"]
)
def test_a_program_may_not_write_there_either(machine, command):
    assert "Read-only file system" in machine.run(BY_A_PROGRAM.format(command))


@WITH_LANDLOCK
def test_where_only_landlock_confines_writing_is_a_permission_error(machine):
    assert machine.run("open(TASK + '/x', 'w')").startswith("PermissionError: [Errno 13] Permission denied")


@WITH_A_ROOT_OF_ITS_OWN
def test_tmp_is_an_environments_own_and_has_the_functions_size(machine):
    code = "import os\ndef handler(e, c):\n    open('/tmp/mine', 'a').write('x')\n    return [os.listdir('/tmp'), open('/tmp/mine').read()]\n"
    first, second = machine.functions.make(code), machine.functions.make(code)
    assert machine.functions.invoke(first)[1] == [["mine"], "x"]
    assert machine.functions.invoke(first)[1] == [["mine"], "xx"]  # warm
    assert machine.functions.invoke(second)[1] == [["mine"], "x"]
    large = "def handler(e, c):\n    with open('/tmp/large', 'wb') as f:\n        for _ in range(e['mb']): f.write(bytes(1 << 20))\n"
    name = machine.functions.make(large, EphemeralStorage={"Size": 512})
    assert machine.functions.invoke(name, {"mb": 400})[0] is None
    failed, payload, _ = machine.functions.invoke(name, {"mb": 513})
    assert failed and payload["errorMessage"] == "[Errno 28] No space left on device"


SHARED = {
    "a lock": "import multiprocessing as m; m.Lock()",
    "a queue": "import multiprocessing as m; m.Queue()",
    "a pool": "import multiprocessing as m; m.Pool(2)",
    "an executor": "from concurrent.futures import ProcessPoolExecutor as P; P().submit(abs, 1).result()",
    "shared memory": "from multiprocessing import shared_memory as s; s.SharedMemory(create=True, size=10)",
}


@pytest.mark.parametrize("what", SHARED)
def test_without_shared_memory_multiprocessing_fails_as_on_lambda(machine, what):
    assert machine.run(SHARED[what]) == "OSError: [Errno 38] Function not implemented"


MEMORY = {
    "at once": "x = bytearray(300 << 20)",
    "little by little": "x = []\n    while True: x.append(bytearray(1 << 20))",
    "and waits": "x = bytearray(300 << 20)\n    import time; time.sleep(60)",
    "in a child": "import subprocess, sys; subprocess.run([sys.executable, '-c', 'x = bytearray(300 << 20); import time; time.sleep(60)'])",
    # These may have ended before anybody looked.
    "for a moment": "x = bytes(range(256)) * (600 << 10); del x",
    "in a child for a moment": "import os\n    if not os.fork(): x = b'x' * (150 << 20); os._exit(0)\n    os.wait()",
}


@pytest.mark.parametrize("how", MEMORY)
def test_over_the_memory_limit_the_process_is_killed_as_on_lambda(machine, how):
    name = machine.functions.make(f"def handler(e, c):\n    {MEMORY[how]}\n", MemorySize=128, Timeout=50)
    failed, payload, answer = machine.functions.invoke(name)
    request_id = answer["ResponseMetadata"]["RequestId"]
    killed = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
    assert (failed, payload) == ("Unhandled", {"errorType": "Runtime.ExitError", "errorMessage": killed})
    log = machine.functions.log(name)
    assert f"{killed}\nRuntime.ExitError" in log
    assert "\tMemory Size: 128 MB\tMax Memory Used: 128 MB" in log[-1]
    assert machine.functions.invoke(name)[1]["errorType"] == "Runtime.ExitError"  # a new environment, the same end


@pytest.mark.parametrize("how", ["at once", "in a child", "for a moment", "in a child for a moment"])
def test_over_the_memory_limit_while_the_code_is_loaded_the_log_says_so(machine, how):
    code = MEMORY[how].replace("\n    ", "\n") + "\ndef handler(e, c):\n    return 1\n"
    name = machine.functions.make(code, MemorySize=128, Timeout=50)
    failed, payload, answer = machine.functions.invoke(name)
    killed = f"RequestId: {answer['ResponseMetadata']['RequestId']} Error: Runtime exited with error: signal: killed"
    assert (failed, payload) == ("Unhandled", {"errorType": "Runtime.ExitError", "errorMessage": killed})
    log = machine.functions.log(name)
    assert f"{killed}\nRuntime.ExitError" in log
    assert "\tMemory Size: 128 MB\tMax Memory Used: 128 MB" in log[-1] and log[-1].endswith("\tStatus: error")


@pytest.mark.parametrize(("end", "words"), [("os._exit(3)", "exit status 3"), ("os.abort()", "signal: aborted")])
def test_a_process_that_ends_while_the_code_is_loaded_is_told_in_the_log(machine, end, words):
    name = machine.functions.make(f"import os\n{end}\ndef handler(e, c):\n    return 1\n")
    _, payload, answer = machine.functions.invoke(name)
    reason = f"RequestId: {answer['ResponseMetadata']['RequestId']} Error: Runtime exited with error: {words}"
    assert payload == {"errorType": "Runtime.ExitError", "errorMessage": reason}
    assert f"{reason}\nRuntime.ExitError" in machine.functions.log(name)


def test_below_the_memory_limit_nothing_is_killed(machine):
    name = machine.functions.make("def handler(e, c):\n    x = bytearray(80 << 20)\n    return 1\n", MemorySize=128)
    assert machine.functions.invoke(name)[1] == 1


@WITH_A_ROOT_OF_ITS_OWN
def test_the_user_is_lambdas(machine):
    code = "import getpass; result = [os.getuid(), os.getgid(), os.path.expanduser('~'), getpass.getuser()]"
    assert machine.run(code) == [993, 990, "/home/sbx_user1051", "sbx_user1051"]


def test_what_cannot_be_enforced_is_told_once_and_in_the_status(machine, capsys):
    from nbchalice.ui.commands import local

    machine.run("pass")
    told = server.not_enforced()
    assert bool(told) == (machine.means != "namespaces")
    card = local.status()
    assert all(text in card.text for text in told)
    assert card.data.get("not_enforced", []) == told
    notes = server.read_notes(news=True)
    assert not [note for note in notes if note in told]  # `status` has told it


def test_the_process_that_starts_handlers_is_started_again(machine):
    import signal

    from nbchalice.aws.local.server.processes import children

    machine.run("pass")
    spawner = next(
        pid for pid in children(machine.running.pid) if "--spawner" in Path(f"/proc/{pid}/cmdline").read_text()
    )
    os.kill(spawner, signal.SIGKILL)
    fresh = machine.functions.make("def handler(e, c): return 1\n")
    assert machine.functions.invoke(fresh)[1] == 1


def test_it_is_started_again_where_it_ended_before_it_had_said_what_confines_handlers(tmp_path):
    from nbchalice.aws.local.server.processes import Spawner

    folder = tmp_path / "absent"
    spawner = Spawner("namespaces", folder)
    spawner._process.wait()
    folder.mkdir()
    try:
        assert spawner.means in {"namespaces", "landlock", "none"}
    finally:
        spawner._link.close()
        spawner._process.wait()


def test_byte_code_of_what_was_imported_is_written_for_it(machine, eventually):
    """Lambda's packages have theirs, and a handler that could write them could change what others import."""
    layer = machine.functions.aws("lambda").publish_layer_version(
        LayerName="slow", Content={"ZipFile": machine.functions.archive({"python/slow.py": "A = 1", "python/x.py": ""})}
    )["LayerVersionArn"]
    code = "def handler(e, c):\n    import slow, os\n    return [slow.__cached__, os.path.exists(slow.__cached__)]\n"
    name = machine.functions.make(code, Layers=[layer])
    cached, there = machine.functions.invoke(name)[1]
    assert not there
    written = Path(machine.running.state_dir) / "tmp" / "functions" / "layers"
    eventually(lambda: list(written.rglob(f"__pycache__/{Path(cached).name}")))
    assert not list(written.rglob("__pycache__/x.*"))
    assert machine.functions.invoke(name)[1] == [cached, True]


LINKS = """
import os
def handler(event, context):
    seen = {}
    for folder in (os.environ["LAMBDA_TASK_ROOT"], "/opt", event["layers"]):
        for name in ("file", "folder/.bashrc", "python/inner/.bashrc", "above", "own"):
            try:
                seen[f"{folder}/{name}"] = open(f"{folder}/{name}").read()
            except OSError as error:
                pass
    return sorted(set(seen.values()))
"""


def test_links_in_code_and_layers_lead_to_nothing_of_the_users(machine):
    home = machine.root / "me"
    (home / ".bashrc").write_text("the user's")
    links = {"file": home / ".aws" / "credentials", "folder": home, "python/inner": home, "own": "python/own.txt"}
    up = "../" * 12
    links["above"] = f"{up}{str(home).lstrip('/')}/.bashrc"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        bundle.writestr("app.py", LINKS)
        bundle.writestr("python/own.txt", "its own")
        for name, target in links.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            bundle.writestr(entry, str(target))
    functions = machine.functions
    content = {"ZipFile": buffer.getvalue()}
    layer = functions.aws("lambda").publish_layer_version(LayerName="links", Content=content)["LayerVersionArn"]
    name = functions.make("", Layers=[layer])
    functions.aws("lambda").update_function_code(FunctionName=name, **content)
    functions.ready(name)
    layers = max(
        (machine.root / "local" / "tmp" / "functions" / "layers").glob("*"),
        key=lambda path: path.stat().st_mtime,
        default="",
    )
    assert functions.invoke(name, {"layers": str(layers)})[1] == ["its own"]


ELSEWHERE = {
    "another folder": "/etc/x.py",
    "above": "/opt/../../out.py",
    "by a link": "/opt/link.py",
    "byte code by a link": "/opt/package/x.py",
    "no source": "/opt/data.txt",
    "two names": "/opt/here.py\n/etc/x.py",
    "nothing": "/opt/missing.py",
}


@pytest.mark.parametrize("name", [*ELSEWHERE, "here"])
def test_byte_code_is_written_nowhere_else(tmp_path, name):
    from nbchalice.aws.local.server.bytecode import source_in

    layers, out = tmp_path / "layers", tmp_path / "out.py"
    (layers / "package").mkdir(parents=True)
    for file in (out, layers / "here.py", layers / "package" / "x.py", layers / "data.txt"):
        file.write_text("")
    (layers / "link.py").symlink_to(out)
    (tmp_path / "elsewhere").mkdir()
    (layers / "package" / "__pycache__").symlink_to(tmp_path / "elsewhere")
    expected = None if name in ELSEWHERE else str(layers / "here.py")
    assert source_in({"/opt": str(layers)}, ELSEWHERE.get(name, "/opt/here.py")) == expected


def test_nothing_of_a_handler_is_left_when_its_environment_ends(machine, eventually):
    mark = f"4{os.getpid()}.25"
    code = f"import subprocess\ndef handler(e, c):\n    subprocess.Popen(['sleep', '{mark}'], start_new_session=True)\n"
    name = machine.functions.make(code)
    assert machine.functions.invoke(name)[0] is None
    eventually(lambda: len(sleeping(mark)) == 1)
    machine.functions.aws("lambda").delete_function(FunctionName=name)
    if machine.means == "namespaces":
        eventually(lambda: not sleeping(mark))
    for pid in sleeping(mark):
        os.kill(pid, 9)


def sleeping(mark):
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes() == f"sleep\0{mark}\0".encode():
                found.append(int(path.parent.name))
    return found


def test_without_any_means_handlers_run_and_it_is_said(home, monkeypatch):
    monkeypatch.setenv("NBCHALICE_LOCAL_CONFINEMENT", "none")
    running = server.ensure_running()
    functions = Functions(lambda service: boto3.client(service, **running.client_kwargs()))
    name = functions.make(
        "import os, tempfile\ndef handler(e, c): return [os.environ['HOME'], tempfile.gettempdir()]\n"
    )
    own, temporary = functions.invoke(name)[1]
    assert own == temporary and own.startswith(str(home))
    assert "see and may change all that you may" in server.not_enforced()[0]
    assert [note for note in server.read_notes(news=True) if note in server.not_enforced()]
    assert not server.read_notes(news=True)


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.12", "3.13"])
def test_every_python_of_this_machine_is_confined(machine, version):
    find_or_skip(version)
    code = "import os, sys\ndef handler(e, c):\n    try: open('/x', 'w')\n    except OSError as error: return [error.errno, sys.version_info[:2]]\n"
    name = machine.functions.make(code, runtime=f"python{version}")
    failed, answer, _ = machine.functions.invoke(name)
    assert not failed, answer
    assert answer[0] == (30 if machine.means == "namespaces" else 13)
    assert answer[1] == [int(part) for part in version.split(".")]


NOT_ENFORCED_BY_LANDLOCK = {
    "share `/tmp`": "open(HOST_TMP).read()",
    "the list of processes": "assert str(SERVER) in os.listdir('/proc')",
    "sockets": "socket.socket(socket.AF_UNIX).connect(HOME + '/agent')",
    "the modes of your files": "os.chmod(HOME + '/shop.ipynb', 0o644)",
}


@WITH_LANDLOCK
@pytest.mark.parametrize("what", NOT_ENFORCED_BY_LANDLOCK)
def test_what_landlock_cannot_enforce_is_what_the_readme_says(machine, what):
    readme = " ".join((Path(__file__).parents[2] / "README.md").read_text().split())
    part = readme.partition("Where there is only Landlock")[2].partition("It is not AWS")[0]
    assert what in part
    assert machine.run(NOT_ENFORCED_BY_LANDLOCK[what]) == "done"
