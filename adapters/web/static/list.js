// The list on the screen: only what changed is drawn anew, and the reader's place is kept.
import { word } from "./words.js";
import { message } from "./message.js";

const TOGETHER = 300; // seconds: messages of one author so close in time stand as one group
const EARLY = 400; // pixels from the beginning at which earlier messages are fetched
const MARKED = 1500; // milliseconds that a message which was looked for stands out
const NEAR = 120; // pixels from the end that still count as «reading the end»

const touch = matchMedia("(hover: none)");
const scroll = document.getElementById("scroll");
const list = document.getElementById("list");
const log = document.getElementById("log");
const latest = document.getElementById("latest");
const count = document.getElementById("latest-count");
const typing = document.getElementById("typing");
const typingText = document.getElementById("typing-text");

export class List {
  /** `does` is what messages can ask for; `onSeen` is called when the reader is at the end, `onTop` near the beginning. */
  constructor(does, onSeen, onTop) {
    Object.assign(this, { does, onSeen, onTop, drawn: new Map(), missed: 0, settled: false, stay: true, top: 0 });
    latest.addEventListener("click", () => this.toEnd(true));
    scroll.addEventListener("scroll", () => this.scrolled(), { passive: true });
    list.addEventListener("click", (event) => touch.matches && this.pick(event.target));
    new ResizeObserver(() => this.stay && this.toEnd()).observe(scroll);
  }

  /** Where nothing can hover, a tap on a message shows what can be done with it. */
  pick(target) {
    const item = target.closest("button, a") ? null : target.closest(".item");
    for (const other of list.querySelectorAll(".picked")) if (other !== item) other.classList.remove("picked");
    item?.classList.toggle("picked");
  }

  atEnd() {
    return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR;
  }

  /** A reader at the end stays there when news come, until scrolling back: a smooth way down is no way back. */
  scrolled() {
    const back = scroll.scrollTop < this.top;
    this.top = scroll.scrollTop;
    if (this.atEnd()) this.reached();
    else if (back) this.stay = false;
    if (back && this.settled && this.top < EARLY) this.onTop();
    this.hint();
  }

  /** Brings an item into sight and marks it for a moment. False when it is not here. */
  show(key) {
    const element = this.drawn.get(key)?.element;
    if (!element) return false;
    element.scrollIntoView({ block: "center" });
    clearTimeout(this.marked);
    list.querySelector(".shown")?.classList.remove("shown");
    element.classList.add("shown");
    this.marked = setTimeout(() => element.classList.remove("shown"), MARKED);
    return true;
  }

  reached() {
    this.stay = true;
    this.missed = 0;
    this.hint();
    this.onSeen();
  }

  toEnd(smooth = false) {
    scroll.scrollTo({ top: scroll.scrollHeight, behavior: smooth ? "smooth" : "instant" });
    this.reached();
  }

  hint() {
    latest.hidden = this.stay;
    count.textContent = this.missed || "";
  }

  /** Draws the items; `own` is true when the reader has just sent something: then the end is shown. `above` draws what
   *  stands before the first one. What the reader looks at stays where it is. */
  draw(items, own, above) {
    const follow = own || !this.settled || this.stay;
    const below = scroll.scrollHeight - scroll.scrollTop;
    above();
    const fresh = this.place(group(items));
    if (follow) this.toEnd(this.settled && !document.hidden);
    else if (fresh.above) scroll.scrollTop = scroll.scrollHeight - below;
    this.missed += follow ? 0 : fresh.below;
    this.hint();
  }

  place(items) {
    const fresh = { above: 0, below: 0 };
    const keys = new Set(items.map((item) => item.key));
    for (const [key, { element }] of this.drawn) {
      if (keys.has(key)) continue;
      element.remove();
      this.drawn.delete(key);
    }
    let old = this.drawn.size;
    const elements = items.map((item) => {
      const known = this.drawn.get(item.key);
      if (known) old--;
      else if (old || item.author !== "client") fresh[old ? "above" : "below"]++;
      return this.element(item, known, !old);
    });
    log.setAttribute("aria-live", fresh.above ? "off" : "polite"); // the past is no news
    let next = list.firstChild; // after the drawing: elements that look different have taken the old ones' places
    for (const element of elements) {
      if (element === next) next = next.nextSibling;
      else list.insertBefore(element, next);
    }
    return fresh;
  }

  /** The element of an item: the old one while it looks the same. */
  element(item, known, below) {
    const look = JSON.stringify(item);
    if (known?.look === look) return known.element;
    const element = message(item, this.does);
    if (!known && below && this.settled) element.classList.add("fresh");
    if (known) keepFocus(known.element, element);
    this.drawn.set(item.key, { element, look });
    return element;
  }

  /** The first history is drawn: from now on news are announced and move in. */
  settle() {
    this.settled = true;
    log.setAttribute("aria-busy", "false");
  }

  /** Dots with the name of who writes; empty: nobody does. */
  typing(who) {
    if (typing.hidden === !who) return;
    typing.hidden = !who;
    typingText.textContent = who ? word(who === "operator" ? "operator_typing" : "bot_typing") : "";
    if (this.stay) this.toEnd(true);
  }
}

function keepFocus(old, element) {
  const active = document.activeElement;
  const held = old.contains(active);
  const at = held ? [...old.querySelectorAll("button, a, input")].indexOf(active) : -1;
  old.replaceWith(element);
  if (!held) return;
  const heir = element.querySelectorAll("button, a, input")[at];
  if (heir && !heir.disabled) heir.focus();
  else document.getElementById("text").focus({ preventScroll: true });
}

/** Marks where days and groups of one author begin, and where another one starts to answer. */
function group(items) {
  let before = null;
  let speaker = "";
  return items.map((item) => {
    const opensDay = !before || new Date(before.at * 1000).toDateString() !== new Date(item.at * 1000).toDateString();
    const opensGroup = opensDay || before.author !== item.author || item.at - before.at > TOGETHER || Boolean(before.rows?.length);
    const named = item.author !== "notice" && item.author !== "client" && item.author !== speaker;
    if (named) speaker = item.author;
    before = item;
    return { ...item, opensDay, opensGroup, named };
  });
}
