// Shows the form of an act in the page's one dialog; without script the same link is a page.
(() => {
  const dialog = () => document.getElementById("act-dialog");

  const WRONG = [".has-error input:not([type=hidden])", ".has-error textarea", ".has-error select"];
  const wrongIn = (place) => place.querySelector(WRONG.join(", "));

  // What is to be mended comes first, on a page as in the dialog.
  document.addEventListener("DOMContentLoaded", () => wrongIn(document.getElementById("main"))?.focus());
  document.addEventListener("htmx:afterSettle", (event) => {
    const sheet = event.target.closest?.(".act-sheet");
    if (sheet && dialog().contains(sheet)) wrongIn(sheet)?.focus();
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "dialog-body") return;
    document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; }); // it was chosen there
    if (!dialog().open) dialog().showModal();
    const wrong = wrongIn(dialog());
    const first = dialog().querySelector("[autofocus], select, textarea, input:not([type=hidden])");
    (wrong || first)?.focus();
  });

  // A link that says so opens in the dialog; with a key held down it opens as the page that it is.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    htmx.ajax("GET", link.href, "#dialog-body");
  });

  document.addEventListener("click", (event) => {
    const closer = event.target.closest("[data-close]");
    if (closer && closer.closest("dialog")) {
      event.preventDefault();
      closer.closest("dialog").close();
    }
    if (event.target.matches("dialog")) event.target.close(); // the backdrop
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  // A second click while the first is on its way must not act twice.
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post" || event.defaultPrevented) return;
    event.target.querySelectorAll("button[type=submit]").forEach((button) => {
      setTimeout(() => { button.disabled = true; }, 0);
      setTimeout(() => { button.disabled = false; }, 4000);
    });
  });

  document.addEventListener("htmx:responseError", () => {
    document.getElementById("announcer").textContent = document.getElementById("words").dataset.failed;
  });
})();
