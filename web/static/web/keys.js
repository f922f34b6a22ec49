// Keys for people who live in the queue: few, shown by "?", silent while somebody types.
(() => {
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent);

  function step(by) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement);
    const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
    next.focus({ preventScroll: true });
    next.closest("tr").scrollIntoView({ block: "nearest" });
  }

  const places = {
    j: () => step(1),
    k: () => step(-1),
    g: () => location.assign("/"),
    "/": () => document.getElementById("search")?.focus() ?? location.assign("/"),
    "?": () => document.getElementById("keys-dialog").showModal(),
  };

  function press(key) {
    const act = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!act) return false;
    if (act.matches("input[type=radio]")) {
      act.checked = true;
      document.getElementById("composer-text")?.focus();
    } else act.click();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    const place = places[event.key];
    if (place) {
      event.preventDefault();
      place();
    } else if (/^[a-z]$/.test(event.key) && press(event.key)) event.preventDefault();
  });
})();
