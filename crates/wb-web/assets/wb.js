// Makes live what a reload would show. Every page works without this.
"use strict";

const isTyping = () => ["INPUT", "TEXTAREA"].includes(document.activeElement?.tagName);

// A page that waits says where it can be asked for again, and how often; that is how it goes on without a stream.
const waiting = document.querySelector("[data-reload-seconds]");
let timer = 0;
const reloadNowAndThen = () => {
  if (!waiting || timer) return;
  const reload = () => { if (!isTyping()) location.reload(); };
  timer = setInterval(reload, Math.max(2, Number(waiting.dataset.reloadSeconds)) * 1000);
};

// Says that there is something new. Nobody who types or reads loses the page for it.
const notice = document.getElementById("news");
const tell = (text) => {
  notice.querySelector("span").textContent = text;
  notice.hidden = false;
};

const known = {};
const live = {
  session(now) {
    const shown = document.querySelector("[data-session]")?.dataset.session;
    if (shown && shown !== now && !isTyping()) location.reload();
    else if (shown && shown !== now) tell("This browser is in now.");
  },
  arrived(now) {
    if ((known.arrived ?? now) !== now) tell("Something new arrived.");
  },
  waiting(now) {
    if (Number(now) > Number(known.waiting)) tell("Somebody waits for you under Review or Accounts.");
  },
  sync(now) {
    const job = document.querySelector("[data-sync]");
    if (!job) return;
    if (now === "ended") return location.reload();
    const [done, total, ...words] = now.split(" ");
    job.querySelector("[role=status]").textContent = words.join(" ");
    const bar = job.querySelector("progress");
    if (Number(total)) { bar.max = total; bar.value = done; } else bar.removeAttribute("value");
  },
  ended() {
    close();
    tell("This browser is not in any more.");
  },
};

// A stream, for as long as somebody looks: a browser has few connections to a site.
let stream = null;
const close = () => { stream?.close(); stream = null; };
const open = () => {
  if (stream) return;
  if (document.hidden || !document.body.dataset.live) return reloadNowAndThen();
  stream = new EventSource(document.body.dataset.live);
  for (const name of Object.keys(live)) {
    stream.addEventListener(name, (event) => {
      clearInterval(timer);
      timer = 0;
      live[name](event.data);
      known[name] = event.data;
    });
  }
  stream.addEventListener("error", reloadNowAndThen);
};
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
open();
