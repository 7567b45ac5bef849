"""The log viewer in a browser: what a handler logs, filters, injection, and 10,000 lines a second."""

import json
import os
import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
EVIL = "<img src=x onerror=\"alert('log')\">"
APPS = {"lab": "tea-room", "notebook": "tea-bar"}
SETUP = [
    "%load_ext nbchalice\n%chalice app {app}",
    "%%on_sqs_message {app}-orders\n"
    "def price(event):\n"
    "    for record in event:\n"
    "        order = record.json()\n"
    '        app.log.info("order of %s", order["customer"])\n'
    '        if not order["items"]:\n'
    '            app.log.warning("%s ordered nothing", order["customer"])\n'
    "        print(record.body)\n"
    '        app.log.info("total %.2f", 12 / len(order["items"]))',
    "%chalice deploy",
    "%chalice logs price --follow",
    """%chalice send price --message '{"customer": "Ann", "items": ["Earl Grey", "Assam"]}'""",
    """%chalice send price --message '{"customer": "Ben", "items": []}'""",
    "%chalice send price --message '" + json.dumps({"customer": EVIL, "items": ""}).replace("'", r"\u0027") + "'",
]
LINES = int(os.environ.get("NBCHALICE_FLOOD_LINES", "50000"))
FLOOD = """
import threading, time
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.records import LogRecord
from nbchalice.ui.widgets.viewer import Viewer

viewer = Viewer("flood: log", "10,000 lines a second")
enough, fed = threading.Event(), [0]

def flood():
    begun = time.monotonic()
    while not enough.is_set():
        now = int(time.time() * 1000)
        for number in range(fed[0] // 100, fed[0] // 100 + 10):
            records = tuple(LogRecord(now, "WARNING" if i % 10 == 0 else "INFO", f"line {i} of {number}", f"r{number}") for i in range(100))
            viewer.feed(Invocation(f"r{number}", "flood", "ok", started=now, records=records))
        fed[0] += 1000
        enough.wait(max(0, begun + fed[0] / 10_000 - time.monotonic()))
    seconds.append(time.monotonic() - begun)
    viewer.feed(Invocation("last", "flood", "ok", records=(LogRecord(now, "ERROR", f"that was all: {fed[0]}", "last"),)))

seconds = []
flooding = threading.Thread(target=flood)
flooding.start()
viewer
"""
MEMORY = "import resource\nprint('kB', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
ENOUGH = """
while fed[0] < LINES:
    time.sleep(0.05)
enough.set()
flooding.join()
print("fed", fed[0], "in", round(seconds[0], 1), "kept", len(viewer.records), "heads", len(viewer._buffer._heads))
"""
GAPS = """() => {
    window.longestGap = 0; window.frames_ = 0;
    let last = performance.now();
    const look = (now) => {
        window.longestGap = Math.max(window.longestGap, now - last);
        window.frames_ += 1; last = now;
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""


@pytest.mark.parametrize("kind", ["lab", "notebook"])
def test_a_log_that_is_followed(open_notebook, screenshot, kind):
    app = APPS[kind]
    cells = [cell.replace("{app}", app) for cell in SETUP]
    front = open_notebook(app, cells, kind)
    for number in range(4):
        front.run(front.cells.nth(number))
    view = front.panel("%chalice logs price")
    expect(view).to_contain_text("no invocations yet")
    front.run("""%chalice send price --message '{"customer": "Ann""")
    expect(view).to_contain_text("order of Ann")
    expect(view.get_by_role("status")).to_contain_text(re.compile(r"^1 invocation · \d+ records"))
    front.run("""%chalice send price --message '{"customer": "Ben""")
    expect(view).to_contain_text("ZeroDivisionError: division by zero")
    expect(view).to_contain_text("cell 2, line 9, in price")
    view.get_by_role("link", name="cell 2").click()
    front.expect_selected("%%on_sqs_message")
    view.get_by_text('{"customer": "Ben"').last.click()
    expect(view.locator("pre").filter(has_text='"items": [').filter(visible=True)).to_have_count(1)
    screenshot(front, "%chalice logs price", "log-viewer")
    front.run("""%chalice send price --message '{"customer": "<""")
    expect(view).to_contain_text(f"{EVIL} ordered nothing")

    view.get_by_label("Level").select_option("WARNING")
    expect(view.get_by_role("status")).to_contain_text("hidden by the filter")
    expect(view.get_by_text("order of Ann")).to_have_count(0)
    view.get_by_label("Level").select_option("")
    view.get_by_role("button", name="Unfold").click()
    view.get_by_label("Search").fill("order of Ann")
    expect(view.get_by_text("order of Ann")).to_be_visible()
    expect(view.get_by_text("ordered nothing")).to_have_count(0)
    request = view.locator(".nbchalice-log-head").first.get_attribute("title").split()[-1]
    view.get_by_label("Search").fill(request)
    expect(view.locator("details[class^=nbchalice-log-]:visible")).to_have_count(1)
    view.get_by_label("Search").fill("")
    front.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.get_by_role("button", name="Copy").click()
    expect(view.get_by_role("button", name="Copied")).to_be_visible()
    assert request in front.page.evaluate("() => navigator.clipboard.readText()")
    view.get_by_role("button", name="Relative times").click()
    expect(view.get_by_text("+0.0").first).to_be_visible()

    view.get_by_role("button", name="Pause").click()
    expect(view.get_by_role("button", name="Follow")).to_be_visible()
    view.get_by_label("Since").fill("never")
    view.get_by_role("button", name="Apply").click()
    expect(view.get_by_role("alert")).to_contain_text("'never' is not a point in time")
    view.get_by_label("Since").fill("1h")
    view.get_by_role("button", name="Apply").click()
    expect(view).to_contain_text(re.compile(r"\d invocations"))
    expect(view.get_by_role("alert")).to_have_text("")
    assert not front.alerts and front.page.locator("img[src='x']").count() == 0


