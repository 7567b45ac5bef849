"""What a handler sees of this computer's files: those that Lambda has, too, under Lambda's names where that can be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbchalice.confinement import landlock
from nbchalice.confinement.own_root import OwnRoot, leave

from ..shared.spec import FunctionSpec

NAMESPACES, LANDLOCK, NOTHING = "namespaces", "landlock", "none"
USER, GROUP, HOME = 993, 990, "/home/sbx_user1051"  # of Lambda's handlers
_WORKER = str(Path(__file__).parents[1] / "worker")
_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/sys/devices/system"),
    *("/etc/alternatives", "/etc/ca-certificates", "/etc/crypto-policies", "/etc/fonts", "/etc/gai.conf"),
    *("/etc/host.conf", "/etc/hosts", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/mime.types"),
    *("/etc/nsswitch.conf", "/etc/os-release", "/etc/protocols", "/etc/services", "/etc/system-release"),
    *("/etc/pki/ca-trust", "/etc/pki/tls/cert.pem", "/etc/pki/tls/certs", "/etc/ssl/cert.pem", "/etc/ssl/certs"),
    *("/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf"),
)
"""Of the system: programs, libraries, and how names and certificates are found; nothing that may hold a secret."""

_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_DEVICE_LINKS = {
    "/dev/fd": "/proc/self/fd",
    "/dev/stdin": "/proc/self/fd/0",
    "/dev/stdout": "/proc/self/fd/1",
    "/dev/stderr": "/proc/self/fd/2",
}
_OF_PYTHON = ("bin", "lib", "lib32", "lib64", "ssl")


@dataclass(frozen=True)
class Names:
    """Under which names a handler sees its folders and the interpreter."""

    code: str
    layers: str
    packages: str
    temporary: str
    home: str
    python: str
    bootstrap: str


def names_of(spec: FunctionSpec, means: str, scratch: Path) -> Names:
    """Return the names that a function's environments see: Lambda's, if they can have a root of their own."""
    runtime = spec.runtime
    if means == NAMESPACES:
        layers, python = "/opt" if spec.layers else "", os.path.realpath(runtime.executable)
        return Names("/var/task", layers, "/var/runtime", "/tmp", HOME, python, "/var/rapid/bootstrap.py")  # noqa: S108
    own, home = str(scratch), HOME if means == LANDLOCK else str(scratch)
    return Names(
        str(spec.task_root), spec.layers, runtime.packages, own, home, runtime.executable, f"{_WORKER}/bootstrap.py"
    )


def folders_seen(spec: FunctionSpec, names: Names) -> dict[str, str]:
    """Return the folders of code by the names under which a handler sees them."""
    seen = {names.code: str(spec.task_root), names.layers: spec.layers, names.packages: spec.runtime.packages}
    return {name: folder for name, folder in seen.items() if folder}


def files_of(spec: FunctionSpec, scratch: Path) -> dict[str, Any]:
    """Return the files of one environment, for the process that starts it."""
    return {
        "scratch": str(scratch),
        "storage_mb": spec.storage_mb,
        "code": str(spec.task_root),
        "layers": spec.layers,
        "packages": spec.runtime.packages,
        "python": folders_of_python(spec.runtime.prefixes),
    }


def folders_of_python(prefixes: Sequence[str]) -> list[str]:
    """Return the folders of an interpreter; of one that is installed in somebody's home only what belongs to it."""
    folders: list[str] = []
    for prefix in dict.fromkeys(map(os.path.realpath, prefixes)):
        brewed = prefix.partition("/Cellar/")[0] if "/Cellar/" in prefix else ""
        home = os.path.expanduser(f"~{_user_name()}")  # noqa: PTH111 - the server's HOME is not the user's
        if brewed:
            folders += [f"{brewed}/{name}" for name in ("Cellar", "opt", "lib", "etc/openssl@3")]
        elif Path(home).is_relative_to(prefix):
            folders += [f"{prefix}/{name}" for name in _OF_PYTHON]
        else:
            folders.append(prefix)
    return [folder for folder in folders if not folder.startswith(("/usr/", "/bin/")) and folder != "/usr"]


def _user_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""


def enter_namespaces(files: dict[str, Any]) -> None:
    """Enter Lambda's files, for ever; `leave_others` came before, and this is the first process after it."""
    root = OwnRoot(files["scratch"])
    for path in _SYSTEM:
        root.show(path)
    root.make(["/home", "/root", "/dev", "/opt", "/run", "/mnt"], _DEVICE_LINKS)
    for path in _DEVICES:
        root.show(path)
    root.show(os.path.realpath("/etc/resolv.conf"), "/etc/resolv.conf")
    root.write("/etc/passwd", f"root:x:0:0:root:/root:/bin/sh\nsbx_user1051:x:{USER}:{GROUP}::{HOME}:/sbin/nologin\n")
    root.write("/etc/group", f"root:x:0:\nsbx_user1051:x:{GROUP}:\n")
    root.show_processes()
    root.make_writable("/tmp", files["storage_mb"])  # noqa: S108
    root.show(files["code"], "/var/task")
    root.show(files["packages"], "/var/runtime")
    root.show(_WORKER, "/var/rapid")
    layers = files["layers"]
    for name in os.listdir(layers) if layers else ():  # noqa: PTH208 - an interpreter, too, may be below /opt
        if os.path.islink(f"{layers}/{name}"):  # noqa: PTH114 - it leads where it leads on Lambda, to nothing of the user's
            root.make(links={f"/opt/{name}": os.readlink(f"{layers}/{name}")})  # noqa: PTH115
        else:
            root.show(f"{layers}/{name}", f"/opt/{name}")
    for folder in files["python"]:
        root.show(folder)
    root.enter()


def leave_others() -> None:
    """Leave the files and processes of this computer, as a user with the numbers that Lambda's has."""
    leave(USER, GROUP)


def enter_landlock(files: dict[str, Any]) -> None:
    """Let this process read what Lambda has, and write to its own folder and to /tmp, for ever."""
    reads = [
        *_SYSTEM,
        os.path.realpath("/etc/resolv.conf"),
        "/etc/passwd",
        "/etc/group",
        "/proc",
        _WORKER,
    ]
    reads += [files["code"], files["layers"], files["packages"], *files["python"]]
    writes = [files["scratch"], "/tmp"]  # noqa: S108
    landlock.restrict(
        [Path(path) for path in reads if path],
        [],
        map(Path, writes),
        map(Path, _DEVICES),
        landlock.version(),
        programs=True,
        network=True,
    )
