"use strict";
// The page is complete without this script. It adds the theme button, the filters, copy buttons, and opens folds on paper.

const root = document.documentElement;
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const one = (id) => document.getElementById(id);

// The theme follows the system until somebody chooses. A browser may refuse to keep the choice for a file; that is fine.
const kept = {
  get() { try { return localStorage.getItem("exivity-audit-theme"); } catch { return null; } },
  set(value) { try { localStorage.setItem("exivity-audit-theme", value); } catch { /* not kept */ } },
};
const system = matchMedia("(prefers-color-scheme: dark)");
const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
const theme = one("theme");
const nameTheme = () => { theme.textContent = dark() ? theme.dataset.light : theme.dataset.dark; };
if (kept.get() === "dark" || kept.get() === "light") root.dataset.theme = kept.get();
theme.addEventListener("click", () => {
  root.dataset.theme = dark() ? "light" : "dark";
  kept.set(root.dataset.theme);
  nameTheme();
});
system.addEventListener("change", nameTheme);
nameTheme();
one("print").addEventListener("click", () => print());
for (const element of all(".tools, .filters")) element.hidden = false;

// Untouched, the page shows every finding, and what passed is folded under its row.
const form = document.querySelector(".filters");
const boxes = all("input[name=status]", form);
const shown = form.querySelector("output");
const nothing = document.querySelector(".nothing");
const severities = ["low", "medium", "high", "critical"];
const checks = all(".check").map((element) => ({
  element, row: element.closest(".row"), fold: element.closest(".folded"), words: element.textContent.toLowerCase(),
}));
const rows = all(".row");

function filter() {
  const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  const least = severities.indexOf(form.elements.severity.value);
  const row = form.elements.row.value;
  const site = form.elements.site?.value ?? "";
  const words = form.elements.text.value.trim().toLowerCase();
  const untouched = !least && !words && !row && !site && boxes.every((box) => box.checked === box.defaultChecked);
  let count = 0;
  for (const check of checks) {
    const { status, severity } = check.element.dataset;
    const fits = wanted.has(status) && severities.indexOf(severity) >= least && (!row || check.row.id === row)
      && (!site || check.element.dataset.site === site) && check.words.includes(words);
    check.element.hidden = !fits && !(untouched && check.fold);
    count += fits ? 1 : 0;
  }
  for (const section of rows) {
    const fold = section.querySelector(".folded");
    if (fold) {
      fold.hidden = all(".check", fold).every((check) => check.hidden);
      fold.open = !untouched && !fold.hidden;
    }
    section.hidden = all(".check", section).every((check) => check.hidden);
  }
  nothing.hidden = count > 0 || untouched;
  form.classList.toggle("narrowed", !untouched);
  shown.textContent = shown.dataset.text.replace("##", checks.length).replace("#", count);
}
form.addEventListener("input", filter);
form.addEventListener("reset", () => setTimeout(filter)); // once the fields have their defaults again
form.addEventListener("submit", (event) => event.preventDefault());
filter();

// A count in the checklist shows exactly those checks.
for (const link of all("a[data-pick]")) {
  link.addEventListener("click", () => {
    form.reset();
    form.elements.row.value = link.dataset.row;
    for (const box of boxes) box.checked = box.value === link.dataset.pick;
    setTimeout(filter);
  });
}

// A link to a check that is folded or filtered away shows it.
function reveal() {
  const target = location.hash.length > 1 && one(decodeURIComponent(location.hash.slice(1)));
  if (!target || !target.matches(".check")) return;
  if (target.closest("[hidden]")) {
    form.reset();
    filter();
  }
  setTimeout(() => {
    target.closest(".folded")?.setAttribute("open", "");
    target.hidden = false;
    target.scrollIntoView();
  });
}
addEventListener("hashchange", reveal);
reveal();

// Each command can be copied. The button stands outside the words that the search looks through.
for (const command of all(".command")) {
  const code = command.firstElementChild;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = form.dataset.copy;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = form.dataset.copied;
      setTimeout(() => { button.textContent = form.dataset.copy; }, 1500);
    } catch {
      getSelection().selectAllChildren(code); // the browser allows no copy: at least it is selected
    }
  });
  command.append(button);
}

// Paper has no folds.
let folded = [];
addEventListener("beforeprint", () => {
  folded = all("details:not([open])");
  for (const fold of folded) fold.open = true;
});
addEventListener("afterprint", () => {
  for (const fold of folded) fold.open = false;
});
