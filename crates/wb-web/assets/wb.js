// Makes live what a reload would show. Every page works without this.
"use strict";

// A page that waits says where it can be asked for again, and how often.
const waiting = document.querySelector("[data-reload-seconds]");
if (waiting) {
  const seconds = Number(waiting.dataset.reloadSeconds);
  setInterval(() => {
    const active = document.activeElement;
    const types = active && ["INPUT", "TEXTAREA"].includes(active.tagName);
    if (!types) location.reload();
  }, Math.max(2, seconds) * 1000);
}
