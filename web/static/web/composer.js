// The composer with script: drafts kept while one types, files dropped in, ready texts by "::".
(() => {
  const KEEP_AFTER = 1200; // ms without a key until the draft is kept
  const form = document.getElementById("composer");
  if (!form) return;
  const text = document.getElementById("composer-text");
  const state = document.getElementById("composer-state");
  const files = document.getElementById("composer-files");
  const picker = document.getElementById("composer-canned");
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const mode = () => form.querySelector("[name=mode]:checked")?.value ?? form.querySelector("[name=mode]").value;
  const say = (words) => { state.textContent = words; };

  async function post(address, data) {
    return fetch(address, { method: "POST", body: data, headers: { "X-CSRFToken": token, "HX-Request": "true" }, keepalive: !(data.has("files")) });
  }

  // ---- The draft ----
  let waiting = null;
  let kept = text.defaultValue; // what is typed before this script runs is as good as any other
  let sent = false;

  async function keep() {
    clearTimeout(waiting);
    waiting = null;
    if (sent || text.value === kept) return;
    kept = text.value;
    const data = new FormData();
    data.set("text", kept);
    data.set("mode", mode());
    try {
      const answer = await post(form.dataset.draft, data);
      say(answer.ok ? (kept.trim() ? form.dataset.kept : "") : form.dataset.unkept);
    } catch { say(form.dataset.unkept); }
  }
  text.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(keep, KEEP_AFTER);
    pick();
  });
  form.addEventListener("change", (event) => { if (event.target.name === "mode" && kept) { kept = null; keep(); } });
  addEventListener("pagehide", keep);
  form.addEventListener("submit", () => { sent = true; setTimeout(() => { sent = false; }, 4000); });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit([...form.querySelectorAll("button[name=mode]")].find((each) => each.offsetParent));
    }
  });

  // ---- What follows is said on the button ----
  const then = document.getElementById("composer-then");
  function word() {
    form.querySelectorAll(".send-verb").forEach((verb) => {
      verb.dataset.plain ??= verb.textContent;
      const more = then?.selectedOptions[0]?.dataset.verb;
      verb.textContent = more ? `${verb.dataset.plain} ${more}` : verb.dataset.plain;
    });
  }
  function onlyPublic() {
    const resolve = then?.querySelector("[value=resolve]");
    if (!resolve) return;
    resolve.disabled = mode() === "note";
    if (resolve.disabled && then.value === "resolve") then.value = "";
    word();
  }
  then?.addEventListener("change", word);
  form.addEventListener("change", onlyPublic);
  text.addEventListener("focus", onlyPublic);
  form.addEventListener("change", (event) => { if (event.target.name === "mode" && !picker.hidden) pick(); });
  onlyPublic();

  // ---- Files: chosen, dropped or pasted, they go up at once ----
  async function attach(list) {
    if (!list.length) return;
    const before = state.textContent;
    say(form.dataset.sending);
    const data = new FormData();
    [...list].forEach((each) => data.append("files", each));
    try {
      const answer = await post(form.dataset.upload, data);
      const told = await answer.text();
      if (!answer.ok) return say(told.length < 200 ? told : form.dataset.unkept);
      files.innerHTML = told;
      htmx.process(files);
      if (state.textContent === form.dataset.sending) say(before); // a draft kept meanwhile says so
    } catch { say(form.dataset.unkept); }
  }
  document.getElementById("composer-file").addEventListener("change", async (event) => {
    await attach(event.target.files);
    event.target.value = "";
  });
  text.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) { event.preventDefault(); attach(event.clipboardData.files); }
  });
  form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("is-over"); });
  form.addEventListener("dragleave", () => form.classList.remove("is-over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("is-over");
    attach(event.dataTransfer.files);
  });

  // ---- Ready texts by "::" and a few letters, or by the button; people by "@" and a letter ----
  const SOURCES = [
    { typed: /(?:^|\s)::([^\n:]{0,40})$/, mark: 2, from: form.dataset.canned, tells: true },
    { typed: /(?:^|[\s(])@([\p{L}\p{N}_.+-]{1,40})$/u, mark: 1, from: form.dataset.names },
  ];
  function asked() {
    const before = text.value.slice(0, text.selectionStart);
    for (const source of SOURCES) {
      const found = source.from && before.match(source.typed);
      if (found) return { source, words: found[1] };
    }
    return null;
  }
  let asking = 0;
  let offered = "";
  async function show(source, words) {
    const turn = ++asking;
    const query = new URLSearchParams({ q: words, mode: mode() });
    const answer = await fetch(`${source.from}?${query}`, { headers: { "HX-Request": "true" } });
    const told = answer.ok ? await answer.text() : "";
    if (turn !== asking || !answer.ok) return;
    if (told !== offered) picker.innerHTML = offered = told; // the same again stays, perhaps just being pressed
    picker.hidden = !source.tells && !picker.querySelector("[data-text]");
    picker.scrollIntoView({ block: "nearest" });
  }
  function pick() {
    const found = asked();
    if (found) show(found.source, found.words);
    else close();
  }
  function close() { asking++; picker.hidden = true; }
  function insert(words) {
    const found = asked();
    const from = found ? text.selectionStart - found.words.length - found.source.mark : text.selectionStart;
    text.setRangeText(words, from, text.selectionEnd, "end");
    close();
    text.focus();
    text.dispatchEvent(new Event("input"));
  }
  picker.addEventListener("click", (event) => {
    const one = event.target.closest("[data-text]");
    if (one) { event.preventDefault(); insert(one.dataset.text); }
  });
  document.getElementById("canned-open")?.addEventListener("click", (event) => {
    event.preventDefault();
    if (picker.hidden) show(SOURCES[0], "").then(() => picker.querySelector("a")?.focus()); else close();
  });
  form.addEventListener("keydown", (event) => {
    if (picker.hidden) return;
    const all = [...picker.querySelectorAll("[data-text]")];
    const at = all.indexOf(document.activeElement);
    if (event.key === "Escape") { event.stopPropagation(); close(); text.focus(); }
    else if (event.key === "ArrowDown" && all.length) { event.preventDefault(); all[Math.min(all.length - 1, at + 1)].focus(); }
    else if (event.key === "ArrowUp" && at >= 0) { event.preventDefault(); (all[at - 1] ?? text).focus(); }
    else if (event.key === "Enter" && event.target === text && all.length) { event.preventDefault(); insert(all[0].dataset.text); }
  });

  if (text.value !== kept) text.dispatchEvent(new Event("input"));
})();

