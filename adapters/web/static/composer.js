// Where the client writes: text, files by picker, drag and paste, with their way to the server in sight.
import { settings, size, word } from "./words.js";
import { upload } from "./http.js";
import { remember } from "./files.js";
import { icon, node } from "./rich.js";
import { summary } from "./message.js";

const LIMIT = 4096; // code points of one message
const FILES = 10; // files of one message
const CROSS = "M7 7l10 10M17 7L7 17";
const SHEET = "M7 3.8h6.5L18 8.3v11.9H7zM13.3 4v4.5H18";

const form = document.getElementById("composer");
const text = document.getElementById("text");
const send = document.getElementById("send");
const picker = document.getElementById("picker");
const tray = document.getElementById("tray");
const trouble = document.getElementById("trouble");
const drop = document.getElementById("drop");
const strip = document.getElementById("reply");
const stripText = document.getElementById("reply-text");
const touch = matchMedia("(pointer: coarse)");

const TYPING = 3000; // milliseconds between two words that the client types

export class Composer {
  /** `on` hears {send(text, files, quote), typing(), step(by)}: what shall go out, that something is typed, that the client
   *  looks for an earlier (-1) or later (1) message to reply to. */
  constructor(on) {
    Object.assign(this, { on, parts: [], quote: null, ready: false, typed: 0 });
    form.addEventListener("submit", (event) => (event.preventDefault(), this.submit()));
    text.addEventListener("input", () => (this.changed(), this.types()));
    text.addEventListener("keydown", (event) => this.key(event));
    text.addEventListener("paste", (event) => this.paste(event));
    document.getElementById("attach").addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => (this.take(picker.files), (picker.value = "")));
    document.getElementById("reply-away").addEventListener("click", () => this.reply(null));
    addEventListener("online", () => this.parts.filter((part) => part.problem).forEach((part) => this.upload(part)));
    this.listenDrops();
  }

  /** The chat has its secret: files can be sent. */
  open() {
    this.ready = true;
    this.changed();
  }

  focus() {
    if (!touch.matches) text.focus({ preventScroll: true });
  }

  types() {
    if (!text.value.trim() || Date.now() - this.typed < TYPING) return;
    this.typed = Date.now();
    this.on.typing();
  }

  /** The next message replies to this one; null: to none. */
  reply(item) {
    this.quote = item;
    strip.hidden = !item;
    stripText.textContent = item ? word("replying", { text: summary(item) }) : "";
    if (item) text.focus({ preventScroll: true }); // who replies wants to write, on a phone, too
    else this.focus();
  }

  key(event) {
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      return this.on.step(event.key === "ArrowUp" ? -1 : 1);
    }
    if (event.key === "Escape" && this.quote) {
      event.preventDefault();
      return this.reply(null);
    }
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || touch.matches) return;
    event.preventDefault();
    this.submit();
  }

  changed() {
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
    const long = Array.from(text.value.trim()).length > LIMIT;
    if (long) this.complain(word("too_long", { limit: LIMIT }));
    else if (this.wasLong) this.complain("");
    this.wasLong = long;
    const uploading = this.parts.some((part) => !part.file);
    send.disabled = !this.ready || long || uploading || !(text.value.trim() || this.parts.length);
  }

  submit() {
    this.changed();
    if (send.disabled) return;
    this.on.send(text.value.trim(), this.parts.map((part) => part.file), this.quote);
    text.value = "";
    this.typed = 0;
    this.reply(null);
    this.parts = [];
    this.complain("");
    this.draw();
    this.changed();
    this.focus();
  }

  paste(event) {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    this.take(event.clipboardData.files);
  }

  listenDrops() {
    let depth = 0;
    const carries = (event) => event.dataTransfer?.types.includes("Files");
    const show = (by) => (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      depth = Math.max(0, depth + by);
      drop.hidden = depth === 0;
    };
    addEventListener("dragenter", show(1));
    addEventListener("dragleave", show(-1));
    addEventListener("dragover", (event) => carries(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      show(-Infinity)(event);
      if (carries(event)) this.take(event.dataTransfer.files);
    });
  }

  take(files) {
    this.complain("");
    for (const file of files) {
      if (this.parts.length >= FILES) this.complain(word("too_many_files", { limit: FILES }));
      else if (file.size > settings.fileSize) this.complain(word("file_too_large", { name: file.name, limit: Math.floor(settings.fileSize / 1024 ** 2) }));
      else if (!file.size) this.complain(word("file_empty", { name: file.name }));
      else this.add(file);
    }
    this.focus();
  }

  add(source) {
    const part = { source, file: null, picture: source.type.startsWith("image/") && source.type !== "image/svg+xml" };
    this.parts.push(part);
    this.upload(part);
  }

  /** One try. What a later try can mend stays in the tray; the client, or the network coming back, tries again. */
  async upload(part) {
    Object.assign(part, { share: 0, problem: "" });
    part.way = upload(part.source, (share) => {
      part.share = share;
      if (part.bar) part.bar.value = share;
    });
    this.refresh();
    try {
      part.file = await part.way.promise;
      if (part.file.image) remember(part.file.id, part.source);
    } catch (error) {
      if (error.again) part.problem = error.message || word("failed");
      else this.refused(part, error);
    }
    this.refresh();
  }

  refused(part, error) {
    this.parts = this.parts.filter((one) => one !== part);
    if (error.code !== "aborted") this.complain(word("file_failed", { name: part.source.name, reason: error.message }));
  }

  refresh() {
    this.draw();
    this.changed();
  }

  remove(part) {
    part.way.abort();
    this.parts = this.parts.filter((one) => one !== part);
    this.refresh();
    this.focus();
  }

  draw() {
    tray.hidden = !this.parts.length;
    tray.replaceChildren(...this.parts.map((part) => this.chip(part)));
  }

  chip(part) {
    const name = node("b", "", part.source.name);
    name.dir = "auto";
    const made = node("li", "", part.picture ? thumbnail(part) : icon(SHEET));
    const state = part.problem || (part.file ? size(part.source.size) : word("uploading"));
    made.append(node("div", "", name, node("small", "", state)));
    if (part.problem) made.append(this.again(part));
    const away = node("button", "icon", icon(CROSS));
    away.type = "button";
    away.setAttribute("aria-label", word("remove_file", { name: part.source.name }));
    away.addEventListener("click", () => this.remove(part));
    made.append(away);
    if (!part.file && !part.problem) made.append((part.bar = Object.assign(node("progress"), { max: 1, value: part.share })));
    return made;
  }

  again(part) {
    const made = node("button", "again", word("retry"));
    made.type = "button";
    made.addEventListener("click", () => this.upload(part));
    return made;
  }

  complain(what) {
    trouble.textContent = what;
    trouble.hidden = !what;
  }
}

function thumbnail(part) {
  part.address ??= URL.createObjectURL(part.source);
  const image = node("img");
  image.src = part.address;
  image.alt = "";
  return image;
}
