// Names what Django's own widgets leave without words: empty headings, and boxes that search.
"use strict";
(() => {
  const words = (text) => {
    const hidden = document.createElement("span");
    hidden.className = "visually-hidden";
    hidden.textContent = text;
    return hidden;
  };
  const headings = (root) => {
    for (const cell of root.querySelectorAll("thead th:empty")) cell.append(words("Row"));
  };
  const boxes = (root) => {
    for (const select of root.querySelectorAll("select.admin-autocomplete")) {
      const box = select.parentElement.querySelector(".select2-selection[role=combobox]");
      const cell = select.closest("td");
      const label = select.labels[0] || (cell && heading(cell));
      if (!box || !label) continue;
      // Where nothing is chosen yet, the box is labelled by an empty element.
      box.removeAttribute("aria-labelledby");
      for (const each of [box, ...box.querySelectorAll("[role=textbox]")]) {
        each.setAttribute("aria-label", label.textContent.trim());
      }
    }
  };
  const heading = (cell) => {
    const table = cell.closest("table");
    return table.tHead && table.tHead.rows[0].cells[cell.cellIndex];
  };
  const mend = (root) => { headings(root); boxes(root); };
  // Behind Django's own, which make the boxes when jQuery says that the page is ready.
  const ready = window.django?.jQuery || ((act) => act());
  ready(() => mend(document));
  document.addEventListener("formset:added", (event) => setTimeout(() => mend(event.target)));
})();
