// The stream of a talk as it is drawn: pages put together, our own words that are still on their way, dividers.
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Bubble = Schemas["Bubble"];
export type Note = Schemas["NoteView"];
export type Begins = Schemas["SessionBegins"];
export type Item = Bubble | Note | Begins;
/** Words that were sent by this page and have not come back yet. */
export type Pending = { key: string; text: string; note: boolean; at: string; failed: string; files: string[]; canned: number | null; quote?: number | null; epoch?: number };

const RANK = { session: 0, message: 1, note: 2 };

/** A name that stays the same when an item is read again. */
export function nameOf(item: Item): string {
  if (item.type === "message") return `m${item.conversation}:${item.seq}`;
  return item.type === "note" ? `n${item.id}` : `s${item.conversation}:${item.session.number}`;
}

function when(item: Item): number {
  return Date.parse(item.type === "session" ? item.session.opened_at : item.at);
}

/** Items of two readings together, in their order; a later reading of the same item counts. */
export function merged(known: readonly Item[], fresh: readonly Item[]): Item[] {
  const all = [...new Map([...known, ...fresh].map((item) => [nameOf(item), item])).values()];
  const times = timesOf(all);
  const time = (item: Item): number => times.get(item) ?? when(item);
  return all.sort((one, other) => time(one) - time(other) || RANK[one.type] - RANK[other.type] || placeOf(one) - placeOf(other));
}

/** When each is to be shown. Messages of one talk keep their order, whatever their clocks said; a session begins with the
 * message that opened it, which may have waited for its turn. */
function timesOf(all: readonly Item[]): Map<Item, number> {
  const times = new Map<Item, number>();
  const latest = new Map<number, number>();
  const said = all.filter((item): item is Bubble => item.type === "message").sort((one, other) => one.seq - other.seq);
  for (const one of said) {
    const at = Math.max(when(one), latest.get(one.conversation) ?? 0);
    latest.set(one.conversation, at);
    times.set(one, at);
  }
  for (const item of all) if (item.type === "session") times.set(item, beginning(item, all, said, times));
  return times;
}

function beginning(begins: Begins, all: readonly Item[], said: readonly Bubble[], times: Map<Item, number>): number {
  const opened = when(begins);
  const before = all.find((one) => one.type === "session" && one.conversation === begins.conversation && one.session.number === begins.session.number - 1);
  const ended = before?.type === "session" && before.session.closed_at ? Date.parse(before.session.closed_at) : 0;
  if (before && !ended) return opened;
  const earlier = said.filter((one) => one.conversation === begins.conversation && (times.get(one) ?? 0) < opened && (times.get(one) ?? 0) > ended);
  const first = earlier.reverse().findIndex((one) => one.author !== "client");
  const opening = earlier[(first < 0 ? earlier.length : first) - 1];
  return opening ? Math.min(opened, times.get(opening) ?? opened) : opened;
}

function placeOf(item: Item): number {
  return item.type === "message" ? item.seq : item.type === "note" ? item.id : item.session.number;
}

/** The place of the last message, 0 without any; of one talk where it is named. */
export function lastPlace(items: readonly Item[], conversation = 0): number {
  const here = (item: Item): item is Bubble => item.type === "message" && (!conversation || item.conversation === conversation);
  return items.reduce((last, item) => (here(item) ? Math.max(last, item.seq) : last), 0);
}

/** A part of the stream as it is drawn: one item, or what the bot and the client said before a person came. */
export type Part = { type: "item"; name: string; item: Item } | { type: "bot"; name: string; conversation: number; session: number; items: Bubble[] };

const WORTH = 3; // fewer messages are not worth folding

/** The stream with the bot's part of each session folded; not of one that the bot has now. `live` says so of the session under
 * which a message stands: its number, 0 for one that began above, and its status when it was read. */
