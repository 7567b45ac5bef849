"""A notebook that is only planned changes no file, starts nothing, reaches nothing and signals nobody."""

import contextlib
import hashlib
import os
import pickle
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from nbchalice.cli import code_of
from nbchalice.confinement import landlock
from nbchalice.notebook.sandbox import seccomp
from nbchalice.notebook.sandbox.helper import Helper
from nbchalice.packaging.bundle_store import save_bundle
from nbchalice.packaging.bundles import Bundle

from ..notebooks import write

LINUX = sys.platform == "linux"
KERNEL = bool(seccomp.machine() and landlock.version())
WAYS = {
    "private /tmp": {},
    "no private /tmp": {"private": False},
    "Python alone": {"kernel": False},
}
# Each is tried on files of which P is the folder's path, with PID of a process and the sockets below that folder.
CHANGES = {
    "remove": "os.remove(P + '/file')",
    "unlink": "pathlib.Path(P, 'file').unlink()",
    "rmdir": "os.rmdir(P + '/empty')",
    "rmtree": "shutil.rmtree(P + '/full', ignore_errors=True)",
    "rename": "os.rename(P + '/file', P + '/other')",
    "replace": "os.replace(P + '/file', P + '/private')",
    "move": "shutil.move(P + '/file', P + '/empty')",
    "move into tmp": "shutil.move(P + '/file', '/tmp')",
    "replace from tmp": "open('/tmp/nb', 'w').close(); os.replace('/tmp/nb', P + '/file')",
    "truncating open": "open(P + '/file', 'w')",
    "append": "open(P + '/file', 'a').write('x')",
    "read and write": "open(P + '/file', 'r+').write('x')",
    "new file": "open(P + '/new', 'x')",
    "os.open": "os.open(P + '/new', os.O_CREAT | os.O_WRONLY)",
    "opened with O_TRUNC": "os.open(P + '/file', os.O_RDONLY | os.O_TRUNC)",
    "in an opened folder": "d = os.open(P, os.O_RDONLY); os.unlink('file', dir_fd=d)",
    "opened in a folder": "d = os.open(P, os.O_RDONLY); os.chdir('/tmp'); os.open('file', os.O_TRUNC | os.O_RDWR, dir_fd=d)",
    "from within": "os.chdir(P); open('file', 'w')",
    "truncate": "os.truncate(P + '/file', 0)",
    "chmod": "os.chmod(P + '/private', 0o777)",
    "fchmod": "os.fchmod(os.open(P + '/private', os.O_RDONLY), 0o777)",
    "chmod of a folder": "pathlib.Path(P).chmod(0o777)",
    "lchown": "os.lchown(P + '/link', os.getuid(), os.getgid())",
    "utime": "os.utime(P + '/file', (1, 1))",
    "touch": "os.utime(P + '/file')",
    "mkdir": "os.makedirs(P + '/a/b')",
    "symlink": "os.symlink('/etc/passwd', P + '/new')",
    "link": "os.link(P + '/file', P + '/new')",
    "link into tmp": "os.link(P + '/file', '/tmp/nb'); open('/tmp/nb', 'w')",
    "through a link": "os.symlink(P + '/file', '/tmp/nb'); open('/tmp/nb', 'w')",
    "through a link to a folder": "os.symlink(P, '/tmp/nb'); open('/tmp/nb/new', 'w')",
    "mkfifo": "os.mkfifo(P + '/new')",
    "mknod": "os.mknod(P + '/new')",
    "sqlite3": "sqlite3.connect(P + '/new').execute('create table t (x)')",
    "sqlite3, attached": "sqlite3.connect(':memory:').execute('attach ? as a', (P + '/new',)).execute('create table a.t (x)')",
    "sqlite3, changed": "c = sqlite3.connect(P + '/db'); c.execute('insert into t values (2)'); c.commit()",
    "sqlite3, URI": "sqlite3.connect('file:' + P + '/new', uri=True).execute('create table t (x)')",
    "tempfile": "tempfile.mkdtemp(dir=P)",
    "copy": "shutil.copy('/etc/passwd', P + '/new')",
    "logging": "import logging; logging.FileHandler(P + '/new')",
    "zipfile": "import zipfile; zipfile.ZipFile(P + '/new', 'w').close()",
    "a compiled module": "import py_compile; py_compile.compile(P + '/mod.py')",
    "a program": "subprocess.run(['/bin/sh', '-c', 'touch ' + P + '/new'])",
    "os.system": "os.system('touch ' + P + '/new')",
    "popen": "os.popen('touch ' + P + '/new').read()",
    "posix_spawn": "os.waitpid(os.posix_spawn('/bin/sh', ['sh', '-c', 'touch ' + P + '/new'], {}), 0)",
    "exec": "os.execv('/bin/sh', ['sh', '-c', 'touch ' + P + '/new'])",
    "a fork": "os.fork() or os.execv('/bin/sh', ['sh', '-c', 'touch ' + P + '/new'])",
    "multiprocessing": "import multiprocessing as m; p = m.get_context('fork').Process(target=open, args=(P + '/new', 'w')); p.start(); p.join()",
    "a thread": "import threading; t = threading.Thread(target=open, args=(P + '/new', 'w')); t.start(); t.join()",
    "kill": "os.kill(PID, 15)",
    "stop": "os.kill(PID, 19)",
    "kill of its group": "os.killpg(os.getpgid(PID), 15)",
    "kill of all": "os.kill(-PID, 15)",
    "connect": "socket.create_connection(('127.0.0.1', TCP), 1).send(b'x')",
    "datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', UDP))",
    "a Unix socket": "socket.socket(socket.AF_UNIX).connect(P + '/stream')",
    "a Unix datagram": "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', P + '/datagram')",
    "a pair of datagram sockets": "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'x', P + '/datagram')",
    "a listening socket": "s = socket.socket(socket.AF_UNIX); s.bind(P + '/new')",
    "urllib": "import urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{TCP}', timeout=1)",
}
LINUX_ONLY = {
    "an abstract socket": "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', ABSTRACT)",
    "an attribute": "os.setxattr(P + '/file', 'user.nb', b'x')",
    "a removed attribute": "os.removexattr(P + '/attributed', 'user.old')",
    "ctypes: system": "libc.system(('touch ' + P + '/new').encode())",
    "ctypes: unlink": "libc.unlink((P + '/file').encode())",
    "ctypes: chmod": "libc.chmod((P + '/private').encode(), 0o777)",
    "ctypes: chown": "libc.chown((P + '/file').encode(), os.getuid(), os.getgid())",
    "ctypes: utimes": "libc.utimes((P + '/file').encode(), None)",
    "ctypes: creat": "libc.creat((P + '/new').encode(), 0o600)",
    "ctypes: truncate": "libc.truncate((P + '/file').encode(), ctypes.c_long(0))",
    "ctypes: rename": "libc.rename((P + '/file').encode(), (P + '/new').encode())",
    "ctypes: kill": "libc.kill(PID, 15)",
    "ctypes: queued signal": "libc.sigqueue(PID, 15, None)",
    "ctypes: signal by owner": "r, w = os.pipe(); [libc.fcntl(r, *a) for a in ((8, PID), (10, 9), (4, 0o20000))]; os.write(w, b'x')",
    "ctypes: vfork": "libc.posix_spawn(None, b'/bin/sh', None, None, (ctypes.c_char_p * 4)(b'sh', b'-c', ('touch ' + P + '/new').encode()), None)",
    "ctypes: socket": "s = libc.socket(2, 2, 0); libc.sendto(s, b'x', 1, 0, bytes([2, 0]) + UDP.to_bytes(2, 'big') + bytes([127, 0, 0, 1]) + bytes(8), 16)",
    "ctypes: umount": "libc.umount2(b'/tmp', 2); libc.unlink((P + '/file').encode())",
    "ctypes: ptrace": "libc.ptrace(16, PID, None, None) == 0 and libc.kill(PID, 9)",
    "score of a process": "open(f'/proc/{PID}/oom_score_adj', 'w').write('700')",
    "limits of a process": "import resource; resource.prlimit(PID, resource.RLIMIT_NOFILE, (10, 10))",
    "priority of a process": "os.setpriority(os.PRIO_PROCESS, PID, 19)",
    "processors of a process": "os.sched_setaffinity(PID, [min(os.sched_getaffinity(PID))])",
}
BEGIN = """
import ctypes, os, pathlib, shutil, socket, sqlite3, subprocess, tempfile
try:
    libc = ctypes.CDLL(None)
except PermissionError:
    libc = None
"""


