"""Functions packed for another processor or Python than this machine's run on the local AWS all the same."""

import platform
import sys

import pytest

OWN = "arm64" if platform.machine().lower() in {"aarch64", "arm64"} else "x86_64"
FOREIGN = {"arm64": "x86_64", "x86_64": "arm64"}[OWN]
HANDLER = """%%on_sqs_message {queue} {options}
def h(event):
    for record in event:
        print(sorted(HashTrieMap({{record.body: 1}})), HashTrieMap.__module__)
"""


@pytest.mark.parametrize("options", [f"--arch {FOREIGN}", "--python 3.14"])
def test_compiled_dependencies_get_a_twin_for_this_machine(run, local_aws, options):
    run("%chalice app twins")
    run("from rpds import HashTrieMap")
    run(HANDLER.format(queue="twins", options=options))
    deployed = run("%chalice deploy")
    result = run("%chalice send h --message tea")
    assert result.ok, result
    assert result.invocation.records[-1].message == "['tea'] rpds"
    told = [note for note in deployed.deployment.plan.notes if "is not on this machine" in note]
    assert bool(told) == ("3.14" in options and sys.version_info[:2] != (3, 14)), deployed.deployment.plan.notes
