// Fetches a page's live part again when the server hints that something has changed.
(() => {
  const QUIET = 60; // ms in which several hints become one fetch
  const AFTER_A_MOMENT = [1500, 5000]; // ms in which the engine has done what was due
  let waiting = null;
  let held = false;

  const page = () => document.querySelector("[data-live]");
  const target = () => document.getElementById(page().dataset.liveTarget);

  // A row must not move away under the pointer, nor an open menu or dialog vanish.
  function busy() {
    return document.querySelector("dialog[open], details.menu[open]");
  }

  function refresh() {
    waiting = null;
    if (document.hidden || busy()) held = true;
    else {
      const here = (page().dataset.address ?? location.pathname) + location.search; // filters may have changed it since
      const shown = target().querySelector("[data-shown]")?.dataset.shown ?? ""; // as good as new, nothing comes
      htmx.ajax("GET", here, { target: target(), source: target(), swap: "innerHTML", headers: { "X-Live": "1", "X-Shown": shown } });
    }
  }

  // All pages hear of a change at once; `spread` says over how long they shall ask.
  function hint(spread = 0) {
    if (!waiting) waiting = setTimeout(refresh, QUIET + Math.random() * spread);
  }

  function catchUp() {
    if (!held || document.hidden || busy()) return;
    held = false;
    hint();
  }

  function listen() {
    const topics = encodeURIComponent(page().dataset.live);
    const since = document.querySelector("[data-now]")?.dataset.now ?? "";
    const stream = new EventSource(`/events/?topics=${topics}&since=${since}`);
    const heard = (event) => hint(Number(event.data) || 0);
    stream.addEventListener("change", heard);
    stream.addEventListener("poll", heard);
    stream.addEventListener("here", () => document.dispatchEvent(new Event("tierline:here")));
    addEventListener("pagehide", () => stream.close());
    addEventListener("pageshow", (event) => { if (event.persisted) listen(), hint(); });
  }

  // While the pointer rests on the rows, their words change in place and the order waits. A row
  // that has left the view stays, greyed, where it was.
  function patchInPlace(part, html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    part.querySelectorAll("tr.row").forEach((old) => {
      const row = fresh.getElementById(old.id);
      old.classList.toggle("is-gone", !row);
      if (!row || old.innerHTML === row.innerHTML || old.contains(document.activeElement)) return;
      old.innerHTML = row.innerHTML;
      old.className = row.className;
    });
    part.querySelector("[data-shown]")?.removeAttribute("data-shown"); // it is neither the one nor the other
    const tabs = fresh.querySelector(".tabs");
    if (tabs && part.querySelector(".tabs")) part.querySelector(".tabs").innerHTML = tabs.innerHTML;
    document.dispatchEvent(new Event("tierline:patched"));
  }

  function markFresh(part, before) {
    if (!before) return;
    part.querySelectorAll("tr.row").forEach((row) => {
      if (!before.has(row.id)) row.classList.add("is-fresh");
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (!page()) return;
    listen();
    let before = null;
    document.addEventListener("visibilitychange", catchUp);
    document.addEventListener("tierline:came", () => AFTER_A_MOMENT.forEach((wait) => setTimeout(hint, wait)));
    document.addEventListener("close", () => setTimeout(catchUp, 0), true);
    document.addEventListener("toggle", () => setTimeout(catchUp, 0), true);
    target().addEventListener("pointerleave", catchUp);
    target().addEventListener("htmx:beforeSwap", (event) => {
      if (event.detail.target !== target()) return;
      before = null;
      if (event.detail.xhr.status === 204) return; // nothing new
      if (!event.detail.requestConfig.headers["X-Live"]) return;
      before = new Set([...target().querySelectorAll("tr.row")].map((row) => row.id));
      if (target().querySelector(".rows tbody:hover")) {
        event.detail.shouldSwap = false;
        patchInPlace(target(), event.detail.serverResponse);
        held = true;
      }
    });
    target().addEventListener("htmx:afterSwap", () => markFresh(target(), before));
  });
})();
