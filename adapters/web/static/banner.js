// The line above the messages: what hinders the chat, with a countdown where it goes on by itself.
import { seconds, word } from "./words.js";

const KINDS = ["offline", "wait", "note"]; // the first that has something to say is shown
const banner = document.getElementById("banner");
const text = document.getElementById("banner-text");
const timer = document.getElementById("countdown");
const notes = {};
let pulse = 0;

/** Says something, or with an empty text nothing any more; `until` (milliseconds since the epoch) ends it. */
export function tell(kind, what, until = 0) {
  notes[kind] = what ? { kind, what, until } : null;
  draw();
}

function draw() {
  clearInterval(pulse);
  const shown = KINDS.map((kind) => notes[kind]).find(Boolean);
  banner.hidden = !shown;
  if (text.textContent !== (shown?.what ?? "")) text.textContent = shown?.what ?? "";
  timer.textContent = "";
  if (!shown?.until) return;
  tick(shown);
  pulse = setInterval(() => tick(shown), 1000);
}

/** Readers of the screen hear the text once; the numbers are only to be seen. */
function tick({ kind, until }) {
  const left = Math.ceil((until - Date.now()) / 1000);
  if (left > 0) timer.textContent = word("wait", { time: seconds(left) });
  else tell(kind, "");
}
