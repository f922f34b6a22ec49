// Shows what is pushed to this browser, and opens it when it is pressed.
"use strict";

self.addEventListener("push", (event) => {
  const said = event.data ? event.data.json() : {};
  event.waitUntil(
    self.registration.showNotification(said.title || "Tierline", {
      body: said.body || "",
      tag: said.tag || undefined,
      renotify: Boolean(said.tag),
      requireInteraction: Boolean(said.urgent),
      data: { url: said.url || "/" },
    })
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(event.notification.data.url));
});
