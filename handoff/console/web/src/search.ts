// The search as pages show it: what is asked, pieces of what was found, and the place where it is.
import type { RouteLocationRaw } from "vue-router";
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Found = Schemas["Found"];
export type FoundPage = Schemas["FoundPage"];

export const KINDS = ["message", "note", "fields", "ticket", "client"] as const;
export type Asked = { q: string; kind: string; line: string; channel: string; from: string; to: string };

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** The question of an address; what makes no sense there is left out. */
export function askedOf(query: Record<string, unknown>): Asked {
  const said = (name: string): string => (typeof query[name] === "string" ? query[name] : "");
  const day = (name: string): string => (DAY.test(said(name)) && !Number.isNaN(Date.parse(said(name))) ? said(name) : "");
  const kind = KINDS.find((one) => one === said("kind")) ?? "";
  return { q: said("q").slice(0, 200), kind, line: said("line"), channel: said("channel"), from: day("from"), to: day("to") };
}

/** The address of a question. */
export function addressOf(asked: Asked): Record<string, string> {
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value));
}

/** What the server is asked. Days are whole ones of the reader's clock, the last one included. */
export function paramsOf(asked: Asked, cursor = "", limit = 30): URLSearchParams {
  const { from, to, ...plain } = asked;
  const given = { ...plain, q: asked.q.trim(), limit: String(limit), cursor, from: from && beginOf(from, 0), to: to && beginOf(to, 1) };
  return new URLSearchParams(Object.entries(given).filter(([, value]) => value));
}

function beginOf(day: string, later: number): string {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}

export type Part = { text: string; hit: boolean };

/** Text cut where its marks begin and end; places are characters (code points), as the server counts them. */
export function parts(text: string, marks: readonly (readonly [number, number])[]): Part[] {
  const points = [...text];
  const found: Part[] = [];
  let at = 0;
  for (const [begin, end] of [...marks].sort((one, other) => one[0] - other[0])) {
    const from = Math.max(begin, at);
    const to = Math.min(end, points.length);
    if (to <= from) continue;
    if (from > at) found.push({ text: points.slice(at, from).join(""), hit: false });
    found.push({ text: points.slice(from, to).join(""), hit: true });
    at = to;
  }
  if (at < points.length) found.push({ text: points.slice(at).join(""), hit: false });
  return found;
}

/** Where a find is: a message or note in its talk, a ticket, a card. */
export function placeOf(found: Pick<Found, "kind" | "conversation" | "number">): RouteLocationRaw {
  if (found.kind === "ticket") return { name: "ticket", params: { number: String(found.number) } };
  if (found.kind === "client") return { name: "client", params: { id: String(found.number) } };
  const place: Record<string, string> = found.kind === "message" ? { seq: String(found.number) } : found.kind === "note" ? { note: String(found.number) } : {};
  return talkPlace(found.conversation, place);
}

/** A talk at a place of it: a message (`seq`), a note, the beginning of a session. */
export function talkPlace(conversation: number, place: Record<string, string> = {}): RouteLocationRaw {
  return { name: "work", params: { id: String(conversation) }, query: { view: "all", ...place } };
}
