"""What a cold start costs that unpacks dependencies over Lambda's limit, by their size, on the local AWS.

The same handler is deployed with ever more libraries, as an archive and, as long as Lambda takes it, as a layer. Its
environment is started several times. It imports nothing: the difference is fetching and unpacking.
"""

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import nbformat

from benchmarks.rows import Row, measured, number, scratch
from nbchalice import operations
from nbchalice.aws.target import connect
from nbchalice.events.invoke import invoke
from nbchalice.notebook_file import read_project
from nbchalice.packaging.sizes import SizeTable

LIBRARIES = ["numpy", "pandas", "scikit-learn", "matplotlib", "pyarrow"]
HANDLER = "%%lambda_function --memory 3008 --timeout 300 --requirements requirements.txt --env RUN={run}\n"
HANDLER += "def nothing(event):\n    return 1\n"
COUNTS, STARTS = (1, 3, 5), 2


def rows() -> Iterator[Row]:
    """Yield, for ever more libraries, the sizes and the cold starts by both ways, by turns."""
    with scratch() as folder:
        for count in COUNTS:
            yield from measure(folder, LIBRARIES[:count])


def measure(folder: Path, libraries: list[str]) -> Iterator[Row]:
    """Yield the rows of some libraries."""
    from nbchalice.packaging import sizes

    (folder / "requirements.txt").write_text("\n".join(libraries) + "\n")
    found: dict[str, list[tuple[float, SizeTable]]] = {"layer": [], "archive": []}
    for run in range(STARTS):
        for way, limit in (("layer", sizes.UNZIPPED_LIMIT), ("archive", 1 << 20)):
            with mock.patch.object(sizes, "UNZIPPED_LIMIT", limit):
                found[way].append(start(folder, f"{way}-{run}"))
    table = found["archive"][0][1]
    zipped = next(row.size for row in table.rows if row.name == "dependencies")
    unzipped = sum(size for _, size in table.biggest)
    name = ", ".join(libraries)
    size = f"{number(unzipped / 2**20)} MB, zipped {number(zipped / 2**20)} MB"
    for way, starts in found.items():
        if way == "archive" or any(row.name == "layer" for row in starts[0][1].rows):
            yield measured(name, f"cold start with dependencies as {way}", [ms for ms, _ in starts], "ms", size)


def start(folder: Path, run: str) -> tuple[float, SizeTable]:
    """Deploy with another variable, so that an environment starts; return how long that took and the sizes."""
    cells = ["%chalice app archive", HANDLER.format(run=run)]
    path = folder / "archive.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells]), path)
    project, connection = read_project(path), connect("local")
    deployed = operations.deploy(project, connection)
    invocation = invoke(connection, project.app.ref(connection, "nothing"), {})
    assert invocation.init_ms is not None
    return invocation.init_ms, deployed.plan.sizes["nothing"]
