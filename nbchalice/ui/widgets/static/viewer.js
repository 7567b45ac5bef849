// The view of a log. All that comes from the kernel is put into the page as text, never as HTML.

const MOST_ROWS = 5000;
const MOST_INVOCATIONS = 300;
const MOST_DRAWN = 300;
const DRAW_EVERY = 100;
const ALIVE_EVERY = 20000;
const LEVELS = { DEBUG: 10, TRACE: 5, INFO: 20, "": 20, WARN: 30, WARNING: 30, ERROR: 40, CRITICAL: 50, FATAL: 50 };
const CHOICES = [["", "all levels"], ["INFO", "INFO and above"], ["WARNING", "WARNING and above"], ["ERROR", "ERROR"]];
// Of a request id the beginning tells enough; the title, the search and the copy have all of it.
const LONG_ID = /\b([0-9a-f]{8})-[0-9a-f-]{27}$/;
const FAILED = new Set(["error", "failed", "timeout", "partial", "ignored"]);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A number of things as a person says it, as nbchalice.text.counted does. */
const counted = (number, noun) => `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;

const severity = (level) => LEVELS[level] ?? 20;

function clock(time) {
  const moment = new Date(time);
  return moment.toLocaleTimeString([], { hour12: false }) + "." + String(moment.getMilliseconds()).padStart(3, "0");
}

/** The time of day, with the date where that is not today's. */
function when(time) {
  const moment = new Date(time);
  return moment.toDateString() === new Date().toDateString() ? clock(time) : `${moment.toLocaleDateString()} ${clock(time)}`;
}

function ago(time) {
  const seconds = Math.max(0, (Date.now() - time) / 1000);
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  return `${Math.round(seconds / 3600)} h ago`;
}

function asJson(row) {
  if (row.fields) return { message: row.text, ...row.fields };
  if (!/^\s*[{[]/.test(row.text)) return null;
  try {
    return JSON.parse(row.text);
  } catch {
    return null;
  }
}

/** What is known of the log: invocations in the order they came, each with its rows; the oldest rows go first. */
class Log {
  constructor() {
    this.clear();
  }

  clear() {
    this.invocations = new Map();
    this.count = 0;
    this.dropped = 0;
  }

  take(batch) {
    if (batch.reset) this.clear();
    for (const head of batch.heads) {
      const known = this.invocations.get(head.key);
      if (known) Object.assign(known, { head, changed: true });
      else this.invocations.set(head.key, { head, rows: [], changed: true, node: null, touched: false });
    }
    for (const row of batch.rows) {
      const invocation = this.invocations.get(row.key);
      if (!invocation) continue;
      invocation.rows.push(row);
      invocation.changed = true;
      this.count += 1;
    }
    this.dropped += batch.skipped;
    this.shrink();
  }

  shrink() {
    for (const [key, invocation] of this.invocations) {
      const tooMany = this.count - MOST_ROWS;
      if (tooMany <= 0 && this.invocations.size <= MOST_INVOCATIONS) return;
      const whole = this.invocations.size > MOST_INVOCATIONS;
      const gone = whole ? invocation.rows.length : Math.min(tooMany, invocation.rows.length);
      invocation.rows.splice(0, gone);
      invocation.changed = true;
      this.count -= gone;
      this.dropped += gone;
      if (whole) {
        invocation.node?.remove();
        this.invocations.delete(key);
      }
    }
  }
}

class View {
  constructor(model, el) {
    this.model = model;
    this.log = new Log();
    this.absolute = true;
    this.drawn = 0;
    this.timer = null;
    this.build(el);
    this.onMessage = (message) => message.kind === "batch" && this.take(message);
    this.onState = () => this.showState();
    model.on("msg:custom", this.onMessage);
    for (const name of ["following", "trouble", "since", "until", "title"]) model.on(`change:${name}`, this.onState);
    this.showState();
    model.send({ kind: "hello" });
    this.alive = setInterval(() => {
      model.send({ kind: "alive" });
      if (!this.absolute) this.filter();
    }, ALIVE_EVERY);
  }

  remove() {
    this.model.send({ kind: "bye" });
    clearInterval(this.alive);
    clearTimeout(this.timer);
    this.model.off("msg:custom", this.onMessage);
    for (const name of ["following", "trouble", "since", "until", "title"]) this.model.off(`change:${name}`, this.onState);
  }

  build(el) {
    const { model } = this;
    const button = (text, onclick, help) => element("button", { type: "button", title: help, onclick }, text);
    this.search = element("input", {
      type: "search", placeholder: "search", "aria-label": "Search", oninput: () => this.filter(),
    });
    const options = CHOICES.map(([value, text]) => element("option", { value }, text));
    this.level = element("select", { "aria-label": "Level", onchange: () => this.filter() }, ...options);
    const level = model.get("level").toUpperCase();
    this.level.value = CHOICES.some(([value]) => value === level) ? level : "";
    this.follow = button("", () => {
      this.follow.textContent = "…";
      model.send({ kind: model.get("following") ? "pause" : "follow" });
    }, "stop, or go on");
    this.times = button("Relative times", () => this.toggleTimes(), "clock times, or times since the start");
    this.copy = button("Copy", () => this.copyText(), "copy what is shown");
    const fields = (name, text) => element("input", {
      type: "text", size: 10, placeholder: text, "aria-label": text, title: `${text}: 10m, 2h, 1d or a time`,
      onkeydown: (event) => event.key === "Enter" && this.range(),
    });
    this.since = fields("since", "Since");
    this.until = fields("until", "Until");
    const range = element("span", { class: "nbchalice-log-group" }, this.since, this.until, button("Apply", () => this.range(), "read this time"));
    const folds = element("span", { class: "nbchalice-log-group" },
      button("Unfold", () => this.fold(true), "unfold all invocations"),
      button("Fold", () => this.fold(false), "fold all invocations"));
    const own = [...(model.get("controls") ? [this.follow] : []), ...(model.get("ranges") ? [range] : [])];
    this.trouble = element("div", { class: "nbchalice-log-trouble", role: "alert" });
    this.counts = element("div", { class: "nbchalice-log-counts", role: "status", "aria-live": "off" });
    this.list = element("div", { class: "nbchalice-log-list", tabindex: "0", role: "region", "aria-label": "Log" });
    this.title = element("b", {});
    el.classList.add("nbchalice-panel", "nbchalice-log");
    // What is kept for saved notebooks is hidden as long as this view lives.
    el.append(
      element("style", {}, `.${CSS.escape(model.get("hides"))}{display:none}`),
      element("div", {}, this.title, element("span", { class: "nbchalice-log-badge" }, model.get("badge"))),
      element("div", { class: "nbchalice-log-bar", role: "toolbar", "aria-label": "Log" },
        this.search, this.level, ...own, this.times, folds, this.copy),
      this.trouble, this.counts, this.list,
    );
    // Where there is no JupyterLab, the page's shortcuts must not take the keys that are typed here.
    el.addEventListener("keydown", (event) => event.target.matches("input, select, button") && event.stopPropagation());
  }

  showState() {
    const { model } = this;
    this.title.textContent = model.get("title");
    const [begin, end] = model.get("controls").split("|");
    this.follow.textContent = model.get("following") ? end : begin;
    this.trouble.textContent = model.get("trouble");
    if (document.activeElement !== this.since) this.since.value = model.get("since");
    if (document.activeElement !== this.until) this.until.value = model.get("until");
    this.schedule();
  }

  range() {
    this.model.send({ kind: "range", since: this.since.value.trim(), until: this.until.value.trim() });
  }

  take(batch) {
    if (batch.reset) this.list.replaceChildren();
    this.log.take(batch);
    this.schedule();
  }

  schedule() {
    if (this.timer !== null) return;
    const wait = Math.max(0, DRAW_EVERY - (performance.now() - this.drawn));
    this.timer = setTimeout(() => {
      this.timer = null;
      this.drawn = performance.now();
      this.draw();
    }, wait);
  }

  filter() {
    for (const invocation of this.log.invocations.values()) invocation.changed = true;
    this.schedule();
  }

  toggleTimes() {
    this.absolute = !this.absolute;
    this.times.textContent = this.absolute ? "Relative times" : "Clock times";
    this.filter();
  }

  fold(open) {
    for (const invocation of this.log.invocations.values()) {
      if (invocation.node) invocation.node.open = open;
      Object.assign(invocation, { touched: true, changed: true });
    }
    this.schedule();
  }

  passes(row) {
    if (this.level.value && severity(row.level) < severity(this.level.value)) return false;
    return this.isFound(row.text);
  }

  isFound(text) {
    return text.toLowerCase().includes(this.search.value.toLowerCase());
  }

  /** An invocation stays in sight for its own words, too: its request, its error. */
  isShown({ head }, shown) {
    if (shown.length) return true;
    const words = [head.headline, head.failed, head.memory.line, ...head.error, ...Object.values(head.folded).flat()];
    return Boolean(this.search.value) && !this.level.value && this.isFound(words.join("\n"));
  }

  draw() {
    const atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 30;
    const filtered = Boolean(this.search.value || this.level.value);
    const all = [...this.log.invocations.values()];
    const newest = all[all.length - 1];
    for (const invocation of all) {
      if (!invocation.node) this.add(invocation);
      const failed = FAILED.has(invocation.head.status);
      if (!invocation.touched) {
        const open = invocation === newest || failed;
        if (invocation.node.open !== open) Object.assign(invocation, { changed: true });
        invocation.node.open = open;
      }
      if (invocation.changed) this.update(invocation, filtered);
    }
    this.showCounts(all, filtered);
    if (atEnd) this.list.scrollTop = this.list.scrollHeight;
  }

  add(invocation) {
    invocation.title = element("summary", { onclick: () => Object.assign(invocation, { touched: true }) });
    invocation.body = element("div", {});
    invocation.node = element("details", { ontoggle: () => {
      invocation.changed = true;
      this.schedule();
    } }, invocation.title, invocation.body);
    this.list.append(invocation.node);
  }

  update(invocation, filtered) {
    invocation.changed = false;
    const { head, rows, node } = invocation;
    const shown = filtered ? rows.filter((row) => this.passes(row)) : rows;
    invocation.hidden = rows.length - shown.length;
    node.className = `nbchalice-log-${head.status} nbchalice-log-memory-${head.memory.level}`;
    node.hidden = filtered && !this.isShown(invocation, shown);
    const time = head.started ? (this.absolute ? when : ago)(head.started) : "";
    const exact = head.started ? new Date(head.started).toISOString() : "";
    invocation.title.replaceChildren(
      element("span", { class: "nbchalice-log-time", title: exact }, time), " ",
      this.headline(head), ` · ${counted(rows.length, "record")}`,
    );
    if (!node.open) {
      invocation.body.replaceChildren();
      return;
    }
    const drawn = shown.slice(-MOST_DRAWN);
    const more = shown.length - drawn.length;
    const note = more ? [element("div", { class: "nbchalice-log-note" }, `${counted(more, "earlier record")} not drawn; search finds ${more === 1 ? "it" : "them"}`)] : [];
    const error = head.error.length ? [this.error(head)] : [];
    const failed = head.failed ? [element("div", { class: "nbchalice-log-note" }, head.failed)] : [];
    const memory = head.memory.line ? [element("div", { class: "nbchalice-log-memory" }, head.memory.line)] : [];
    invocation.body.replaceChildren(...failed, ...memory, ...note, ...drawn.map((row) => this.row(row, head)), ...error);
  }

  headline({ headline, memory }) {
    const text = headline.replace(LONG_ID, "$1…");
    const made = element("span", { class: "nbchalice-log-head", title: headline });
    const begin = memory.level ? text.indexOf(memory.words) : -1;
    if (begin < 0) made.append(text);
    else made.append(text.slice(0, begin), element("span", { class: "nbchalice-log-memory" }, memory.words), text.slice(begin + memory.words.length));
    return made;
  }

  row(row, head) {
    const time = this.absolute ? clock(row.time) : `+${((row.time - (head.started ?? row.time)) / 1000).toFixed(3)} s`;
    const level = row.level || "print";
    const json = asJson(row);
    const text = json && typeof json === "object"
      ? element("details", { class: "nbchalice-log-json", open: row.open, ontoggle: (event) => (row.open = event.target.open) },
          element("summary", {}, row.text), element("pre", {}, JSON.stringify(json, null, 2)))
      : element("span", { class: "nbchalice-log-text" }, row.text);
    return element("div", { class: `nbchalice-log-row nbchalice-log-${severity(row.level)}` },
      element("span", { class: "nbchalice-log-time", title: new Date(row.time).toISOString() }, time),
      element("span", { class: "nbchalice-log-level" }, level), text);
  }

  error(head) {
    const { error: [first, ...rest], cells, folded } = head;
    const made = element("pre", { class: "nbchalice-log-error" }, element("b", {}, first), "\n");
    rest.forEach((line, index) => {
      const hidden = folded[index + 1];
      if (hidden) made.append(this.folded(head, index, line, hidden));
      else made.append(...this.errorLine(line, cells[index + 1]), "\n");
    });
    return made;
  }

  /** The frames of libraries, which stay unfolded when the invocation is drawn again. */
  folded(head, index, line, hidden) {
    head.unfolded ??= {};
    const keep = (event) => (head.unfolded[index] = event.target.open);
    return element("details", { open: head.unfolded[index], ontoggle: keep }, element("summary", {}, line), hidden.join("\n"));
  }

  errorLine(line, mark) {
    if (!mark) return [line];
    const name = element("span", { class: CELL }, mark.cell);
    Object.assign(name.dataset, mark);
    const begin = line.indexOf(mark.cell);
    return [line.slice(0, begin), name, line.slice(begin + mark.cell.length)];
  }

  showCounts(all, filtered) {
    const levels = new Map();
    let hidden = 0;
    for (const { rows, hidden: here } of all) {
      hidden += filtered ? here ?? 0 : 0;
      for (const { level } of rows) if (severity(level) >= 30) levels.set(level, (levels.get(level) ?? 0) + 1);
    }
    const words = [counted(all.length, "invocation"), counted(this.log.count, "record")];
    for (const [level, count] of levels) words.push(`${count} ${level}`);
    if (filtered) words.push(`${hidden} hidden by the filter`);
    if (this.log.dropped) words.push(`${counted(this.log.dropped, "older record")} not kept here`);
    this.counts.textContent = all.length ? words.join(" · ") : "no invocations yet";
  }

  async copyText() {
    const lines = [];
    for (const invocation of this.log.invocations.values()) {
      const { head, rows } = invocation;
      const shown = rows.filter((row) => this.passes(row));
      if (rows.length && !this.isShown(invocation, shown)) continue;
      lines.push(head.started ? `${new Date(head.started).toISOString()} ${head.headline}` : head.headline);
      lines.push(...[head.failed, head.memory.line].filter(Boolean).map((line) => `  ${line}`));
      for (const row of shown) lines.push(`  ${new Date(row.time).toISOString()} ${row.level || "print"} ${row.text}`);
      lines.push(...head.error.map((line) => `  ${line}`));
    }
    try {
      await navigator.clipboard.writeText(lines.join("\n"));
      this.copy.textContent = "Copied";
    } catch {
      this.copy.textContent = "Copying is not allowed here";
    }
    setTimeout(() => (this.copy.textContent = "Copy"), 2000);
  }
}

export default {
  render({ model, el }) {
    const view = new View(model, el);
    const disable = enableJumps(model, el);
    return () => {
      disable();
      view.remove();
    };
  },
};