class Outside:
    """What a notebook must not touch: files, a process, and what listens."""

    def __init__(self, root):
        self.root = root
        for name, mode, text in (("file", 0o644, "old"), ("private", 0o600, "mine"), ("mod.py", 0o644, "A = 1\n")):
            (root / name).write_text(text)
            (root / name).chmod(mode)
        (root / "empty").mkdir()
        (root / "full" / "below").mkdir(parents=True)
        (root / "full" / "below" / "file").write_text("old")
        (root / "link").symlink_to("file")
        (root / "attributed").write_text("old")
        if LINUX:
            os.setxattr(root / "attributed", "user.old", b"x")
        with contextlib.closing(sqlite3.connect(root / "db")) as database:
            database.execute("create table t (x)")
            database.commit()
        self.process = subprocess.Popen([shutil.which("sleep"), "600"], start_new_session=True)
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(type=socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.stream, self.datagram, self.abstract = (socket.socket(socket.AF_UNIX, kind) for kind in (1, 2, 2))
        self.stream.bind(str(root / "stream"))
        self.stream.listen()
        self.datagram.bind(str(root / "datagram"))
        self.abstract.bind(f"\0nbchalice-test-{os.getpid()}" if LINUX else str(root / "abstract"))
        self.sockets = [self.tcp, self.udp, self.stream, self.datagram, self.abstract]
        for one in self.sockets:
            one.setblocking(False)

    def names(self):
        known = {"P": str(self.root), "PID": self.process.pid, "ABSTRACT": self.abstract.getsockname()}
        return {**known, "TCP": self.tcp.getsockname()[1], "UDP": self.udp.getsockname()[1]}

    def state(self):
        files = {str(path): self._file(path) for path in [self.root, *sorted(self.root.rglob("*"))]}
        return {**files, "heard": [self._heard(one) for one in self.sockets], "process": self._process()}

    def _file(self, path):
        found = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        attributes = os.listxattr(path, follow_symlinks=False) if LINUX else None
        return [found.st_mode, found.st_nlink, found.st_ctime_ns, found.st_mtime_ns, found.st_ino, content, attributes]

    def _heard(self, one):
        try:
            if one.type == socket.SOCK_DGRAM:
                return one.recv(10)
            one.accept()[0].close()
            return True
        except BlockingIOError:
            return None

    def _process(self):
        pid = self.process.pid
        if self.process.poll() is not None or not LINUX:
            return self.process.returncode
        status = Path(f"/proc/{pid}/status").read_text()
        waits = "stopped" if "State:\tT" in status else "sleeps"
        limits, score = Path(f"/proc/{pid}/limits").read_text(), Path(f"/proc/{pid}/oom_score_adj").read_text()
        return [waits, limits, score, os.getpriority(os.PRIO_PROCESS, pid), sorted(os.sched_getaffinity(pid))]

    def close(self):
        self.process.kill()
        self.process.wait()
        for one in self.sockets:
            one.close()
        shutil.rmtree(self.root)


@pytest.fixture(params=["/tmp", "/var/tmp"])
def outside(request):
    made = Outside(Path(tempfile.mkdtemp(prefix="nbchalice-test-", dir=request.param)))
    yield made
    made.close()


@pytest.fixture(scope="module")
def helper():
    made = Helper()
    yield made
    made.close()


def run(helper, code, way, folder):
    request = {"action": "verify", "module": code, "segments": [], "notebook": "nb.ipynb", "names": ["A"]}
    request |= {"reads": [], "imported": {}, "bundles": {}, "codecs": [], "confine": WAYS[way]}
    return helper.ask(request, folder, timeout=30)


def module(attack, names):
    given = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    return f"{BEGIN}{given}{attack}\nA = 'got through'\n"


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_nothing_outside_changes(way, outside, helper, tmp_path, capsys):
    if way != "Python alone" and not KERNEL:
        pytest.skip("this system has no Landlock")
    tried, changed = {**CHANGES, **(LINUX_ONLY if LINUX else {})}, []
    for name, attack in tried.items():
        before = outside.state()
        answer = run(helper, module(attack, outside.names()), way, tmp_path)
        assert (answer.get("cell_line") or 0) != 2, answer  # It failed before it began.
        if outside.state() != before:
            changed.append(name)
    with capsys.disabled():
        where = f"{way}, files in {outside.root.parent}"
        print(f"\nconfinement ({where}): {len(tried)} ways to do harm tried, {len(changed)} got through")
    assert changed == []
    assert not Path("/tmp/nb").exists()
    assert helper.confined_by == ("python" if way == "Python alone" else "kernel")


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANGES | (LINUX_ONLY if LINUX else {}))
def test_each_would_change_something(name, tmp_path):
    """What the test above tries does harm where nothing confines it."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    made = Outside(Path(tempfile.mkdtemp(prefix="nbchalice-test-", dir="/tmp")))
    try:
        before = made.state()
        attack = {**CHANGES, **LINUX_ONLY}[name].replace("'/tmp", f"'{scratch}").replace("b'/tmp'", "b'/nowhere'")
        code = module(attack, made.names())
        subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
        assert made.state() != before
    finally:
        made.close()


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("attack", "says"),
    [
        ("os.remove(P + '/file')", "Read-only file system"),
        ("os.chmod(P + '/file', 0o777)", "Read-only file system"),
        ("os.remove(P + '/nothing')", "No such file"),
        ("open(P + '/file')", "not on Lambda"),
        ("os.kill(PID, 15)", "no signals are sent"),
        ("os.fork()", "no other program is run"),
        ("socket.socket(socket.AF_INET)", "the network is not used"),
    ],
)
def test_what_is_held_back_is_said(way, attack, says, outside, helper, tmp_path):
    answer = run(helper, module(attack, outside.names()), way, tmp_path)
    hidden = str(outside.root).startswith("/tmp/") and "P + " in attack
    assert "error" in answer if hidden else says in answer["error"], answer


USEFUL = {
    "scratch": "p = tempfile.mkdtemp(); open(p + '/a', 'w').write('x'); os.rename(p + '/a', p + '/b'); os.mkdir(p + '/c')",
    "temporary": "f = tempfile.NamedTemporaryFile(); f.write(b'x'); f.close(); d = tempfile.TemporaryDirectory(); d.cleanup()",
    "unnamed": "tempfile.TemporaryFile().write(b'x'); tempfile.SpooledTemporaryFile().write(b'x')",
    "threads": "from concurrent.futures import ThreadPoolExecutor as T; assert list(T(3).map(abs, [-1])) == [1]",
    "a loop": "import asyncio; assert asyncio.run(asyncio.sleep(0, 1)) == 1",
    "itself": "import signal; os.kill(os.getpid(), 0); os.getpriority(os.PRIO_PROCESS, 0); signal.getitimer(signal.ITIMER_REAL)",
    "a library's data": "import email; assert open(email.__file__).read()",
    "the system": "assert open('/etc/passwd').read(); os.cpu_count(); open('/dev/null', 'w').write('x'); os.urandom(3)",
    "a zone": "import zoneinfo; zoneinfo.ZoneInfo('Europe/Paris')",
    "random": "import random, secrets, uuid; random.random(); secrets.token_hex(); uuid.uuid4()",
    "a clock": "import time; time.sleep(0.001); time.monotonic()",
    "memory": "import mmap; mmap.mmap(-1, 4096).write(b'x')",
    "nothing there": "assert not os.path.exists('/nothing'); pathlib.Path('/nothing/at/all').unlink(missing_ok=True)",
}
ON_TMP = {
    "a file": "open('/tmp/nb', 'w').write('x'); assert open('/tmp/nb').read() == 'x'; os.remove('/tmp/nb')",
    "modes": "open('/tmp/nb', 'w'); os.chmod('/tmp/nb', 0o700); os.utime('/tmp/nb', (1, 1)); shutil.copy('/tmp/nb', '/tmp/nb2')",
    "a folder": "os.makedirs('/tmp/a/b'); pathlib.Path('/tmp/a/b/c').touch(); shutil.rmtree('/tmp/a'); os.symlink('x', '/tmp/nb')",
    "a database": "c = sqlite3.connect('/tmp/nb'); c.execute('create table t (x)'); c.commit()",
    "in memory": "sqlite3.connect(':memory:').execute('create table t (x)')",
    "empty": "assert not {'nb', 'nb2', 'a'} & set(os.listdir('/tmp')); assert tempfile.gettempdir() == '/tmp'",
    "ctypes": "ctypes.CDLL(None).getpid()",
    "sockets of one's own": "a, b = socket.socketpair(); a.send(b'x'); assert b.recv(1) == b'x'",
}


@pytest.mark.parametrize("way", WAYS)
def test_what_lambda_allows_works(way, helper, tmp_path):
    tried = {**USEFUL, **(ON_TMP if way == "private /tmp" and helper_has_private_tmp(helper, tmp_path) else {})}
    failed = {}
    for name, code in tried.items():
        answer = run(helper, f"{BEGIN}{code}\n", way, tmp_path)
        if "error" in answer:
            failed[name] = answer["error"]
    assert failed == {}


def helper_has_private_tmp(helper, folder):
    return "error" not in run(helper, "open('/tmp/nb', 'w')\n", "private /tmp", folder)


def test_where_only_python_holds_back_it_is_said(helper, tmp_path):
    run(helper, "A = 1\n", "Python alone", tmp_path)
    assert "only Python's own hook" in helper.notes[0]
    if KERNEL:
        run(helper, "A = 1\n", "private /tmp", tmp_path)
        assert helper.notes == []


@pytest.mark.slow
@pytest.mark.skipif(not KERNEL, reason="this system has no Landlock")
@pytest.mark.parametrize("abi", range(1, landlock.version() + 1) if KERNEL else ())
def test_every_version_of_landlock_keeps_files(abi, outside):
    code = f"""
        import os, pathlib, sys
        from nbchalice.confinement import landlock
        from nbchalice.notebook.sandbox import seccomp
        landlock.restrict([pathlib.Path("/usr")], [], [], [pathlib.Path("/dev/null")], {abi})
        seccomp.restrict(os.getpid(), modes=False, truncate={abi} >= landlock.TRUNCATES_SINCE)
        P, PID = {str(outside.root)!r}, {outside.process.pid}
        for harm in (
            lambda: os.remove(P + "/file"), lambda: os.truncate(P + "/file", 0), lambda: open(P + "/file", "w"),
            lambda: os.chmod(P + "/private", 0o777), lambda: os.kill(PID, 15), lambda: os.fork(),
            lambda: os.rename(P + "/file", P + "/empty/file"), lambda: os.link(P + "/file", P + "/new"),
        ):
            try:
                harm()
            except OSError as error:
                continue
            sys.exit("got through")
    """
    before = outside.state()
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert outside.state() == before


@pytest.mark.slow
@pytest.mark.parametrize("command", ["package", "show", pytest.param("plan", marks=pytest.mark.local_aws)])
@pytest.mark.parametrize("site", ["a cell", "a decorator", "a local module", "a bundle"])
def test_a_notebook_of_somebody_else_does_no_harm(site, command, outside, tmp_path, capfd, request):
    if command == "plan":
        request.getfixturevalue("local_aws")
    harm = f"__import__('os').remove({str(outside.root / 'file')!r})"
    swallowed = f"try:\n    {harm}\nexcept OSError:\n    pass"
    made = {
        "a cell": [swallowed + "\nR = 1", "%%lambda_function\ndef one(event):\n    return R"],
        "a decorator": [f"@app.on_sqs_message('q', batch_size={harm} or 1)\ndef one(event):\n    return 1"],
        "a local module": ["import harm", "%%lambda_function\ndef one(event):\n    return harm.R"],
        "a bundle": ["%chalice bundle R", "%%lambda_function\ndef one(event):\n    return R"],
    }[site]
    (tmp_path / "harm.py").write_text(swallowed + "\nR = 1\n")
    path = tmp_path / "shop.ipynb"
    write(path, ["%chalice app shop", *made])
    if site == "a bundle":
        data = pickle.dumps(Removes(str(outside.root / "file")))
        save_bundle(path, Bundle("R", "pickle", data, hashlib.sha256(data).hexdigest(), len(data)))
    before = outside.state()
    code = code_of([command, str(path), *(["--out", str(tmp_path / "out")] if command == "package" else [])])
    said = capfd.readouterr()
    assert outside.state() == before, said
    # A handler that cannot be without the harm is refused, and the others are planned to the end.
    assert code == (2 if site in {"a decorator", "a bundle"} and command != "show" else 0), said


class Removes:
    """Removes a file when its pickle is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.remove, (self.path,))
