// Lets this browser ring: asks leave, subscribes, and sends the subscription like any address.
(function () {
  "use strict";
  const form = document.querySelector("form[data-push-key]");
  if (!form || !("serviceWorker" in navigator) || !("PushManager" in window)) return;
  form.hidden = false;

  const raw = (text) => {
    const padded = text.replace(/-/g, "+").replace(/_/g, "/") + "=".repeat((4 - (text.length % 4)) % 4);
    return Uint8Array.from(atob(padded), (letter) => letter.charCodeAt(0));
  };

  async function subscribe() {
    if ((await Notification.requestPermission()) !== "granted") throw new Error("refused");
    await navigator.serviceWorker.register("/push-worker.js");
    const ready = await navigator.serviceWorker.ready;
    const held = await ready.pushManager.getSubscription();
    if (held && !("pushAnew" in form.dataset)) return held;
    if (held) await held.unsubscribe(); // its push service takes nothing for it any more
    return ready.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: raw(form.dataset.pushKey) });
  }

  form.addEventListener("submit", async (event) => {
    if (form.elements.address.value) return;
    event.preventDefault();
    const said = form.querySelector("[data-push-refused]");
    try {
      form.elements.address.value = JSON.stringify(await subscribe());
      form.submit();
    } catch {
      said.hidden = false;
    }
  });
})();
