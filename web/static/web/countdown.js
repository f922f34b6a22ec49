// Lets deadlines tick by the server's clock: the page brings its time, this browser only counts.
(() => {
  const MINUTE = 60, HOUR = 3600, DAY = 86400;
  const said = document.getElementById("words").dataset; // in the reader's language
  const say = (pattern, time) => pattern.replace("%(time)s", time);
  let offset = 0;

  const now = () => performance.timeOrigin + performance.now() + offset;

  function synchronise(root) {
    const given = root.matches?.("[data-now]") ? root : root.querySelector?.("[data-now]");
    if (given) offset = Number(given.dataset.now) - (performance.timeOrigin + performance.now());
  }

  function words(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < MINUTE) return `${whole} s`;
    if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min`;
    const days = Math.floor(whole / DAY), hours = Math.floor((whole % DAY) / HOUR);
    const minutes = String(Math.floor((whole % HOUR) / MINUTE)).padStart(2, "0");
    if (days) return hours ? `${days} d ${hours} h` : `${days} d`;
    return minutes === "00" ? `${hours} h` : `${hours} h ${minutes} min`;
  }

  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  // Says once that a moment shown on the page has come, so that the page may look again.
  function notice(element, left) {
    if (left > 0) element.dataset.ahead = "yes";
    else if (element.dataset.ahead) {
      delete element.dataset.ahead;
      document.dispatchEvent(new Event("tierline:came"));
    }
  }

  function tickDue(element, at) {
    const left = (Number(element.dataset.due) - at) / 1000;
    notice(element, left);
    const tone = left <= 0 ? "late" : at >= Number(element.dataset.soon) ? "soon" : "calm";
    write(element.querySelector(".due-text"), left <= 0 ? say(said.late, words(-left)) : words(left));
    if (element.classList.contains(`due-${tone}`)) return;
    element.classList.remove("due-late", "due-soon", "due-calm");
    element.classList.add(`due-${tone}`);
    const row = element.closest(".row");
    if (row) row.className = row.className.replace(/tone-\w+/, `tone-${tone}`);
  }

  function tickAgo(element, at) {
    const seconds = (at - Number(element.dataset.ago)) / 1000;
    if (seconds > -1 && seconds < 5) write(element, said.justNow);
    else write(element, seconds < 0 ? say(said.ahead, words(-seconds)) : say(said.ago, words(seconds)));
  }

  function tickComing(element, at) {
    const seconds = (Number(element.dataset.coming) - at) / 1000;
    notice(element, seconds);
    write(element, seconds >= 1 ? say(said.ahead, words(seconds)) : said.atOnce);
  }

  function tick() {
    const at = now();
    document.querySelectorAll("[data-due]").forEach((element) => tickDue(element, at));
    document.querySelectorAll("[data-coming]").forEach((element) => tickComing(element, at));
    document.querySelectorAll("[data-ago]").forEach((element) => tickAgo(element, at));
  }

  document.documentElement.classList.add("scripted");
  document.addEventListener("DOMContentLoaded", () => {
    synchronise(document.body);
    tick();
    setInterval(tick, 1000);
  });
  document.addEventListener("tierline:patched", tick);
  document.addEventListener("htmx:afterSwap", (event) => {
    synchronise(event.detail.target);
    tick();
  });
})();
