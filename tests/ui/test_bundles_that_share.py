"""Two bundled variables that hold one object: on Lambda each has a copy, so a change of one does not show in the other."""

import pytest

from nbchalice.errors import CaptureError
from nbchalice.notebook_file import read_project
from nbchalice.operations import write_packages

from .test_bundles_in_order import answer, file, saved  # noqa: F401 - a fixture
from .test_registering import shipped

pytestmark = pytest.mark.slow

A, B = "%chalice bundle a", "%chalice bundle b"
LATER = "a.append(2)"
TOLD = "the same object as a here, and a copy on Lambda, where a bundle has its own"
MADE = {
    "another name": ("a = [1]\nb = a", "b"),
    "within": ("a = [1]\nb = {'x': a}", "b['x']"),
    "out of sight": ("a = [1]\nb = {}\nexec(\"b['x'] = a\")", "b['x']"),
}


def handler(body):
    return f"%%lambda_function\ndef h(event, context):\n    {body}"


@pytest.mark.parametrize("case", MADE)
def test_a_change_after_both_were_bundled_is_seen_in_both(case, run, file, tmp_path):  # noqa: F811
    cells = [MADE[case][0], A, B, LATER, handler("return [a, b]")]
    for cell in cells:
        run(cell)
    for verified in (lambda: run("%chalice package --out out"), lambda: answer(saved(file, *cells))):
        with pytest.raises(CaptureError, match=r"(?s)b is .* run %chalice bundle b again, below the last st") as caught:
            verified()
        assert caught.value.variable == "b"
    cells = [MADE[case][0], A, LATER, B, handler("return [a, b]")]
    run(B)
    project = read_project(saved(file, *cells))
    write_packages(project, tmp_path / "out")
    assert shipped(tmp_path, tmp_path / "out", "h") == [run.names["a"], run.names["b"]]


@pytest.mark.parametrize("bundled", [[A, B], [A], [B]])
@pytest.mark.parametrize("case", MADE)
def test_what_the_handler_changes_in_both_is_told(case, bundled, run, file, tmp_path):  # noqa: F811
    made, where = MADE[case]
    cells = [made, *bundled, handler("a.append(2)\n    return [a, b]")]
    for cell in cells:
        run(cell)
    assert f"{where} ({TOLD})" in "\n".join(run("%chalice package --out out").notes)
    project = read_project(saved(file, *cells))
    write_packages(project, tmp_path / "file")
    assert f"{where} ({TOLD})" in "\n".join(project.proven.notes())


def test_what_is_not_shared_or_not_changed_is_not_told(run, file, tmp_path):  # noqa: F811
    for made, body in (("a = [1]\nb = [*a]", "a.append(2)\n    return [a, b]"), (MADE["within"][0], "return [a, b]")):
        cells = [made, A, B, handler(body)]
        for cell in cells:
            run(cell)
        assert TOLD not in "\n".join(run("%chalice package --out out").notes)
        project = read_project(saved(file, *cells))
        write_packages(project, tmp_path / "file")
        assert project.proven.notes() == []


def test_an_object_that_travels_once_stays_one(run, file):  # noqa: F811
    cells = ["a = [1]", A, "b = {'x': a}", handler("a.append(2)\n    return [a, b]")]
    for cell in cells:
        run(cell)
    assert TOLD not in "\n".join(run("%chalice package --out out").notes)
    assert answer(saved(file, *cells)) == [[1, 2], {"x": [1, 2]}]
