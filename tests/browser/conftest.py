"""JupyterLab and Notebook 7 in Chromium, with kernels that use a local AWS of the test run's own."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).parents[2]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
    "docmanager-extension/plugin": {"autosave": False},
}
TOKEN = "nbchalice"
WAIT = 60_000
expect.set_options(timeout=WAIT)
VIEWPORT = {"width": 1280, "height": 1000}
PICTURES = os.environ.get("NBCHALICE_SCREENSHOTS") == "1"
# A cell as it is shown: its code and what stands below, without the prompt beside them.
CELL_BOX = """(cell) => {
    const boxes = [...cell.querySelectorAll(".jp-InputArea-editor, .jp-OutputArea-output")]
        .map((one) => one.getBoundingClientRect()).filter((box) => box.width && box.height);
    const [left, top] = [Math.min(...boxes.map((box) => box.left)), Math.min(...boxes.map((box) => box.top))];
    const [right, bottom] = [Math.max(...boxes.map((box) => box.right)), Math.max(...boxes.map((box) => box.bottom))];
    return { x: left - 4, y: top - 4, width: right - left + 8, height: bottom - top + 8 };
}"""
# How much wider than what a cell shows the code is.
EMPTY_SIDE = """(cell) => {
    const right = (what) => Math.max(...[...cell.querySelectorAll(what)]
        .filter((one) => getComputedStyle(one).borderRightWidth !== "0px")
        .map((one) => one.getBoundingClientRect().right));
    return Math.floor(right(".jp-InputArea-editor") - right(".nbchalice-card, .nbchalice-log, .nbchalice-panel")) - 4;
}"""
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


class Front:
    def __init__(self, page, base, token, kind):
        self.page, self.base, self.token, self.kind = page, base, token, kind
        self.alerts = []
        page.set_default_timeout(WAIT)
        page.on("dialog", self._dialog)

    def _dialog(self, dialog):
        self.alerts.append(dialog.message)
        dialog.accept()

    def open(self, name, *, keep_outputs=False):
        folder = "lab/tree" if self.kind == "lab" else "notebooks"
        reset = "&reset" if self.kind == "lab" else ""
        self.page.goto(f"{self.base}/{folder}/{name}?token={self.token}{reset}")
        self.page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
        self.page.wait_for_function(
            """() => {
                const shell = window.jupyterapp && window.jupyterapp.shell.currentWidget;
                const kernel = shell && shell.sessionContext && shell.sessionContext.session?.kernel;
                return kernel && kernel.status === "idle";
            }"""
        )
        for button in self.page.locator(".jp-Dialog .jp-mod-accept").all():
            button.click()
        if not keep_outputs:
            self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
        return self

    @property
    def cells(self):
        return self.page.locator(".jp-Notebook .jp-Cell")

    def cell(self, text):
        """The code cell whose source begins so."""
        source = self.page.locator(".cm-content", has_text=re.compile("^" + re.escape(text)))
        return self.page.locator(".jp-Notebook .jp-CodeCell").filter(has=source).first

    def run(self, cell):
        """Run a cell and return its output area once it has ended."""
        if isinstance(cell, str):
            cell = self.cell(cell)
        prompt = cell.locator(".jp-InputArea-prompt").first
        before = prompt.inner_text()
        cell.locator(".cm-content").first.click()
        self.page.keyboard.press("Control+Enter")
        handle = prompt.element_handle()
        self.page.wait_for_function(
            "([prompt, before]) => /\\[\\d+\\]:/.test(prompt.innerText) && prompt.innerText !== before",
            arg=[handle, before],
        )
        return cell.locator(".jp-OutputArea").first

    def run_all(self, stop_before=None):
        """Run the code cells one after another, up to one that begins with a text."""
        for number in range(self.cells.count()):
            cell = self.cells.nth(number)
            if "jp-CodeCell" not in (cell.get_attribute("class") or ""):
                continue
            if stop_before and cell.locator(".cm-content").first.inner_text().startswith(stop_before):
                return
            self.run(cell)

    def edit(self, cell, text):
        if isinstance(cell, str):
            cell = self.cell(cell)
        cell.locator(".cm-content").first.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def save(self):
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    def theme(self, name):
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", THEMES[name]
        )
        self.page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === String(light)", arg=name == "light"
        )
        self.page.wait_for_timeout(300)

    def windowing(self, mode):
        """Show all cells, or (``full``) only those near the ones in sight."""
        self.page.evaluate(
            """mode => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.notebookConfig = { ...notebook.notebookConfig, windowingMode: mode };
            }""",
            mode,
        )

    def scroll_to(self, cell):
        """Select a cell and bring it to sight."""
        self.page.evaluate(
            """text => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                const cells = [...notebook.model.cells];
                notebook.activeCellIndex = cells.findIndex((one) => one.sharedModel.getSource().startsWith(text));
                return notebook.scrollToItem(notebook.activeCellIndex);
            }""",
            cell,
        )

    def expect_selected(self, cell):
        """Wait until a cell is the selected one, and in sight."""
        selected = self.page.locator(".jp-Cell.jp-mod-active.jp-mod-selected")
        expect(selected.locator(".cm-content").first).to_contain_text(cell)
        expect(selected).to_be_in_viewport()

    def leave_cells(self):
        """Select the first cell, and take pointer and focus away: no other cell shows a toolbar or a marked button."""
        self.page.mouse.move(0, 0)
        self.page.evaluate(
            """() => {
                document.activeElement.blur();
                window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0;
            }"""
        )

    def expect_accessible(self):
        """All panels have names and contrast, in both themes."""
        for theme in THEMES:
            if self.kind == "lab":
                self.theme(theme)
            assert self.page.evaluate((Path(__file__).parent / "accessibility.js").read_text()) == [], theme
        if self.kind == "lab":
            self.theme("light")

    def panel(self, cell):
        """The widget panel below a cell."""
        return (self.cell(cell) if isinstance(cell, str) else cell).locator(".nbchalice-panel").first


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "Chromium is missing; scripts/setup.sh installs it"
    return found


@pytest.fixture(scope="module")
def browser():
    """Chromium; Playwright's event loop runs as long, and no other test may run one of its own in this process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        shutil.copy(notebook, folder)
    return folder


