"""What cfn-lint says of a template."""

import json
import subprocess
import sys
from pathlib import Path


def linted(body, folder):
    """Return each finding: the rule, and what it says."""
    file = folder / "template.json"
    file.write_text(json.dumps(body))
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--format", "json", "--template", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return [(one["Rule"]["Id"], one["Message"]) for one in json.loads(done.stdout or "[]")]
