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
  // An unsaved draft is not left by accident.
  let touched = false;
  document.addEventListener("input", (event) => { if (event.target.closest("#draft")) touched = true; });
  document.addEventListener("submit", () => { touched = false; });
  window.addEventListener("beforeunload", (event) => { if (touched) event.preventDefault(); });
})();
