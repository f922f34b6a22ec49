// Chooses several rows: boxes, shift for a range, and the choice outlives a live update.
(() => {
  const chosen = new Set();
  let last = null; // where a range begins

  const boxes = () => [...document.querySelectorAll('input[form="bulk"][name="key"]')];

  function show() {
    const here = boxes();
    const keys = new Set(here.map((box) => box.value));
    chosen.forEach((key) => { if (!keys.has(key)) chosen.delete(key); });
    here.forEach((box) => {
      box.checked = chosen.has(box.value);
      box.closest("tr").classList.toggle("is-chosen", box.checked);
    });
    const count = document.querySelector("[data-chosen]");
    if (count && count.textContent !== String(chosen.size)) count.textContent = chosen.size;
    document.getElementById("bulk")?.classList.toggle("is-open", chosen.size > 0);
  }

  function pick(box, on, range) {
    const all = boxes();
    const from = range && last ? all.findIndex((each) => each.value === last) : -1;
    const to = all.indexOf(box);
    const several = from < 0 ? [box] : all.slice(Math.min(from, to), Math.max(from, to) + 1);
    several.forEach((each) => (on ? chosen.add(each.value) : chosen.delete(each.value)));
    last = box.value;
    show();
  }

  // The click, not the change: only it knows of the shift key.
  document.addEventListener("click", (event) => {
    const box = event.target.closest('input[form="bulk"][name="key"]');
    if (box) pick(box, box.checked, event.shiftKey);
    if (event.target.closest("[data-unpick]")) {
      chosen.clear();
      show();
    }
  });

  // Shift and a press would mark the text of all rows between.
  document.addEventListener("mousedown", (event) => {
    if (event.shiftKey && event.target.closest(".c-check")) event.preventDefault();
  });

  document.addEventListener("tierline:pick", (event) => {
    const box = event.target.closest("tr")?.querySelector('input[name="key"]');
    if (box) pick(box, !chosen.has(box.value), event.detail?.range);
  });
  document.addEventListener("tierline:unpick", () => { chosen.clear(); show(); });

  // What follows the filters must follow them when they change without a new page.
  function follow() {
    document.querySelectorAll("[data-query]").forEach((field) => {
      const query = new URLSearchParams(location.search);
      if (field.name === "query") ["after", "saved"].forEach((name) => query.delete(name));
      if (!query.get("view")) query.set("view", document.querySelector(".tabs")?.dataset.view ?? "");
      field.value = query.toString();
    });
  }

  document.addEventListener("htmx:afterSwap", () => { show(); follow(); });
  document.addEventListener("htmx:pushedIntoHistory", follow);
  document.addEventListener("tierline:patched", show);
  document.addEventListener("DOMContentLoaded", () => {
    boxes().forEach((box) => { if (box.checked) chosen.add(box.value); }); // the browser remembers
    show();
  });
  addEventListener("pageshow", show);
})();
