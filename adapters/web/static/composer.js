// Where the client writes: text, files by picker, drag and paste, with their way to the server in sight.
import { settings, size, word } from "./words.js";
import { upload } from "./http.js";
import { remember } from "./files.js";
import { icon, node } from "./rich.js";

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
const touch = matchMedia("(pointer: coarse)");

export class Composer {
  /** `onSend(text, files)` gets what shall go out. */
  constructor(onSend) {
    Object.assign(this, { onSend, parts: [], ready: false });
    form.addEventListener("submit", (event) => (event.preventDefault(), this.submit()));
    text.addEventListener("input", () => this.changed());
    text.addEventListener("keydown", (event) => this.key(event));
    text.addEventListener("paste", (event) => this.paste(event));
    document.getElementById("attach").addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => (this.take(picker.files), (picker.value = "")));
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

  key(event) {
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
    this.onSend(text.value.trim(), this.parts.map((part) => part.file));
    text.value = "";
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
      else this.upload(file);
    }
    this.draw();
    this.changed();
    this.focus();
  }

  async upload(source) {
    const part = { source, share: 0, file: null, picture: source.type.startsWith("image/") && source.type !== "image/svg+xml" };
    this.parts.push(part);
    part.way = upload(source, (share) => {
      part.share = share;
      if (part.bar) part.bar.value = share;
    });
    try {
      part.file = await part.way.promise;
      if (part.file.image) remember(part.file.id, source);
    } catch (error) {
      this.parts = this.parts.filter((one) => one !== part);
      if (error.code !== "aborted") this.complain(word("file_failed", { name: source.name, reason: error.message || word("offline") }));
    }
    this.draw();
    this.changed();
  }

  remove(part) {
    part.way.abort();
    this.parts = this.parts.filter((one) => one !== part);
    this.draw();
    this.changed();
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
    made.append(node("div", "", name, node("small", "", part.file ? size(part.source.size) : word("uploading"))));
    const away = node("button", "icon", icon(CROSS));
    away.type = "button";
    away.setAttribute("aria-label", word("remove_file", { name: part.source.name }));
    away.addEventListener("click", () => this.remove(part));
    made.append(away);
    if (!part.file) made.append((part.bar = Object.assign(node("progress"), { max: 1, value: part.share })));
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
