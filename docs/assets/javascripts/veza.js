"use strict";

// A link to an event opens every fold that it lies in.
function reveal() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (!target) return;
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  target.scrollIntoView({ block: "center" });
}

// The site's search finds a session in its month's list; who comes from there wants the session's page.
function goOn() {
  const found = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (found && found.matches(".veza-found") && new URLSearchParams(location.search).has("h")) {
    location.replace(found.querySelector("a").href);
  }
}

// Paper has no folds.
const folded = new Set();
function unfold() {
  for (const fold of document.querySelectorAll(".veza-record details:not([open])")) {
    folded.add(fold);
    fold.open = true;
  }
}
function fold() {
  for (const each of folded) each.open = false;
  folded.clear();
}

function copyButtons() {
  for (const block of document.querySelectorAll("pre.veza-curl")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "veza-copy";
    button.textContent = "Copy as cURL";
    button.addEventListener("click", async () => {
      await copy(block.textContent);
      button.textContent = "Copied";
    });
    block.before(button);
  }
}

async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

// A page does not know the day on which it is read.
function markDue() {
  const today = new Date().toISOString().slice(0, 10);
  for (const mark of document.querySelectorAll("[data-due]")) {
    const { due, overdueAfter } = mark.dataset;
    const days = Math.round((Date.parse(due) - Date.parse(today)) / 86_400_000);
    const state = overdueAfter < today ? "overdue" : days < 0 ? "late" : "in-time";
    mark.textContent = { overdue: "OVERDUE", late: "late", "in-time": days === 0 ? "due today" : `due in ${days} day${days === 1 ? "" : "s"}` }[state];
    mark.classList.add(`veza-${state}`);
  }
}

// The archive's filters: every session is in sessions.js, so no server is needed. The address holds what is chosen.
const COLUMNS = ["page", "session", "when", "outcome", "funds", "decision", "money", "release", "environment", "ids"];
const SHOWN = ["when", "outcome", "funds", "decision", "money", "release", "environment", "session"];
const MARKED = { session: "a", outcome: "span" };
const PAGE = 25;
const CHOICES = ["text", "outcome", "funds", "decision", "release"];
const natural = new Intl.Collator("en", { numeric: true }).compare;

function filters() {
  const form = document.querySelector(".veza-filters");
  if (!form || !window.vezaSessions || !window.vezaSessions.length) return;
  const sessions = window.vezaSessions.map((row) => {
    const session = Object.fromEntries(COLUMNS.map((name, i) => [name, row[i]]));
    session.sought = `${session.session} ${session.ids}`.toLowerCase();
    return session;
  });
  for (const select of form.querySelectorAll("select")) {
    for (const value of [...new Set(sessions.map((s) => s[select.name]))].filter(Boolean).sort(natural)) select.add(new Option(value));
  }
  form.hidden = false;
  const archive = { form, sessions, page: 1, timer: 0, shown: [] };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => chosen(archive, 1)));
  form.addEventListener("input", (event) => {
    if (event.target.name !== "text") return chosen(archive, 1);
    archive.page = 1;
    show(archive);
    // Each key is no step to go Back by, and browsers allow few changes of the address in a second.
    clearTimeout(archive.timer);
    archive.timer = setTimeout(() => remember(archive, "replaceState"), 200);
  });
  addEventListener("pagehide", () => {
    if (archive.timer) remember(archive, "replaceState");
  });
  addEventListener("popstate", () => recall(archive));
  document.querySelector(".veza-pages").addEventListener("click", (event) => {
    if (!event.target.dataset.page || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    chosen(archive, Number(event.target.dataset.page));
    form.scrollIntoView({ block: "start" });
  });
  recall(archive);
}

function chosen(archive, page) {
  archive.page = page;
  show(archive);
  remember(archive, "pushState");
}

function address(archive, page) {
  const found = new URLSearchParams();
  for (const name of CHOICES) if (archive.form.elements[name].value) found.set(name, archive.form.elements[name].value);
  if (page > 1) found.set("page", page);
  return `${location.pathname}${found.size ? `?${found}` : ""}`;
}

function remember(archive, how) {
  clearTimeout(archive.timer);
  archive.timer = 0;
  history[how](null, "", address(archive, archive.page));
}

function recall(archive) {
  const found = new URLSearchParams(location.search);
  for (const name of CHOICES) archive.form.elements[name].value = found.get(name) ?? "";
  archive.page = Math.max(1, Math.trunc(Number(found.get("page"))) || 1);
  show(archive);
}

function show(archive) {
  const { form, sessions } = archive;
  const text = form.elements.text.value.trim().toLowerCase();
  const wanted = [...form.querySelectorAll("select")].filter((select) => select.value).map((select) => [select.name, select.value]);
  const found = sessions.filter((s) => wanted.every(([name, value]) => s[name] === value) && (!text || s.sought.includes(text)));
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  archive.page = Math.min(archive.page, pages);
  const first = (archive.page - 1) * PAGE;
  const shown = found.slice(first, first + PAGE);
  const all = found.length === sessions.length ? "" : ` of ${sessions.length} in all`;
  form.querySelector(".veza-count").textContent = !shown.length
    ? `No session matches${all && `,${all}`}.`
    : pages === 1
      ? `${found.length} session${found.length === 1 ? "" : "s"}${all}`
      : `Sessions ${first + 1} to ${first + shown.length} of ${found.length}${all && `,${all}`}`;
  // A key changes as few cells as it can: what is laid out again is what it costs.
  const body = document.querySelector(".veza-sessions tbody");
  while (body.rows.length > shown.length) body.deleteRow(-1);
  shown.forEach((session, i) => {
    if (session !== archive.shown[i]) fill(body.rows[i] ?? empty(body), session);
  });
  archive.shown = shown;
  document.querySelector(".veza-pages").replaceChildren(...(pages > 1 ? steps(archive, pages) : []));
}

function* steps(archive, pages) {
  const near = (n) => n === 1 || n === pages || Math.abs(n - archive.page) < 3;
  for (let n = 1; n <= pages; n++) {
    if (!near(n)) {
      if (near(n - 1)) yield document.createTextNode("…");
      continue;
    }
    const link = document.createElement("a");
    link.href = address(archive, n);
    link.dataset.page = n;
    link.textContent = n;
    link.setAttribute("aria-label", `Page ${n}`);
    if (n === archive.page) link.setAttribute("aria-current", "page");
    yield link;
  }
}

function empty(body) {
  const row = body.insertRow();
  for (const name of SHOWN) {
    const cell = row.insertCell();
    if (name in MARKED) cell.append(document.createElement(MARKED[name]));
  }
  return row;
}

function fill(row, session) {
  SHOWN.forEach((name, i) => {
    const told = row.cells[i].firstElementChild ?? row.cells[i];
    if (told.textContent !== session[name]) told.textContent = session[name];
    if (name === "session") told.href = session.page;
    if (name === "outcome") told.className = `veza-status veza-${session.outcome}`;
  });
}

function wideTables() {
  for (const wrap of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre")) wrap.tabIndex = 0;
}

addEventListener("hashchange", reveal);
addEventListener("beforeprint", unfold);
addEventListener("afterprint", fold);
addEventListener("DOMContentLoaded", () => {
  copyButtons();
  filters();
  markDue();
  wideTables();
  reveal();
  goOn();
});