// Who else is here: told every 20 seconds, at once when one begins to write, and when one leaves.
(() => {
  const EVERY = 20000;
  const shown = document.getElementById("present");
  if (!shown) return;
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  const text = document.getElementById("composer-text");
  const page = crypto.getRandomValues(new Uint32Array(2)).reduce((name, part) => name + part.toString(36), "");
  let typedAt = 0;
  let told = "";
  let asked = 0; // only the answer to the last question is shown
  const now = () => (Date.now() - typedAt < 8000 ? "types" : "looks");

  async function ask(how) {
    const turn = ++asked;
    try {
      const answer = await fetch(shown.dataset.here, how);
      const names = answer.status === 200 ? await answer.text() : null;
      if (names !== null && turn === asked) shown.innerHTML = names;
    } catch { shown.replaceChildren(); }
  }
  function tell(state, hidden = false) {
    told = state;
    const data = new FormData();
    data.set("state", state);
    data.set("page", page);
    return ask({ method: "POST", body: data, headers: { "X-CSRFToken": token }, keepalive: hidden });
  }
  const look = () => ask();
  text?.addEventListener("input", () => {
    typedAt = Date.now();
    if (told !== "types") tell("types");
  });
  document.addEventListener("tierline:here", look);
  document.addEventListener("visibilitychange", () => tell(document.hidden ? "gone" : now(), document.hidden));
  addEventListener("pagehide", () => { if (told !== "gone") tell("gone", true); });
  addEventListener("pageshow", (event) => { if (event.persisted) tell("looks"); });
  setInterval(() => { if (!document.hidden) tell(now()); }, EVERY);
  setInterval(() => { if (told === "types" && now() === "looks") tell("looks"); }, 3000);
  tell("looks");
})();
