// Watches a simulation that runs: its progress is fetched anew, and its page once it has ended.
"use strict";

const EVERY_MS = 2000;

async function look() {
  const shown = document.getElementById("simulation-progress");
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const news = page.getElementById("simulation-progress");
    if (answer.ok && news && !news.hasAttribute("data-runs")) {
      location.reload();
      return;
    }
    if (answer.ok && news) shown.replaceWith(news);
  } catch {
    // Away for a moment: the next look may reach the server again.
  }
  setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
