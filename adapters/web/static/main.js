// The chat: puts the parts together.
import { settings, word } from "./words.js";
import { call, forgetSecret, session } from "./http.js";
import { tell } from "./banner.js";
import { Composer } from "./composer.js";
import { Frame, embedded, paint } from "./frame.js";
import { List } from "./list.js";
import { Live } from "./live.js";
import { Outbox } from "./outbox.js";
import { summary } from "./message.js";
import { Timeline } from "./timeline.js";
import * as memory from "./memory.js";

const EARLIER = 100; // items of one step back
const TYPING = 5000; // milliseconds the dots go on without another word
const SEEN = 1000; // milliseconds before the server hears what was seen
const status = document.getElementById("status");
const greeting = document.getElementById("greeting");
const earlier = document.getElementById("earlier");
const starting = document.getElementById("starting");

class Chat {
  constructor() {
    this.timeline = new Timeline();
    this.known = false; // the first history is here
    this.told = 0; // the last seen place that the server has heard of
    this.frame = new Frame((focus) => (this.seen(), focus && this.composer.focus()));
    this.list = new List({
      press: ({ token, label }) => this.say({ press: { token, label } }, { text: label, token }),
      phone: (phone) => this.say({ contact: { phone } }, { text: "", phone }),
      place: (latitude, longitude) => this.say({ location: { latitude, longitude } }, { text: "", place: [latitude, longitude] }),
      retry: (id) => this.outbox.retry(id),
      reply: (item) => this.composer.reply(item),
      show: (id) => this.show(id),
    }, () => this.seen(), () => this.earlier());
    this.outbox = new Outbox({
      sending: (entry, here) => this.sending(entry, here),
      arrived: (entry, seq) => this.arrived(entry, seq),
      waits: (message, until) => (this.wait(false), tell("wait", message, until)),
      unknown: () => this.restart(),
    });
    this.live = new Live({ frame: (f) => this.hear(f), state: (s) => this.state(s), unknown: () => this.restart() }, () => this.place());
    this.composer = new Composer({
      send: (text, files, quote) => this.write(text, files, quote),
      typing: () => this.live.say({ typing: true }),
      step: (by) => this.step(by),
    });
    earlier.addEventListener("click", () => this.earlier());
    document.addEventListener("visibilitychange", () => this.seen());
    addEventListener("online", () => this.outbox.hurry());
    memory.onChange((key, value, old) => {
      if (key === "token" && value && value !== old) location.reload();
      if (key === "seen") this.count();
    });
  }

  async start() {
    try {
      await session();
    } catch (error) {
      const wait = Math.max(error.after * 1000 || 0, 2000);
      if (error.status === 429) tell("wait", word("busy_start"), Date.now() + wait);
      else this.state("offline");
      setTimeout(() => this.start(), wait);
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
    this.told = 0;
    this.composer.reply(null);
    this.draw();
    tell("note", word("new_chat"));
    await this.start();
    this.outbox.restart();
  }

  place() {
    return this.known ? this.timeline.cursor : -1;
  }

  hear(frame) {
    if (frame.type === "typing") return this.wait(true, TYPING);
    if (frame.type === "seen") return this.frame.seen(frame.seq), this.count();
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
    const link = takeLink();
    const isNew = frame.last === 0 && !memory.waiting().length;
    if (link) this.outbox.add({ link }, null);
    else if (isNew) this.outbox.add({ link: "" }, null, "open");
    if (link || isNew) this.wait(true);
    this.draw();
    this.list.settle();
    this.outbox.adopt();
    if (!embedded) this.composer.focus();
  }

  write(text, files, item) {
    const quote = item ? { id: item.author === "client" ? item.id : String(item.seq), text: summary(item) } : undefined;
    this.say({ text, files: files.map((file) => file.id), quote: item?.seq }, { text, files, quote });
  }

  say(body, shown) {
    this.outbox.add(body, shown);
    this.wait(true);
  }

  sending(entry, here) {
    if (!entry.shown) return;
    const state = entry.refused ? "failed" : entry.accepted ? "delivered" : "sending";
    this.timeline.own(entry.id, entry.shown, entry.at, state, entry.refused);
    if (entry.refused) this.wait(false);
    this.draw(here);
  }

  arrived(entry, seq) {
    tell("wait", "");
    if (!entry.shown) return;
    tell("note", "");
    this.timeline.change(entry.id, seq ? { state: "delivered", seq } : { state: "delivered" });
    this.draw();
  }

  draw(own = false) {
    const items = this.timeline.ordered();
    this.list.draw(items, own, () => this.drawAbove());
    this.frame.count(items);
    this.seen();
  }

  drawAbove() {
    greeting.textContent = settings.greeting;
    greeting.hidden = !this.known || !settings.greeting || this.timeline.first > 1;
    const had = document.activeElement === earlier;
    earlier.hidden = !this.known || this.timeline.first <= 1;
    if (had && earlier.hidden) document.getElementById("scroll").focus({ preventScroll: true });
  }

  count() {
    this.frame.count(this.timeline.ordered());
  }

  seen() {
    if (!this.known || !this.frame.looked || !this.list.atEnd()) return;
    const last = this.timeline.last;
    this.frame.seen(last);
    this.frame.count([]);
    if (last <= this.told) return;
    this.told = last;
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.live.say({ seen: last }), SEEN);
  }

