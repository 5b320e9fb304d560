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
    const state = overdueAfter < today ? "overdue" : days < 0 ? "late" : "waiting";
    mark.textContent = { overdue: "OVERDUE", late: "late", waiting: days === 0 ? "due today" : `due in ${days} day${days === 1 ? "" : "s"}` }[state];
    mark.classList.add(`veza-${state}`);
  }
}

// The archive's filters: every session is in sessions.js, so no server is needed.
const COLUMNS = ["page", "session", "when", "outcome", "funds", "decision", "money", "release", "environment", "order", "payment"];
const SHOWN = ["when", "outcome", "funds", "decision", "money", "release", "environment", "session"];

function filters() {
  const form = document.querySelector(".veza-filters");
  if (!form || !window.vezaSessions) return;
  const sessions = window.vezaSessions.map((row) => Object.fromEntries(COLUMNS.map((name, i) => [name, row[i]])));
  for (const select of form.querySelectorAll("select")) {
    for (const value of [...new Set(sessions.map((s) => s[select.name]))].filter(Boolean).sort()) select.add(new Option(value));
  }
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => show(form, sessions));
  show(form, sessions);
}

function show(form, sessions) {
  const text = form.elements.text.value.trim().toLowerCase();
  const wanted = [...form.querySelectorAll("select")].filter((select) => select.value);
  const found = sessions.filter(
    (s) =>
      wanted.every((select) => s[select.name] === select.value) &&
      (!text || [s.session, s.order, s.payment].some((id) => id.toLowerCase().includes(text))),
  );
  form.querySelector(".veza-count").textContent = `${found.length} of ${sessions.length} sessions`;
  document.querySelector(".veza-sessions tbody").replaceChildren(...found.slice(0, 200).map(line));
}

function line(session) {
  const row = document.createElement("tr");
  for (const name of SHOWN) {
    const cell = row.insertCell();
    if (name === "session") {
      const link = document.createElement("a");
      link.href = session.page;
      link.textContent = session.session;
      cell.append(link);
    } else if (name === "outcome") {
      const mark = document.createElement("span");
      mark.className = `veza-status veza-${session.outcome}`;
      mark.textContent = session.outcome;
      cell.append(mark);
    } else cell.textContent = session[name];
  }
  return row;
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
