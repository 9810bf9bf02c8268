// The stream of a talk as it is drawn: pages put together, our own words that are still on their way, dividers.
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Bubble = Schemas["Bubble"];
export type Note = Schemas["NoteView"];
export type Begins = Schemas["SessionBegins"];
export type Item = Bubble | Note | Begins;
/** Words that were sent by this page and have not come back yet. */
export type Pending = { key: string; text: string; note: boolean; at: string; failed: string; files: string[]; canned: number | null };

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
  const all = new Map([...known, ...fresh].map((item) => [nameOf(item), item]));
  return [...all.values()].sort((one, other) => when(one) - when(other) || RANK[one.type] - RANK[other.type] || placeOf(one) - placeOf(other));
}

function placeOf(item: Item): number {
  return item.type === "message" ? item.seq : item.type === "note" ? item.id : item.session.number;
}

/** The place of the last message, 0 without any. */
export function lastPlace(items: readonly Item[]): number {
  return items.reduce((last, item) => (item.type === "message" ? Math.max(last, item.seq) : last), 0);
}

/** A piece of formatted text. */
export type Piece = { text: string; kinds: string[]; url: string };

/** Text cut at the ends of its marks; places are code points, not UTF-16 units. Only web addresses become links. */
export function pieces(text: string, marks: Bubble["marks"]): Piece[] {
  const points = [...text];
  const cuts = [...new Set([0, points.length, ...marks.flatMap((mark) => [mark.start, mark.end])])]
    .filter((cut) => cut >= 0 && cut <= points.length)
    .sort((one, other) => one - other);
  return cuts.slice(0, -1).map((start, at) => {
    const end = cuts[at + 1] ?? points.length;
    const over = marks.filter((mark) => mark.start <= start && mark.end >= end);
    const url = over.map((mark) => mark.url).find((one) => /^https?:\/\//i.test(one)) ?? "";
    return { text: points.slice(start, end).join(""), kinds: over.map((mark) => mark.kind), url };
  });
}
