// Lets the cell that a traceback names be jumped to, where the page is JupyterLab or Notebook: the widget manager knows
// the notebook there. Elsewhere the name stays plain text.

const CELL = "nbchalice-cell";
const LOOK_AFTER = 100;
const MOST_STEPS = 200;
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

/** The number of the cell that is meant: the line tells best, then the function, as the cell may have been edited. */
function numberOf(cells, { cell, line, function: name, source }) {
  const count = Number(/^cell (\d+)$/.exec(cell)?.[1]);
  const texts = cells.map((one) => (one.type === "code" ? one.sharedModel.getSource() : ""));
  const isMeant = (_, number) => cells[number].executionCount === count;
  const hasLine = (text) => Boolean(source) && text.split("\n")[line - 1]?.trim() === source.trim();
  const defines = (text) => text.split("\n").some((one) => one.includes(`def ${name}(`));
  const tests = [(text, number) => hasLine(text) && isMeant(text, number), hasLine, defines, isMeant];
  return tests.map((test) => texts.findIndex(test)).find((number) => number >= 0) ?? -1;
}

/** The cell's element. Where only cells near the ones in sight are shown, the notebook is scrolled until it is there. */
async function nodeOf(notebook, number) {
  const scrolled = notebook.querySelector(".jp-WindowedPanel-outer");
  const numberOfNode = (node) => Number(node.dataset.windowedListIndex);
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const all = [...notebook.querySelectorAll(".jp-Cell[data-windowed-list-index]")];
    const shown = all.filter((node) => node.getClientRects().length);
    const found = shown.find((node) => numberOfNode(node) === number);
    if (found || !scrolled || !shown.length) return found;
    const up = Math.min(...shown.map(numberOfNode)) > number;
    scrolled.scrollTop += (up ? -1 : 1) * scrolled.clientHeight;
    await frame();
    await frame();
  }
  return null;
}

async function jump(notebook, cells, wanted) {
  const node = await nodeOf(notebook, numberOf([...cells], wanted));
  if (!node) return;
  const place = node.querySelector(".jp-InputPrompt") ?? node;
  for (const type of ["mousedown", "mouseup", "click"]) {
    place.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true, view: window }));
  }
  node.scrollIntoView({ block: "nearest" });
}

/** A letter that is typed on a panel's button or list must not be a command of the notebook, such as to delete a cell. */
function keepKey({ target, ctrlKey, metaKey, altKey }) {
  if (!target.closest?.(`.nbchalice-panel, .${CELL}`)) return;
  target.toggleAttribute("data-lm-suppress-shortcuts", !(ctrlKey || metaKey || altKey));
}

/** All that a page needs once, however many panels it shows. */
class Jumps {
  constructor() {
    this.panels = new Set();
    this.cells = new WeakMap();
    this.timer = null;
    const act = (event) => this.act(event);
    document.body.addEventListener("click", act);
    document.body.addEventListener("keydown", act);
    window.addEventListener("keydown", keepKey, true);
    new MutationObserver(() => this.lookSoon()).observe(document.body, { childList: true, subtree: true });
  }

  add(el, cells) {
    const panel = { el, cells };
    this.panels.add(panel);
    this.lookSoon();
    return () => this.panels.delete(panel);
  }

  lookSoon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.look();
    }, LOOK_AFTER);
  }

  /** Make links of the names of cells, in the notebooks whose cells are known. */
  look() {
    for (const { el, cells } of this.panels) {
      const notebook = el.closest(".jp-Notebook");
      if (notebook) this.cells.set(notebook, cells);
    }
    for (const name of document.querySelectorAll(`.${CELL}[data-cell]:not([role])`)) {
      if (!this.cells.has(name.closest(".jp-Notebook"))) continue;
      const attributes = { role: "link", tabindex: "0", title: "go to the cell" };
      for (const [key, value] of Object.entries(attributes)) name.setAttribute(key, value);
    }
  }

  act(event) {
    const name = event.target.closest?.(`.${CELL}[role=link]`);
    const notebook = name?.closest(".jp-Notebook");
    if (!notebook || (event.type === "keydown" && event.key !== "Enter")) return;
    event.preventDefault();
    event.stopPropagation();
    const cells = this.cells.get(notebook)?.();
    if (cells) jump(notebook, cells, name.dataset);
  }
}

/** Let a panel's notebook be jumped in; returns what ends it. */
function enableJumps(model, el) {
  const context = model.widget_manager?.context;
  if (!context?.model?.cells) return () => {};
  window.nbchaliceJumps ??= new Jumps();
  return window.nbchaliceJumps.add(el, () => context.model?.cells);
}
