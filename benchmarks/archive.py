"""What a cold start costs that unpacks dependencies over Lambda's limit, by their size, on the local AWS.

The same handler is deployed with ever more libraries, as an archive and, as long as Lambda takes it, as a layer. Its
environment is started several times. It imports nothing: the difference is fetching and unpacking.
"""

import os
import statistics
import tempfile
from pathlib import Path
from unittest import mock

import nbformat

from nbchalice import operations
from nbchalice.aws.target import connect
from nbchalice.events.invoke import invoke
from nbchalice.notebook_file import read_project
from nbchalice.packaging.sizes import SizeTable

LIBRARIES = ["numpy", "pandas", "scikit-learn", "matplotlib", "pyarrow"]
HANDLER = "%%lambda_function --memory 3008 --timeout 300 --requirements requirements.txt --env RUN={run}\n"
HANDLER += "def nothing(event):\n    return 1\n"
STARTS = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, NBCHALICE_LOCAL_HOME=f"{folder}/home"):
        from nbchalice.aws.local.client import server

        try:
            print("unzipped   zipped   layer: median cold start   archive: median cold start")
            for count in range(1, len(LIBRARIES) + 1):
                measure(Path(folder), LIBRARIES[:count])
        finally:
            server.stop()


def measure(folder: Path, libraries: list[str]) -> None:
    """Print one line of the table."""
    from nbchalice.packaging import sizes

    (folder / "requirements.txt").write_text("\n".join(libraries) + "\n")
    found = {}
    for way, limit in (("layer", sizes.UNZIPPED_LIMIT), ("archive", 1 << 20)):
        with mock.patch.object(sizes, "UNZIPPED_LIMIT", limit):
            starts = [start(folder, run) for run in range(STARTS)]
        found[way] = statistics.median(milliseconds for milliseconds, _ in starts), starts[0][1]
    rows = {row.name: row.size for row in found["archive"][1].rows}
    unzipped = sum(size for _, size in found["archive"][1].biggest) >> 20
    is_layer = any(row.name == "layer" for row in found["layer"][1].rows)
    layer = f"{found['layer'][0]:.0f} ms" if is_layer else "over the limit"
    print(f"{unzipped:>5} MB  {rows['dependencies'] >> 20:>4} MB  {layer:>24}  {found['archive'][0]:>23.0f} ms")


def start(folder: Path, run: int) -> tuple[float, SizeTable]:
    """Deploy with another variable, so that an environment starts; return how long that took and the sizes."""
    cells = ["%chalice app archive", HANDLER.format(run=run)]
    path = folder / "archive.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells]), path)
    project, connection = read_project(path), connect("local")
    deployed = operations.deploy(project, connection)
    invocation = invoke(connection, project.app.ref(connection, "nothing"), {})
    assert invocation.init_ms is not None
    return invocation.init_ms, deployed.plan.sizes["nothing"]


if __name__ == "__main__":
    main()
