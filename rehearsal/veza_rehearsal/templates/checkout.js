"use strict";
// Everything here is a convenience: without it the form works, and the backend checks all of it again.
(() => {
  const notice = document.getElementById("notice");
  if (notice) notice.focus();

  const countdown = document.getElementById("countdown");
  if (countdown) {
    const end = performance.now() + Number(countdown.dataset.seconds) * 1000;
    const tick = () => {
      const left = Math.max(0, Math.round((end - performance.now()) / 1000));
      countdown.textContent = `${Math.floor(left / 60)} min ${String(left % 60).padStart(2, "0")} s`;
      if (left > 0) setTimeout(tick, 1000);
      else location.reload();
    };
    tick();
  }

  const form = document.getElementById("card");
  if (!form) return;
  form.noValidate = true;
  const number = form.elements.card_number;
  const expiry = form.elements.expiry;
  const cvc = form.elements.cvc;
  const digits = (text) => text.replace(/\D/g, "");

  const luhn = (text) =>
    [...text].reverse().reduce((sum, digit, place) => {
      const value = Number(digit) * (place % 2 ? 2 : 1);
      return sum + (value > 9 ? value - 9 : value);
    }, 0) % 10 === 0;

  const checks = {
    card_number: () => {
      const text = digits(number.value);
      if (!text) return "Enter the card number.";
      if (text.length < 12 || text.length > 19 || !luhn(text)) return "This is not a card number; check its digits.";
      return "";
    },
    expiry: () => {
      const match = /^\s*(\d{1,2})\s*[/\- ]?\s*(?:20)?(\d{2})\s*$/.exec(expiry.value);
      if (!match) return "Enter the expiry date as MM/YY.";
      if (match[1] < 1 || match[1] > 12) return "The month goes from 01 to 12.";
      return "";
    },
    cvc: () => (/^\d{3,4}$/.test(cvc.value.trim()) ? "" : "Enter the 3 or 4 digits of the security code."),
  };

  const show = (name) => {
    const problem = checks[name]();
    const field = form.elements[name];
    document.getElementById(`${name}-error`).textContent = problem;
    if (problem) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    return !problem;
  };

  for (const name of Object.keys(checks)) {
    const field = form.elements[name];
    field.addEventListener("blur", () => field.value && show(name));
    field.addEventListener("input", () => field.hasAttribute("aria-invalid") && show(name));
  }

  number.addEventListener("input", () => {
    // Only where typing goes on at the end, so that the cursor never jumps.
    if (number.selectionStart !== number.value.length) return;
    number.value = digits(number.value).slice(0, 19).replace(/(.{4})(?=.)/g, "$1 ");
  });
  expiry.addEventListener("input", (event) => {
    if (event.inputType === "insertText" && /^\d\d$/.test(expiry.value)) expiry.value += "/";
  });

  form.addEventListener("submit", (event) => {
    const wrong = Object.keys(checks).filter((name) => !show(name));
    if (form.dataset.sent || wrong.length) {
      event.preventDefault();
      if (wrong.length) form.elements[wrong[0]].focus();
      return;
    }
    form.dataset.sent = "yes";
    const pay = document.getElementById("pay");
    pay.setAttribute("aria-disabled", "true");
    pay.querySelector(".label").textContent = "Paying…";
    document.getElementById("progress").textContent = "Your payment is on its way. Please wait.";
  });
  // Coming back through the browser's history finds the form as it was.
  addEventListener("pageshow", (event) => event.persisted && location.reload());

  for (const cell of document.querySelectorAll(".hints td code")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "fill";
    button.setAttribute("aria-label", `Fill in ${cell.textContent}`);
    button.addEventListener("click", () => {
      number.value = cell.textContent;
      expiry.value = "12/39";
      cvc.value = "123";
      Object.keys(checks).forEach(show);
      document.getElementById("pay").focus();
    });
    cell.replaceWith(button);
    button.append(cell);
  }
})();
