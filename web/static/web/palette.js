// Ctrl-K: a box that finds records and acts; the server says what this person may see and do.
(() => {
  const WAIT_MS = 90;
  const MEMORY = "tierline-recent", MOST = 8;
  let asked = 0, timer = null;

  const dialog = () => document.getElementById("palette");
  const text = () => document.getElementById("palette-text");
  const lines = () => [...dialog().querySelectorAll("a[role=option]")];
  const here = () => location.pathname.match(/^\/tickets\/([A-Za-z]{3}-\d+)/)?.[1] ?? "";

  // Only keys are remembered: what they are called, and whether they may be seen, the server says.
  function remembered() {
    try { return JSON.parse(localStorage.getItem(MEMORY)) ?? []; } catch { return []; }
  }

  function remember(key) {
    try { localStorage.setItem(MEMORY, JSON.stringify([key, ...remembered().filter((each) => each !== key)].slice(0, MOST))); } catch { /* a browser that keeps nothing */ }
  }

  async function ask() {
    const number = ++asked;
    const query = new URLSearchParams({ q: text().value, ticket: here(), recent: remembered().filter((key) => key !== here()).join(",") });
    const answer = await fetch(`${dialog().dataset.address}?${query}`, { headers: { "HX-Request": "true" } });
    if (number !== asked) return;
    if (answer.headers.get("HX-Refresh")) return location.reload();
    document.getElementById("palette-lines").innerHTML = answer.ok ? await answer.text() : "";
    point(lines()[0]);
  }

  function point(line) {
    lines().forEach((each) => each.setAttribute("aria-selected", String(each === line)));
    if (!line) return text().removeAttribute("aria-activedescendant");
    text().setAttribute("aria-activedescendant", line.id);
    line.scrollIntoView({ block: "nearest" });
  }

  function move(by) {
    const all = lines();
    const at = all.findIndex((line) => line.getAttribute("aria-selected") === "true");
    point(all[(at + by + all.length) % all.length]);
  }

  function choose(line) {
    const act = line.dataset.press && document.getElementById(line.dataset.press);
    dialog().close();
    if (act) act.click();
    else location.assign(line.href);
  }

  function open() {
    if (!dialog() || document.querySelector("dialog[open]")) return;
    text().value = "";
    document.getElementById("palette-lines").replaceChildren();
    dialog().showModal();
    text().focus();
    ask();
  }

  document.addEventListener("tierline:palette", open);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette]")) open();
    const line = event.target.closest("#palette a[role=option]");
    if (!line || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(line);
  });
  document.addEventListener("DOMContentLoaded", () => {
    if (!dialog()) return;
    if (here()) remember(here());
    text().addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, WAIT_MS); });
    text().addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        move(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Enter") {
        event.preventDefault();
        const chosen = lines().find((line) => line.getAttribute("aria-selected") === "true");
        if (chosen) choose(chosen);
      }
    });
  });
})();
