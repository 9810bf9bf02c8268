// The page inside the widget: tells the site around it how many messages are unread, hears whether it is in sight.
import { settings } from "./words.js";
import * as memory from "./memory.js";

const embedder = originOf(new URLSearchParams(location.search).get("embed"));
const ANSWER = 15_000; // milliseconds that the site has to hand over what it kept: a busy page answers late, and without it we are strangers
export const embedded = Boolean(embedder) && window.parent !== window;

export class Frame {
  /** `onShown(focus)` is called when the chat comes into sight; `focus`: because somebody asked for it. */
  constructor(onShown) {
    this.inSight = !embedded;
    this.unread = 0;
    if (!embedded) return;
    document.documentElement.classList.add("embedded");
    const close = document.getElementById("close");
    close.hidden = false;
    close.addEventListener("click", () => this.tell({ frontline: "close" }));
    addEventListener("keydown", (event) => event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]") && this.tell({ frontline: "close" }));
    addEventListener("message", (event) => {
      if (event.source !== window.parent || event.origin !== embedder) return;
      if (event.data?.frontline === "shown") (this.inSight = true), onShown(event.data.focus);
      if (event.data?.frontline === "hidden") this.inSight = false;
      if (event.data?.frontline === "kept") this.kept?.(event.data.values ?? {});
      if (event.data?.frontline === "dress") dress(event.data);
    });
  }

  /** Says that we are here. Where the browser gives frames no storage, the site keeps our values, first of all the secret. */
  async ready() {
    const values = new Promise((resolve) => {
      this.kept = resolve;
      setTimeout(resolve, ANSWER, {});
    });
    this.tell({ frontline: "ready", borrow: memory.blocked });
    if (embedded && memory.blocked) memory.borrow(await values, (key, value) => this.tell({ frontline: "keep", key, value }));
  }

  get looked() {
    return this.inSight && document.visibilityState === "visible";
  }

  /** Counts what came after the last place the client has seen. */
  count(items) {
    const seen = Number(memory.read("seen") ?? 0);
    const unread = items.filter((item) => item.author !== "client" && item.seq > seen).length;
    if (unread === this.unread) return;
    this.unread = unread;
    document.title = unread ? `(${unread}) ${settings.title}` : settings.title;
    this.tell({ frontline: "unread", count: unread });
  }

  seen(last) {
    if (last > Number(memory.read("seen") ?? 0)) memory.write("seen", String(last));
  }

  tell(what) {
    if (embedded) window.parent.postMessage(what, embedder);
  }
}

/** What the site around us says about our looks: texts and a colour, never markup. */
function dress({ title, greeting, color }) {
  if (typeof title === "string" && title) {
    settings.title = title.slice(0, 80);
    document.title = document.querySelector("h1").textContent = settings.title;
  }
  if (typeof greeting === "string" && greeting) document.getElementById("greeting").textContent = settings.greeting = greeting.slice(0, 500);
  paint(color);
}

/** The colour of the chat; what stands on it is white or black, whichever reads better. */
export function paint(color) {
  if (!/^#[0-9a-f]{6}$/i.test(color)) return;
  const [red, green, blue] = [1, 3, 5].map((i) => (parseInt(color.slice(i, i + 2), 16) / 255) ** 2.2);
  const style = document.documentElement.style;
  style.setProperty("--accent", color);
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18;
  style.setProperty("--on-accent", light ? "#10131a" : "#fff");
  style.setProperty("--link-share", light ? "45%" : "88%");
}

function originOf(address) {
  try {
    return new URL(address).origin;
  } catch {
    return ""; // not embedded, or by nobody who can be named
  }
}
