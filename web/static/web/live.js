// Keeps a page's live part true: fetches it again when the server hints that something has changed,
// or changes in it what the server says differs.
(() => {
  const QUIET = 60; // ms in which several hints become one fetch
  const AFTER_A_MOMENT = [1500, 5000]; // ms in which the engine has done what was due
  let waiting = null;
  let held = false;
  let stream = null;
  let listened = ""; // for which filters

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
    const part = page(), shown = target().querySelector("[data-shown]")?.dataset.shown ?? "";
    const asked = new URLSearchParams({ topics: part.dataset.live, since: document.querySelector("[data-now]")?.dataset.now ?? "" });
    if ("livePush" in part.dataset) asked.set("page", location.search), asked.set("shown", shown);
    listened = location.search;
    stream?.close();
    stream = new EventSource(`/events/?${asked}`);
    const heard = (event) => hint(Number(event.data) || 0);
    stream.addEventListener("change", heard);
    stream.addEventListener("poll", heard);
    stream.addEventListener("rows", (event) => differ(JSON.parse(event.data)));
    stream.addEventListener("here", () => document.dispatchEvent(new Event("tierline:here")));
  }

  // What the server says differs, from one state of the page to the next; a page in any other
  // state, or one that must not change now, asks for all of it.
  function differ(news) {
    const mark = target().querySelector("[data-shown]");
    if (document.hidden || busy()) held = true;
    else if (mark?.dataset.shown === news.from) {
      const before = new Set(rows().map((row) => row.id));
      if (target().querySelector(".rows tbody:hover")) {
        patch(news.order, news.rows);
        mark.removeAttribute("data-shown"); // it is neither the one nor the other
        held = true;
      } else {
        arrange(news);
        mark.dataset.shown = news.to;
        markFresh(target(), before);
      }
      Object.entries(news.counts).forEach(([tab, count]) => recount(tab, count));
      document.dispatchEvent(new Event("tierline:patched"));
    } else if (mark?.dataset.shown !== news.to) hint();
  }

  const rows = () => [...target().querySelectorAll("tr.row")];
  const idOf = (key) => `row-${key}`;

  function rowOf(html) {
    const made = document.createElement("template");
    made.innerHTML = html;
    return made.content.querySelector("tr");
  }

  function recount(tab, count) {
    const badge = document.getElementById(tab)?.querySelector(".count");
    if (!badge) return;
    badge.textContent = count;
    badge.classList.toggle("count-zero", count === "0");
  }

  // The rows in their new order. Those that stay are not touched, so that the keyboard stays too.
  function arrange(news) {
    const body = target().querySelector(".rows tbody"), focused = document.activeElement?.id;
    if (!body) return; // there are none, and only the counts have changed
    const wanted = new Set(news.order.map(idOf));
    rows().forEach((row) => { if (!wanted.has(row.id)) row.remove(); });
    let place = body.firstElementChild;
    news.order.forEach((key) => {
      const held = document.getElementById(idOf(key)), row = news.rows[key] ? rowOf(news.rows[key]) : held;
      if (held && row !== held) {
        if (place === held) place = row;
        held.replaceWith(row);
      }
      if (row === place) place = place.nextElementSibling;
      else body.insertBefore(row, place);
    });
    const next = target().querySelector(".pager [rel=next]");
    if (next) next.href = `?${news.next}`;
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  // While the pointer rests on the rows, their words change in place and the order waits. A row
  // that has left the view stays, greyed, where it was.
  function patch(order, changed) {
    const wanted = new Set(order.map(idOf));
    rows().forEach((old) => {
      const html = changed[old.id.slice("row-".length)], row = html && rowOf(html);
      old.classList.toggle("is-gone", !wanted.has(old.id));
      if (!row || old.innerHTML === row.innerHTML || old.contains(document.activeElement)) return;
      old.innerHTML = row.innerHTML;
      old.className = row.className;
    });
  }

  function patchInPlace(part, html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const found = [...fresh.querySelectorAll("tr.row")].map((row) => [row.id.slice("row-".length), row.outerHTML]);
    patch(found.map(([key]) => key), Object.fromEntries(found));
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
    addEventListener("pagehide", () => stream.close());
    addEventListener("pageshow", (event) => { if (event.persisted) listen(), hint(); });
    if ("livePush" in page().dataset) document.addEventListener("htmx:afterSettle", () => { if (location.search !== listened) listen(); });
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
