// Keeps what one is reading on a ticket's page as it is while the page is brought up to date.
(() => {
  let open = [];
  let focused = "";

  // A "why?" that is being read stays unfolded, and the keyboard stays where it was.
  document.addEventListener("htmx:beforeSwap", () => {
    open = [...document.querySelectorAll(".ticket details[open][id]")].map((each) => each.id);
    focused = document.activeElement?.closest(".ticket") ? document.activeElement.id : "";
  });

  function restore() {
    open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus({ preventScroll: true });
  }
  document.addEventListener("htmx:afterSwap", restore);
  document.addEventListener("htmx:oobAfterSwap", restore);

  // A live update brings as much of the story again as has been unfolded here.
  let unfolded = 0;
  document.addEventListener("htmx:afterSettle", (event) => {
    const asked = event.detail.requestConfig;
    if (asked?.target?.id === "ticket-live" && !asked.headers["X-Live"]) unfolded = 0;
    const earlier = document.querySelectorAll(".ticket-story ol[data-oldest]");
    earlier.forEach((each) => { unfolded = Number(each.dataset.oldest); });
  });
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.headers["X-Live"] && unfolded) event.detail.parameters.set("from", String(unfolded));
  });
})();
