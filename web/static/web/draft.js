// Keeps aria-invalid of a draft's fields true to the mistakes that the server has sent.
(() => {
  function mark() {
    document.querySelectorAll("#draft [aria-describedby]").forEach((control) => {
      const place = document.getElementById(control.getAttribute("aria-describedby"));
      if (place?.textContent) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    });
  }
  document.addEventListener("htmx:afterRequest", () => setTimeout(mark, 0));
  // Rows that come must not take away what was typed while they were on their way: ask again.
  let typed = 0;
  const sent = new WeakMap();
  const brings = (event) => event.detail.target?.id === "draft";
  document.addEventListener("input", () => { typed += 1; });
  document.addEventListener("htmx:beforeSend", (event) => { if (brings(event)) sent.set(event.detail.xhr, typed); });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!brings(event) || sent.get(event.detail.xhr) === typed) return;
    event.detail.shouldSwap = false;
    const asker = event.detail.requestConfig.elt;
    setTimeout(() => htmx.trigger(asker, asker.matches("select") ? "change" : "click"), 0);
  });
  // An unsaved draft is not left by accident.
  let touched = false;
  document.addEventListener("input", (event) => { if (event.target.closest("#draft")) touched = true; });
  document.addEventListener("submit", () => { touched = false; });
  window.addEventListener("beforeunload", (event) => { if (touched) event.preventDefault(); });
})();
