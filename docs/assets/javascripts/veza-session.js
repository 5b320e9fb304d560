"use strict";

// Copy buttons for what is typed elsewhere: ids and amounts of a receipt, commands.
(() => {
  async function copy(text) {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  function button(of, text) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "veza-copy veza-small";
    made.textContent = "Copy";
    made.setAttribute("aria-label", `Copy ${text}`);
    made.addEventListener("click", async () => {
      await copy(text);
      made.textContent = "Copied";
    });
    of.append(made);
  }

  function word(text) {
    const made = document.createElement("span");
    made.className = "veza-word";
    made.textContent = text.trim();
    const both = document.createDocumentFragment();
    both.append(" ", made);
    return both;
  }

  // Paper shows all evidence.
  const folded = new Set();
  addEventListener("beforeprint", () => {
    for (const fold of document.querySelectorAll("details.veza-more:not([open])")) {
      folded.add(fold);
      fold.open = true;
    }
  });
  addEventListener("afterprint", () => {
    for (const fold of folded) fold.open = false;
    folded.clear();
  });

  addEventListener("DOMContentLoaded", () => {
    for (const id of document.querySelectorAll(".veza-receipt .veza-id")) button(id.parentElement, id.textContent);
    for (const cell of document.querySelectorAll(".veza-receipt td:nth-child(2)")) {
      if (/^[0-9]/.test(cell.textContent)) button(cell, cell.textContent);
    }
    for (const code of document.querySelectorAll("code.veza-copied")) {
      // A line does not break within the name of an option.
      code.replaceChildren(...code.textContent.split(/(\s--[\w-]+)/).map((part, i) => (i % 2 ? word(part) : part)));
      const beside = document.createElement("span");
      code.after(beside);
      button(beside, code.textContent);
    }
  });
})();