@pytest.fixture(scope="session")
def jupyter(local_aws, workspace, tmp_path_factory):
    """Base URL of a Jupyter server that serves JupyterLab below /lab and Notebook 7 below /notebooks."""
    home = tmp_path_factory.mktemp("jupyter-home")
    for name, values in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    log = home / "log"
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0",
        "--ServerApp.port_retries=50", f"--ServerApp.root_dir={workspace}", f"--IdentityProvider.token={TOKEN}",
        "--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True",
    ]  # fmt: skip
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=workspace)
    try:
        yield wait_for_url(process, log)
    finally:
        process.terminate()
        process.wait(30)


def wait_for_url(process, log: Path) -> str:
    for _ in range(600):
        found = re.search(r"http://127\.0\.0\.1:(\d+)/lab\?token=", log.read_text())
        if found:
            return f"http://127.0.0.1:{found[1]}"
        assert process.poll() is None, log.read_text()
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError(log.read_text())


@pytest.fixture
def open_notebook(browser, jupyter, workspace):
    """``open_notebook("name", cells, kind="lab")``: a notebook with these cells, or one that exists."""
    contexts = []

    def open_it(name, cells=None, kind="lab", keep_outputs=False):
        path = workspace / f"{name}.ipynb"
        if cells is not None:
            made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
            made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
            nbformat.write(made, path)
        context = browser.new_context(viewport=VIEWPORT, device_scale_factor=2 if PICTURES else 1)
        contexts.append(context)
        return Front(context.new_page(), jupyter, TOKEN, kind).open(path.name, keep_outputs=keep_outputs)

    yield open_it
    for context in contexts:
        for page in context.pages:
            page.evaluate("() => window.jupyterapp && window.jupyterapp.serviceManager.sessions.shutdownAll()")
        context.close()


def save_picture(png: bytes, path: Path) -> None:
    """Write a picture with 256 colours: text and frames look the same, at half the size."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


@pytest.fixture
def screenshot():
    """``screenshot(front, cell, "name")``: a picture of a cell for the documentation, where pictures are asked for."""
    folder = ROOT / "docs" / "images"

    def take(front, cell, name):
        if not PICTURES or front.kind != "lab":
            return
        folder.mkdir(parents=True, exist_ok=True)
        shown = front.cell(cell) if isinstance(cell, str) else cell
        front.leave_cells()
        front.page.set_viewport_size({**VIEWPORT, "width": VIEWPORT["width"] - shown.evaluate(EMPTY_SIDE)})
        for theme in THEMES:
            front.theme(theme)
            shown.evaluate("cell => cell.scrollIntoView({ block: 'center' })")
            save_picture(front.page.screenshot(clip=shown.evaluate(CELL_BOX)), folder / f"{name}-{theme}.png")
        front.page.set_viewport_size(VIEWPORT)
        front.theme("light")

    return take
