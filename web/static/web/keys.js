// Keys for people who live in the queue: shown by "?", silent while somebody types.
(() => {
  const CHORD_MS = 1500;
  let chord = 0; // until when a letter after G names a place

  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent);
  const row = () => document.activeElement?.closest?.("tr")?.querySelector("[data-row]");

  function step(by) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(row());
    const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
    next.focus({ preventScroll: true });
    next.closest("tr").scrollIntoView({ block: "nearest" });
  }

  const ask = (name, from) => (from ?? document).dispatchEvent(new CustomEvent(name, { bubbles: true }));

  function search() {
    const box = document.getElementById("search");
    if (!box) return location.assign(document.body.dataset.queue ?? "/");
    box.focus();
    box.select();
  }

  function back() {
    if (document.querySelector(".row.is-chosen")) return ask("tierline:unpick");
    if (document.querySelector("details.menu[open]")) {
      document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; });
    } else if (document.activeElement && document.activeElement !== document.body) document.activeElement.blur();
    else document.querySelector("[data-back]")?.click();
  }

  const places = {
    j: () => step(1),
    k: () => step(-1),
    x: () => row() && ask("tierline:pick", row()),
    g: () => { chord = performance.now() + CHORD_MS; },
    "/": search,
    "?": () => list(),
    Escape: back,
  };

  function go(letter) {
    chord = 0;
    const link = document.querySelector(`[data-go="${CSS.escape(letter)}"]`);
    link?.click();
    return Boolean(link);
  }

  function press(key) {
    const act = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find((each) => each.offsetParent || each.matches("input") || each.closest("details.menu"));
    if (!act) return false;
    if (act.matches("input[type=radio]")) {
      act.checked = true;
      act.dispatchEvent(new Event("change", { bubbles: true }));
      document.getElementById("composer-text")?.focus();
    } else act.click();
    return true;
  }

  // The list of keys tells of this page: its acts, its rows, the places of the navigation.
  function list() {
    const dialog = document.getElementById("keys-dialog");
    const has = { rows: rows().length > 0, boxes: Boolean(document.querySelector(".c-check")) };
    dialog.querySelectorAll("[data-if]").forEach((line) => { line.hidden = !has[line.dataset.if]; });
    const acts = [...document.querySelectorAll("[data-key]")].map((act) => [act.dataset.key, name(act)]);
    const goes = [...document.querySelectorAll(".bar-nav [data-go]")].map((link) => [`g ${link.dataset.go}`, name(link)]);
    fill(dialog.querySelector("[data-acts]"), acts);
    fill(dialog.querySelector("[data-places]"), goes);
    dialog.showModal();
  }

  const name = (act) => (act.dataset.keyLabel || act.getAttribute("aria-label") || act.labels?.[0]?.textContent || act.textContent).trim();

  function fill(part, pairs) {
    const seen = new Set();
    part.querySelector("dl").replaceChildren(...pairs.filter(([keys]) => !seen.has(keys) && seen.add(keys)).map(([keys, label]) => {
      const line = document.createElement("div"), term = document.createElement("dt"), means = document.createElement("dd");
      keys.split(" ").forEach((key) => {
        const kbd = document.createElement("kbd");
        kbd.textContent = key.toUpperCase();
        term.append(kbd, " ");
      });
      means.textContent = label;
      line.append(term, means);
      return line;
    }));
    part.hidden = !pairs.length;
  }

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !event.altKey) {
      event.preventDefault();
      return ask("tierline:palette");
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (chord > performance.now() && /^[a-z]$/.test(letter)) {
      if (go(letter)) event.preventDefault();
      return;
    }
    if (letter === "x" && event.shiftKey && row()) {
      row().dispatchEvent(new CustomEvent("tierline:pick", { bubbles: true, detail: { range: true } }));
      return event.preventDefault();
    }
    const place = places[letter];
    if (place) {
      event.preventDefault();
      place();
    } else if (/^[a-z]$/.test(letter) && !event.shiftKey && press(letter)) event.preventDefault();
  });
})();
