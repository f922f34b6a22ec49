// Shows what is pushed to this browser; its buttons acknowledge on the spot, or open the ticket.
"use strict";

self.addEventListener("push", (event) => {
  const said = event.data ? event.data.json() : {};
  event.waitUntil(
    self.registration.showNotification(said.title || "Tierline", {
      body: said.body || "",
      tag: said.tag || undefined,
      renotify: Boolean(said.tag),
      requireInteraction: Boolean(said.urgent),
      actions: said.actions || [],
      data: { url: said.url || "/", ask: said.ask || said.url || "/", token: said.token || "" },
    })
  );
});

self.addEventListener("notificationclick", (event) => {
  const { data, tag } = event.notification;
  event.notification.close();
  const acts = event.action === "acknowledge" && data.token;
  event.waitUntil(acts ? acknowledge(data, tag) : self.clients.openWindow(event.action === "open" ? data.url : data.ask));
});

// What became of it is said in a notification of its own; where that cannot be known, the page asks.
async function acknowledge(data, tag) {
  try {
    const answer = await fetch(new URL("answers/push", self.location), {
      method: "POST",
      credentials: "omit",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token: data.token }),
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const said = await answer.json();
    await self.registration.showNotification(said.text, { tag, data: { url: data.url, ask: data.url, token: "" } });
  } catch {
    await self.clients.openWindow(data.ask);
  }
}