def test_ten_thousand_lines_a_second_freeze_nothing(open_notebook):
    front = open_notebook("flood", [FLOOD, MEMORY, ENOUGH.replace("LINES", str(LINES)), MEMORY + "  # after"])
    front.run(front.cells.nth(0))
    view = front.panel(front.cells.nth(0))
    front.page.evaluate(GAPS)
    before = kilobytes(front.run(front.cells.nth(1)))
    expect(view).to_contain_text("line 99 of")
    # The page answers while the flood goes on, and so does the kernel.
    view.get_by_label("Level").select_option("WARNING")
    expect(view.get_by_role("status")).to_contain_text("hidden by the filter")
    view.get_by_label("Search").fill("line 90 of")
    expect(view.locator(".nbchalice-log-row").filter(has_text="line 90 of").first).to_be_visible()
    expect(view.locator(".nbchalice-log-row").filter(has_text="line 80 of")).to_have_count(0)
    view.get_by_label("Search").fill("")
    view.get_by_label("Level").select_option("")
    view.get_by_role("button", name="Relative times").click()
    expect(view.get_by_role("button", name="Clock times")).to_be_visible()
    kept = front.run(front.cells.nth(2)).inner_text()
    expect(view).to_contain_text("that was all: ")
    after = kilobytes(front.run(front.cells.nth(3)))
    longest, frames = front.page.evaluate("() => [window.longestGap, window.frames_]")
    rows = view.locator(".nbchalice-log-row").count()
    heads = view.locator(".nbchalice-log-list > details").count()
    print(
        f"{kept.strip()}; longest gap between frames {longest:.0f} ms, {frames} frames, {rows} rows and {heads} heads drawn; {after - before} kB more"
    )
    assert "kept 20000 " in kept and int(kept.split("heads")[1]) <= 2000 and heads == 300
    assert rows <= 1000
    assert after - before < 150_000
    expect(view.get_by_role("status")).to_contain_text("older records not kept here")


def kilobytes(output):
    return int(output.inner_text().split("kB")[1].split()[0])


NEEDS_MUCH = [
    "%load_ext nbchalice\n%chalice app memory",
    "%%on_sqs_message memory-orders\n"
    "import json\n\n"
    "def price(event):\n"
    "    for record in event:\n"
    "        held = b'.' * (int(record.body) * 1_000_000)\n"
    "        app.log.info('holds %s bytes', len(held))\n"
    "        json.loads('{' if len(held) > 1 else '1')",
    "%chalice deploy",
    "%chalice send price --message 150",  # over its memory: it is killed
    "%chalice send price --message 1",
    "%chalice logs price",
    "%chalice logs price --follow",
    "%chalice metrics price",
]


def test_memory_over_the_limit_is_red_and_frames_of_libraries_are_folded(open_notebook):
    front = open_notebook("memory", NEEDS_MUCH)
    for number in range(5):
        front.run(front.cells.nth(number))
    for cell in ("%chalice logs price", "%chalice metrics price"):
        shown = front.run(front.cell(cell) if cell.endswith("metrics price") else front.cells.nth(5))
        over = shown.get_by_text(re.compile(r"\d+ of 128 MB$"))
        expect(over).to_be_visible()
        assert "rgb(0, 0, 0)" not in over.evaluate("node => getComputedStyle(node).color")
        expect(shown).to_contain_text(re.compile(r"set --memory \d+"))
        expect(shown).to_contain_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"))
    listed = front.cells.nth(5).locator(".jp-OutputArea").first
    expect(listed.locator("details[open]")).to_have_count(0)
    listed.locator("summary", has_text="frames of json").first.click()  # it may have been tried again by now
    expect(listed.locator("details[open]")).to_contain_text("in loads")

    view = front.panel("%chalice logs price --follow")
    front.run("%chalice logs price --follow")
    expect(view.locator(".nbchalice-log-memory").first).to_have_text(re.compile(r"\d+ of 128 MB"))
    expect(view).to_contain_text(re.compile(r"set --memory \d+"))
    view.locator("summary", has_text="frames of json").first.click()
    expect(view.locator("pre details[open]")).to_contain_text("in loads")
    front.expect_accessible()
    if folder := os.environ.get("NBCHALICE_LOOK"):
        front.page.set_viewport_size({"width": 1280, "height": 2600})
        front.page.screenshot(path=f"{folder}/memory.png", full_page=True)
