"""Run as a process of its own, in a mount namespace: commands on a disk that is full, and again once it is not.

Its mounts end with it, whatever happens: nobody else has ever seen them.
"""

import errno
import json
import subprocess
import sys
from pathlib import Path

FILLER = ".filler"


def files_in(folder):
    """What is in the folder with how long it is, without folders and what is empty."""
    found = [path for path in Path(folder).rglob("*") if path.is_file() and path.name != FILLER]
    return {str(path.relative_to(folder)): path.stat().st_size for path in found if path.stat().st_size}


def fill(folder):
    with Path(folder, FILLER).open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 65536) == 65536:
                pass
        except OSError as error:
            assert error.errno == errno.ENOSPC


def call(words):
    done = subprocess.run([sys.executable, "-m", "nbchalice", *words], capture_output=True, text=True, check=False)
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}


def main(folder, size, before, words):
    """Print what came of it: before and after the disk was full, and what was left in the folder."""
    kept = {path: Path(folder, path).read_bytes() for path in files_in(folder)}
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)
    for path, content in kept.items():
        Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
        Path(folder, path).write_bytes(content)
    try:
        told = {"before": [call(one) for one in before], "stood": files_in(folder)}
        fill(folder)
        told["full"] = call(words)
        told["left"] = files_in(folder)
        Path(folder, FILLER).unlink()
        told["again"] = call(words)
    finally:
        call(["local", "stop"])
    print(json.dumps(told))


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
