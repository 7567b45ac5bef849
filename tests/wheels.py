"""The wheel of this tree."""

import subprocess

import uv

from .test_docs import ROOT


def build_wheel(folder):
    """Build the wheel in a folder; return its file."""
    command = [uv.find_uv_bin(), "build", "-q", "--wheel", "--out-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True)
    (made,) = folder.glob("*.whl")
    return made
