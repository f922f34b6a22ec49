// Keeps a board true: asks for it now and then, and changes the parts that differ where they stand.
// A part that the pointer or the keyboard is in waits, so that nothing moves away under a hand.
(() => {
  const shown = new Map(); // each part as the server last said it
  let timer = null, coming = null;

  const board = () => document.querySelector("[data-refresh]");
  const isHeld = (part) => part.matches(":hover") || part.contains(document.activeElement);

  function place(part) {
    const there = document.getElementById(part.id);
    if (!there || isHeld(there) || shown.get(part.id) === part.outerHTML) return;
    shown.set(part.id, part.outerHTML);
    there.replaceWith(document.importNode(part, true));
  }

  async function refresh() {
    if (document.hidden) return;
    const answer = await fetch(location.href, { headers: { "X-Live": "1" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return; // the page says of when it is
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const parts = [...fresh.querySelectorAll("[data-part]")];
    const known = new Set([...board().querySelectorAll("[data-part]")].map((part) => part.id));
    const isSame = parts.length === known.size && parts.every((part) => known.has(part.id));
    if (isSame) parts.forEach(place);
    else if (!isHeld(board())) board().innerHTML = fresh.body.innerHTML;
    document.dispatchEvent(new Event("tierline:patched"));
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (!board()) return;
    timer = setInterval(refresh, 1000 * Number(board().dataset.refresh));
    document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
    document.addEventListener("tierline:came", () => { coming ??= setTimeout(() => { coming = null; refresh(); }, 1500); });
    addEventListener("pagehide", () => clearInterval(timer));
  });
})();