  /** Dots while somebody makes an answer: at once when we are told so, else after a moment without one. A person who answers
   *  is not made to look like the bot: the dots then wait for the person's own typing. */
  wait(waits, patience = 0) {
    clearTimeout(this.dots);
    const writer = this.timeline.ordered().filter((item) => item.author === "bot" || item.author === "operator").at(-1)?.author ?? "bot";
    if (!waits || (writer === "operator" && !patience) || this.live.state === "offline") return this.list.typing("");
    const show = () => {
      this.list.typing(writer);
      this.dots = setTimeout(() => this.list.typing(""), TYPING);
    };
    if (patience) show();
    else this.dots = setTimeout(show, 350);
  }

  /** The message before or after the one that is replied to now; past the last one: none. */
  step(by) {
    const items = this.timeline.ordered().filter((item) => item.seq && !item.gone && item.author !== "notice");
    const now = items.findIndex((item) => item.seq === this.composer.quote?.seq);
    const at = now < 0 ? items.length + Math.min(by, 0) : Math.max(0, now + by);
    this.composer.reply(items[at] ?? null);
    if (items[at]) this.list.show(items[at].key);
  }

  /** Shows a message that another one replies to, from the past if need be. */
  async show(id) {
    while (!this.list.show(this.timeline.named(id)?.key) && this.timeline.first > 1) {
      if (!(await this.earlier())) return;
    }
  }

  /** Earlier messages; false when there are none, or they cannot be had now. */
  async earlier() {
    const first = this.timeline.first;
    if (this.fetching || !this.known || first <= 1) return false;
    const after = Math.max(0, first - 1 - EARLIER);
    this.fetching = true;
    try {
      const page = await call("GET", `/history?after=${after}&limit=${first - 1 - after}`);
      page.items.forEach((item) => this.timeline.put(item));
      this.draw();
      return page.items.length > 0;
    } catch (error) {
      tell("note", error.message || word("offline"));
      return false;
    } finally {
      this.fetching = false;
    }
  }

  state(state) {
    status.dataset.state = state;
    status.textContent = word(state === "online" ? "online" : "connecting");
    clearTimeout(this.silence);
    if (state === "online") {
      tell("offline", "");
      if (this.told) this.live.say({ seen: this.told }); // a server that was started anew knows nothing of it
      this.outbox.hurry();
    } else {
      this.silence = setTimeout(() => tell("offline", word("offline")), state === "offline" ? 0 : 2500);
    }
  }
}

/** A link behind the `#` that is opened in the very page changes nothing but the address: begin as in a new one. */
addEventListener("hashchange", () => {
  if (new URLSearchParams(location.hash.slice(1)).has("start")) location.reload();
});

/** The deep link of the address, taken out of it: a reload does not open it again. A site gives the same one to the chat on
 *  each of its pages: it is opened once. */
function takeLink() {
  const address = new URL(location.href);
  const hidden = new URLSearchParams(address.hash.slice(1)).get("start"); // a one-time code: no server, no log sees it
  const link = hidden ?? address.searchParams.get("start");
  if (link === null) return "";
  address.searchParams.delete("start");
  if (hidden !== null) address.hash = "";
  history.replaceState(null, "", address);
  if (embedded && memory.read("start") === link) return "";
  if (embedded) memory.write("start", link);
  return link;
}

/** Where the browser gives us no storage, the choice of light or dark is kept with the rest. */
function keepTheme() {
  addEventListener("theme", (event) => memory.write("theme", event.detail));
  dispatchEvent(new CustomEvent("theme-kept", { detail: memory.read("theme") ?? "" }));
}

paint(settings.color);
const chat = new Chat();
await chat.frame.ready();
if (memory.blocked) keepTheme();
chat.start();
