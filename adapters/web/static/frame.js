// The page inside the widget: tells the site around it how many messages are unread, hears whether it is in sight.
import { settings } from "./words.js";
import * as memory from "./memory.js";

const embedder = originOf(new URLSearchParams(location.search).get("embed"));
const ANSWER = 2000; // milliseconds that the site has to hand over what it kept
export const embedded = Boolean(embedder) && window.parent !== window;

export class Frame {
  /** `onShown` is called when the chat comes into sight. */
  constructor(onShown) {
    this.inSight = !embedded;
    this.unread = 0;
    if (!embedded) return;
    document.documentElement.classList.add("embedded");
    const close = document.getElementById("close");
    close.hidden = false;
    close.addEventListener("click", () => this.tell({ frontline: "close" }));
    addEventListener("keydown", (event) => event.key === "Escape" && !document.querySelector("dialog[open]") && this.tell({ frontline: "close" }));
    addEventListener("message", (event) => {
      if (event.source !== window.parent || event.origin !== embedder) return;
      if (event.data?.frontline === "shown") (this.inSight = true), onShown();
      if (event.data?.frontline === "hidden") this.inSight = false;
      if (event.data?.frontline === "kept") this.kept?.(event.data.values ?? {});
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

function originOf(address) {
  return address && URL.canParse(address) ? new URL(address).origin : "";
}
