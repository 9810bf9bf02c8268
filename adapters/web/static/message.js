// One message as DOM.
import { day, time, word } from "./words.js";
import { anchor, icon, node, rich } from "./rich.js";
import { files } from "./files.js";
import { offer } from "./timeline.js";

const TICK = "M5 12.8l4.6 4.4L19 7.5";
const CLOCK = "M12 7.2v5.1l3.2 2M12 3.8a8.2 8.2 0 1 0 0 16.4 8.2 8.2 0 0 0 0-16.4z";
const PHONE = "M6.5 3.5l3 .6 1.2 4-2 1.7a12.5 12.5 0 0 0 5.5 5.5l1.7-2 4 1.2.6 3c0 1.5-1.2 2.6-2.6 2.5A15.4 15.4 0 0 1 4 6.1c-.1-1.4 1-2.6 2.5-2.6z";
const PIN = "M12 21s6.8-6.3 6.8-11.2a6.8 6.8 0 1 0-13.6 0C5.2 14.7 12 21 12 21zM12 12.3a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z";

const BACK = "M9.5 6.5L4.5 11.5l5 5M5 11.5h8.5a6 6 0 0 1 6 6";
const EMOJI = /^(?:(?:\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}\uFE0F]?(?:\u200D\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}\uFE0F]?)*|\p{RI}\p{RI})\s?){1,3}$/u;

/** A message in a few words, for those who reply to it. */
export function summary(item) {
  const said = item.text || item.phone || item.files?.map((file) => file.name).join(", ") || (item.place ? word("place") : word("a_file"));
  return Array.from(said.replace(/\s+/g, " ")).slice(0, 160).join("");
}

/** The list element of a message. `does` is {press, phone, place, retry, reply, show}. */
export function message(item, does) {
  const made = node("li", `item ${item.author} ${item.state}`);
  if (item.opensDay) made.append(node("div", "day", node("span", "", day(item.at))));
  made.append(node("span", "author", word(item.author === "client" ? "you" : item.author)));
  made.append(bubble(item, does));
  if (item.rows?.length) made.append(rows(item, does));
  if (item.state === "failed") made.append(problem(item, does));
  if (item.opensGroup) made.classList.add("first");
  if (item.opensDay) made.classList.add("opens");
  if (item.named) made.classList.add("named");
  return made;
}

function bubble(item, does) {
  const made = node("div", "bubble");
  made.dir = "auto";
  if (item.quote) made.append(quote(item.quote, does));
  if (item.files?.length) made.append(files(item.files));
  const text = item.gone ? node("p", "text", node("em", "", word("gone"))) : node("p", "text", rich(item.text ?? "", item.marks));
  if (EMOJI.test(item.text ?? "")) text.classList.add("large");
  made.append(text);
  if (item.phone) made.append(card(PHONE, item.phone));
  if (item.place) made.append(place(item.place));
  made.append(meta(item));
  if (item.seq && !item.gone && item.author !== "notice") made.append(reply(item, does));
  return made;
}

/** For hands and screen readers; at the keyboard it is Alt and an arrow, so that Tab need not pass every message. */
function reply(item, does) {
  const made = node("button", "icon answer", icon(BACK));
  Object.assign(made, { type: "button", tabIndex: -1, title: word("reply") });
  made.setAttribute("aria-label", word("reply"));
  made.addEventListener("click", () => does.reply(item));
  return made;
}

function quote({ id, text, author }, does) {
  const said = node("span", "", text || word("a_file"));
  const made = node("button", "quote", said);
  if (author && author !== "notice") made.prepend(node("b", "", word(author === "client" ? "you" : author)));
  Object.assign(made, { type: "button", dir: "auto", title: word("quoted") });
  made.addEventListener("click", () => does.show(id));
  return made;
}

function meta(item) {
  const stamp = node("time", "", time(item.at));
  stamp.dateTime = new Date(item.at * 1000).toISOString();
  const made = node("div", "meta", stamp);
  if (item.edited && !item.gone && item.author !== "notice") made.prepend(node("span", "", word("edited")));
  if (item.author === "client" && item.state !== "failed") {
    const waits = item.state === "sending";
    const mark = icon(waits ? CLOCK : TICK);
    mark.setAttribute("role", "img");
    mark.removeAttribute("aria-hidden");
    mark.setAttribute("aria-label", word(waits ? "sending" : "delivered"));
    made.append(mark);
  }
  return made;
}

function card(path, text) {
  const said = node("span", "", text);
  said.dir = "auto";
  return node("p", "card", icon(path), said);
}

function place([latitude, longitude]) {
  const where = `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
  const made = card(PIN, "");
  made.append(anchor(`https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=17/${latitude}/${longitude}`, where));
  made.classList.add("text");
  made.setAttribute("aria-label", word("place"));
  return made;
}

function problem(item, does) {
  const again = node("button", "", word("retry"));
  again.type = "button";
  again.addEventListener("click", () => does.retry(item.id));
  return node("p", "problem", node("span", "", item.reason || word("failed")), again);
}

function rows(item, does) {
  const made = node("div", "rows");
  for (const row of item.rows) made.append(node("div", "row", ...row.map((button) => press(item, button, does, made))));
  return made;
}

function press(item, button, does, place) {
  if (button.url) {
    const link = anchor(button.url, button.label);
    if (link) link.className = "press";
    return link ?? node("span", "press", button.label);
  }
  const made = node("button", "press", button.label);
  made.type = "button";
  made.dir = "auto";
  made.disabled = Boolean(item.chosen);
  if (item.chosen && item.chosen === offer(button)) {
    made.classList.add("chosen");
    made.prepend(icon(TICK));
    made.setAttribute("aria-pressed", "true");
  }
  made.addEventListener("click", () => act(button, does, place));
  return made;
}

function act(button, does, place) {
  if (button.ask === "contact") askPhone(place, does);
  else if (button.ask === "location") askPlace(place, does);
  else does.press(button);
}

/** A phone is typed: browsers have no contact card of their own. */
function askPhone(place, does) {
  if (place.querySelector(".ask")) return place.querySelector("input").focus();
  const input = node("input");
  Object.assign(input, { type: "tel", autocomplete: "tel", inputMode: "tel", required: true, maxLength: 32, placeholder: word("phone_hint") });
  input.setAttribute("aria-label", word("phone_label"));
  const yes = node("button", "press yes", word("share_phone"));
  const no = node("button", "press", word("cancel"));
  no.type = "button";
  const form = node("form", "ask", input, yes, no);
  no.addEventListener("click", () => form.remove());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!input.value.trim()) return;
    does.phone(input.value.trim());
    form.remove();
  });
  place.append(form);
  form.scrollIntoView({ block: "nearest" });
  input.focus({ preventScroll: true });
}

function askPlace(place, does) {
  place.querySelector(".hint")?.remove();
  const hint = node("p", "hint", word("locating"));
  hint.setAttribute("role", "status");
  place.append(hint);
  const sorry = () => (hint.textContent = word("no_location"));
  if (!navigator.geolocation) return sorry();
  const found = ({ coords }) => {
    hint.remove();
    does.place(coords.latitude, coords.longitude);
  };
  navigator.geolocation.getCurrentPosition(found, sorry, { timeout: 15000, maximumAge: 60000 });
}
