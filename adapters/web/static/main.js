// The chat: puts the parts together.
import { settings, word } from "./words.js";
import { call, forgetSecret, session } from "./http.js";
import { Composer } from "./composer.js";
import { Frame } from "./frame.js";
import { List } from "./list.js";
import { Live } from "./live.js";
import { Outbox } from "./outbox.js";
import { Timeline } from "./timeline.js";
import * as memory from "./memory.js";

const EARLIER = 100; // items of one step back
const PATIENCE = 12000; // milliseconds the dots go on without an answer
const status = document.getElementById("status");
const banner = document.getElementById("banner");
const earlier = document.getElementById("earlier");
const starting = document.getElementById("starting");

class Chat {
  constructor() {
    this.timeline = new Timeline();
    this.known = false; // the first history is here
    this.note = ""; // what the client shall know until the next message
    this.frame = new Frame(() => (this.seen(), this.composer.focus()));
    this.list = new List({
      press: ({ token, label }) => this.say({ press: { token, label } }, { text: label, token }),
      phone: (phone) => this.say({ contact: { phone } }, { text: "", phone }),
      place: (latitude, longitude) => this.say({ location: { latitude, longitude } }, { text: "", place: [latitude, longitude] }),
      retry: (id) => this.outbox.retry(id),
    }, () => this.seen());
    this.outbox = new Outbox({
      sending: (entry) => this.sending(entry),
      arrived: (entry, seq) => this.arrived(entry, seq),
      failed: (entry, error) => this.change(entry.id, { state: "failed", reason: error.message }),
      unknown: () => this.restart(),
    });
    this.live = new Live({ frame: (f) => this.hear(f), state: (s) => this.state(s), unknown: () => this.restart() }, () => this.place());
    this.composer = new Composer((text, files) => this.say({ text, files: files.map((file) => file.id) }, { text, files }));
    earlier.addEventListener("click", () => this.earlier());
    document.addEventListener("visibilitychange", () => this.seen());
    addEventListener("online", () => this.outbox.hurry());
    memory.onTokenChange(() => location.reload());
  }

  async start() {
    try {
      await session();
    } catch (error) {
      this.state("offline");
      setTimeout(() => this.start(), Math.max(error.after * 1000 || 0, 2000));
      return;
    }
    this.composer.open();
    this.live.start();
  }

  /** The server does not know this browser any more: a new chat, to which all that waits is sent. */
  async restart() {
    this.live.stop();
    forgetSecret();
    this.timeline.clear();
    this.known = false;
    this.draw();
    this.note = word("new_chat");
    await this.start();
    this.outbox.restart();
  }

  place() {
    return this.known ? this.timeline.cursor : -1;
  }

  hear(frame) {
    if (frame.type === "history") this.timeline.history(frame);
    if (frame.type === "gone") this.timeline.remove(frame.seq);
    if (frame.type === "item") this.timeline.put(frame.item);
    if (frame.item && frame.item.author !== "client") this.wait(false);
    this.outbox.entries.filter((entry) => this.timeline.placed(entry.id)).forEach((entry) => this.outbox.done(entry.id));
    if (frame.type === "history" && !frame.more && !this.known) this.welcome(frame);
    this.draw();
  }

  /** The first history is here. A new chat, or one opened by a link, tells the bot so. */
  welcome(frame) {
    this.known = true;
    starting.hidden = true;
    this.greet();
    const link = takeLink();
    const isNew = frame.last === 0 && !memory.waiting().length;
    if (link) this.outbox.add({ link }, null);
    else if (isNew) this.outbox.add({ link: "" }, null, "open");
    if (link || isNew) this.wait(true);
    this.draw();
    this.list.settle();
    this.outbox.adopt();
    if (!this.frame.embedded) this.composer.focus();
  }

  greet() {
    const greeting = document.getElementById("greeting");
    greeting.textContent = settings.greeting;
    greeting.hidden = !settings.greeting || this.timeline.first > 1;
  }

  say(body, shown) {
    this.outbox.add(body, shown);
    this.wait(true);
  }

  sending(entry) {
    if (!entry.shown) return;
    const state = entry.refused ? "failed" : entry.accepted ? "delivered" : "sending";
    this.timeline.own(entry.id, entry.shown, entry.at, state);
    this.draw(true);
  }

  arrived(entry, seq) {
    if (!entry.shown) return;
    this.note = "";
    this.change(entry.id, seq ? { state: "delivered", seq } : { state: "delivered" });
    if (this.live.state === "online") this.banner("");
  }

  change(id, values) {
    this.timeline.change(id, values);
    if (values.state === "failed") this.wait(false);
    this.draw();
  }

  draw(own = false) {
    const items = this.timeline.ordered();
    this.list.draw(items, own);
    earlier.hidden = !this.known || this.timeline.first <= 1;
    this.frame.count(items);
    this.seen();
  }

  seen() {
    if (!this.known || !this.frame.looked || !this.list.atEnd()) return;
    this.frame.seen(this.timeline.last);
    this.frame.count([]);
  }

  /** Dots while the bot thinks. A person who answers is not made to look like one. */
  wait(waits) {
    clearTimeout(this.dots);
    const incoming = this.timeline.ordered().filter((item) => item.author !== "client").at(-1);
    if (!waits || incoming?.author === "operator" || this.live.state === "offline") return this.list.typing(false);
    this.dots = setTimeout(() => {
      this.list.typing(true);
      this.dots = setTimeout(() => this.list.typing(false), PATIENCE);
    }, 350);
  }

  async earlier() {
    const first = this.timeline.first;
    const after = Math.max(0, first - 1 - EARLIER);
    earlier.disabled = true;
    try {
      const page = await call("GET", `/history?after=${after}&limit=${first - 1 - after}`);
      page.items.forEach((item) => this.timeline.put(item));
      this.greet();
      this.draw();
    } catch (error) {
      this.banner(error.message || word("offline"));
    } finally {
      earlier.disabled = false;
    }
  }

  state(state) {
    status.dataset.state = state;
    status.textContent = word(state === "online" ? "online" : "connecting");
    clearTimeout(this.silence);
    if (state === "online") {
      this.banner(this.note);
      this.outbox.hurry();
    } else {
      this.silence = setTimeout(() => this.banner(word("offline")), state === "offline" ? 0 : 2500);
    }
  }

  banner(text) {
    banner.textContent = text;
    banner.hidden = !text;
  }
}

/** The deep link of the address, taken out of it: a reload does not open it again. */
function takeLink() {
  const address = new URL(location.href);
  const link = address.searchParams.get("start");
  if (link === null) return "";
  address.searchParams.delete("start");
  history.replaceState(null, "", address);
  return link;
}

if (/^#[0-9a-f]{6}$/i.test(settings.color)) {
  document.documentElement.style.setProperty("--accent", settings.color);
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(settings.color.slice(i, i + 2), 16) / 255);
  if (0.3 * red + 0.59 * green + 0.11 * blue > 0.62) document.documentElement.style.setProperty("--on-accent", "#10131a");
}
const chat = new Chat();
chat.frame.ready().then(() => chat.start());
