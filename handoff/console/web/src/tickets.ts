// Tickets without a page: filters as the address has them, the columns of a board, deadlines, lines of a history.
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Ticket = Schemas["TicketItem"];
export type TicketPage = Schemas["TicketPageView"];
export type Desk = Schemas["DeskView"];
export type Count = Schemas["TicketCount"];
export type Entry = Schemas["TicketEntry"];
export type Group = Ticket["means"];
// How urgent a ticket is, in words of flows, which are stored as they are; none is as usual.
export const URGENCIES = ["низкая", "высокая", "срочная", "критическая"] as const;
export const GROUPS = ["open", "waiting", "done"] as const satisfies readonly Group[];

export const FILTERS = ["desk", "group", "assignee", "overdue", "line", "q"] as const;
export type Filter = Record<(typeof FILTERS)[number], string>;

/** What the address asks for; anything else in it is not ours. */
export function readFilter(query: Record<string, unknown>): Filter {
  const one = (name: string): string => (typeof query[name] === "string" ? (query[name] as string) : "");
  return Object.fromEntries(FILTERS.map((name) => [name, one(name)])) as Filter;
}

/** The filter as an address or a question has it: what is empty is left out. */
export function writeFilter(filter: Partial<Filter>, more: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries({ ...filter, ...more }).filter(([, value]) => value));
}

// --- the board ---

/** A column: a status of one desk, or with several desks a whole group. */
export type Column = { key: string; title: string; means: Group; desk: string; status: string };

/** The desk whose statuses make the columns; none where several are looked at together. */
export function deskOf(desks: readonly Desk[], filter: Filter): Desk | undefined {
  return desks.find((one) => one.desk === filter.desk) ?? (desks.length === 1 ? desks[0] : undefined);
}

/** The columns, open ones first. A status that the desk does not name, of an outer desk or of before, has one while it has tickets. */
export function columnsOf(desks: readonly Desk[], filter: Filter, counts: readonly Count[], titles: Record<Group, string>): Column[] {
  const desk = deskOf(desks, filter);
  const wanted = GROUPS.filter((group) => !filter.group || filter.group === group);
  if (!desk) return wanted.map((means) => ({ key: means, title: titles[means], means, desk: "", status: "" }));
  const named = desk.statuses.map((one) => ({ key: one.word, title: one.title, means: one.means, desk: desk.desk, status: one.word }));
  const known = new Set(named.map((one) => one.key));
  const others = counts.filter((one) => one.desk === desk.desk && one.count && !known.has(one.status));
  const more = others.map((one) => ({ key: one.status, title: one.status_title, means: one.means, desk: desk.desk, status: one.status }));
  return wanted.flatMap((group) => [...named, ...more].filter((one) => one.means === group));
}

export function countOf(column: Column, counts: readonly Count[]): number {
  const mine = counts.filter((one) => (column.status ? one.desk === column.desk && one.status === column.status : one.means === column.means));
  return mine.reduce((sum, one) => sum + one.count, 0);
}

/** What the server is asked for the cards of a column. Those that are solved: the last ones first. */
export function questionOf(column: Column, filter: Filter): Record<string, string> {
  const { group: _, ...rest } = filter;
  const which: Record<string, string> = column.status ? { desk: column.desk, status: column.status } : { group: column.means };
  return writeFilter(rest, { ...which, sort: column.means === "done" ? "updated" : "deadline" });
}

export const holds = (column: Column, ticket: Ticket): boolean =>
  column.status ? ticket.desk === column.desk && ticket.status === column.status : ticket.means === column.means;

/** The status that a ticket gets in a column: the column's, or the first of its group at the ticket's own desk. */
export function statusFor(column: Column, ticket: Ticket, desks: readonly Desk[]): { word: string; title: string; means: Group } | undefined {
  if (holds(column, ticket)) return undefined;
  if (column.status) return ticket.desk === column.desk ? { word: column.status, title: column.title, means: column.means } : undefined;
  return desks.find((one) => one.desk === ticket.desk)?.statuses.find((one) => one.means === column.means);
}

/** The next column in a direction to which a ticket can go. */
export function beside(columns: readonly Column[], ticket: Ticket, step: 1 | -1, desks: readonly Desk[]): Column | undefined {
  const at = columns.findIndex((one) => holds(one, ticket));
  for (let next = at + step; at >= 0 && next >= 0 && next < columns.length; next += step) {
    const column = columns[next]!;
    if (statusFor(column, ticket, desks)) return column;
  }
  return undefined;
}

// --- deadlines ---

export type DueState = "none" | "fine" | "soon" | "late" | "paused";
const SOON_S = 2 * 3600;

/** How it stands with the deadline, and how many seconds are left. */
export function dueOf(ticket: Pick<Ticket, "deadline" | "means">, now: number): { state: DueState; left: number } {
  if (!ticket.deadline || ticket.means === "done") return { state: "none", left: 0 };
  const left = (Date.parse(ticket.deadline) - now) / 1000;
  if (ticket.means === "waiting") return { state: "paused", left };
  return { state: left <= 0 ? "late" : left < SOON_S ? "soon" : "fine", left };
}

/** Working time as people say it: `8 ч`, `1 ч 5 мин`, `40 мин`. Hours are not made days: a day of work is no day. */
export function worked(seconds: number, unit: (name: "s" | "m" | "h", count: number) => string): string {
  const whole = Math.round(seconds);
  if (whole < 60) return unit("s", whole);
  const [hours, minutes] = [Math.floor(Math.round(whole / 60) / 60), Math.round(whole / 60) % 60];
  return [hours ? unit("h", hours) : "", minutes ? unit("m", minutes) : ""].filter(Boolean).join(" ");
}

// --- history ---

/** Something that happened, as the key of a sentence and what stands in it. */
export type Said = { key: string; values: Record<string, string | number> };
const SHOWN = 60; // letters of a value

/** What a line of the history says. `say` gives titles of statuses and moments. */
export function tellEntry(entry: Entry, say: { status: (word: string) => string; moment: (seconds: number) => string }): Said[] {
  const data = entry.data as Record<string, unknown>;
  const text = (name: string): string => String(data[name] ?? "");
  if (entry.what !== "changed") {
    const numbers = { number: text("number") || text("master"), session: text("session"), channel: text("channel"), instead: text("instead"), why: text("why") };
    return [{ key: entry.what === "untold" && text("instead") ? "untoldInstead" : entry.what, values: numbers }];
  }
  const found: Said[] = [];
  const add = (key: string, values: Said["values"] = {}): void => void found.push({ key, values });
  if ("status" in data) add("status", { to: say.status(text("status")) });
  if ("assignee" in data) add(text("assignee") ? "assigned" : "unassigned", { to: text("assignee_title") || text("assignee") });
  if ("deadline" in data) add(data.stood ? "deadlineMoved" : Number(data.deadline) ? "deadlineSet" : "deadlineNone", { to: say.moment(Number(data.deadline)) });
  for (const name of ["title", "priority", "category"]) if (name in data) add(`${name}Set`, { to: text(name).slice(0, SHOWN) || "—" });
  if ("fields" in data) add("fieldsSet", { to: Object.keys(data.fields as object).join(", ") });
  if ("files" in data) add("filesAdded", {});
  if ("outer_number" in data) add("outerNumber", { to: text("outer_number") });
  if ("rating" in data) add("rated", { to: text("rating") });
  if ("comment" in data) add("comment", {});
  return found.length ? found : [{ key: "changed", values: {} }];
}