export function folded(items: readonly Item[], live: (conversation: number, session: number, status: string) => boolean): Part[] {
  const parts: Part[] = [];
  const sessions = new Map<number, { number: number; status: string }>();
  const open = new Map<number, number>(); // talk → where its bot's part stands in `parts`
  for (const item of items) {
    if (item.type === "session") {
      sessions.set(item.conversation, item.session);
      open.delete(item.conversation);
      parts.push({ type: "item", name: nameOf(item), item });
      continue;
    }
    const session = sessions.get(item.conversation) ?? { number: 0, status: "" };
    const bots = item.type === "message" && (item.author === "bot" || item.author === "client");
    const place = open.get(item.conversation);
    if (bots && place !== -1 && !live(item.conversation, session.number, session.status)) {
      const begun = place === undefined ? undefined : parts[place];
      if (begun?.type === "bot") begun.items.push(item);
      else {
        open.set(item.conversation, parts.length);
        parts.push({ type: "bot", name: `b${item.conversation}:${item.seq}`, conversation: item.conversation, session: session.number, items: [item] });
      }
    } else {
      if (item.type === "message") open.set(item.conversation, -1); // a person has spoken, or the house for one
      parts.push({ type: "item", name: nameOf(item), item });
    }
  }
  return parts.flatMap(settled);
}

/** What the client said after the bot's last word is for people to read; a short part stays as it is. */
function settled(part: Part): Part[] {
  if (part.type === "item") return [part];
  const end = part.items.reduce((last, item, at) => (item.author === "bot" ? at + 1 : last), 0);
  const alone = (items: Bubble[]): Part[] => items.map((item) => ({ type: "item", name: nameOf(item), item }));
  if (end < WORTH) return alone(part.items);
  return [{ ...part, items: part.items.slice(0, end) }, ...alone(part.items.slice(end))];
}

/** Whether two readings of the end of a talk touch; where they do not, something between them was never read. */
export function touches(known: readonly Item[], fresh: readonly Item[]): boolean {
  const names = new Set(known.map(nameOf));
  return !known.length || fresh.some((item) => names.has(nameOf(item)));
}

// What the messengers and we say when a message does not go out → why, in our own words.
const CAUSES: readonly [RegExp, string][] = [
  [/a person has taken over/i, "tookOver"],
  [/blocked|kicked|suspended|^(900|901|902) |chat\.denied|denied/i, "blocked"],
  [/deactivated|deleted|^18 /i, "deactivated"],
  [/chat not found|user not found|peer_id_invalid|not found/i, "noChat"],
  [/rights|forbidden|^403/i, "noRights"],
  [/channel is off/i, "off"],
  [/too long|^914 /i, "tooLong"],
  [/file|photo|document|media/i, "file"],
  [/too many requests|^429|flood/i, "slow"],
  [/window|24 hours|^950 /i, "window"],
  [/no answer|connection|time(d )?out|interrupted|unknown|died|lost/i, "unknown"],
];

/** The name of the cause behind the words of a messenger; empty without any. */
export function causeOf(reason: string, state = ""): string {
  const found = CAUSES.find(([words]) => words.test(reason))?.[1];
  if (found) return found;
  if (state === "unknown") return "unknown";
  return reason ? "other" : "";
}

/** A piece of formatted text. */
export type Piece = { text: string; kinds: string[]; url: string };

/** Text cut at the ends of its marks; places are code points, not UTF-16 units. Only web addresses become links. */
export function pieces(text: string, marks: Bubble["marks"]): Piece[] {
  const points = [...text];
  const cuts = [...new Set([0, points.length, ...marks.flatMap((mark) => [mark.start, mark.end])])]
    .filter((cut) => cut >= 0 && cut <= points.length)
    .sort((one, other) => one - other);
  return cuts.slice(0, -1).flatMap((start, at) => {
    const end = cuts[at + 1] ?? points.length;
    const over = marks.filter((mark) => mark.start <= start && mark.end >= end);
    const url = over.map((mark) => mark.url).find((one) => /^https?:\/\//i.test(one)) ?? "";
    const piece = { text: points.slice(start, end).join(""), kinds: over.map((mark) => mark.kind), url };
    return url || over.some((mark) => mark.kind === "link" || mark.kind === "code") ? [piece] : addresses(piece);
  });
}

/** Web addresses that stand in the text itself; what ends a sentence is no part of them. */
function addresses(piece: Piece): Piece[] {
  const found = piece.text.split(/(https?:\/\/[^\s<>"'«»]+[^\s<>"'«»).,;:!?])/i);
  return found.map((text, at) => ({ ...piece, text, url: at % 2 ? text : "" })).filter((one) => one.text || found.length === 1);
}
