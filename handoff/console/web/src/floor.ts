// What a supervisor may do with a session by putting it somewhere, and how the floor looks as soon as they have. Pure.
import type { Line } from "@/stores/lines";
import type { Row } from "@/stores/work";

export type OnLine = NonNullable<Line["people"]>[number];
export type Person = Omit<OnLine, "role"> & { roles: Record<string, OnLine["role"]> };
export type Target = { person: number } | { line: string };
export type Deed = { name: "assign" | "transfer" | "release"; line: string; person: number | null };
export type Against = "same" | "absent" | "closed" | "stranger";
export type Verdict = { deed: Deed; against?: undefined } | { deed?: undefined; against: Against };

export const THERE: readonly string[] = ["online", "busy"]; // who may be given a session
const ORDER = ["online", "busy", "break", "away", "offline"];

/** Everybody of the lines, each once, with their role in every line; those who are there first. */
export function peopleOf(lines: readonly Line[]): Person[] {
  const found = new Map<number, Person>();
  for (const line of lines) {
    for (const { role, ...one } of line.people ?? []) {
      const known = found.get(one.user);
      found.set(one.user, { ...one, roles: { ...known?.roles, [line.id]: role } });
    }
  }
  return [...found.values()].sort(
    (one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state) || one.title.localeCompare(other.title) || one.user - other.user,
  );
}

export const ownerOf = (row: Row): number => Number(row.operator?.id.replace("user:", "") ?? 0) || 0;

/** What putting a session at a place comes to, or what speaks against it. `shown` is the line that is looked at, if one is. */
export function verdict(row: Row, target: Target, lines: readonly Line[], people: readonly Person[], shown = ""): Verdict {
  return "line" in target ? toLine(row, target.line, lines) : toPerson(row, target.person, lines, people, shown);
}

function toLine(row: Row, id: string, lines: readonly Line[]): Verdict {
  const line = lines.find((one) => one.id === id);
  if (!line) return { against: "stranger" };
  if (row.line !== id) return line.open ? { deed: { name: "transfer", line: id, person: null } } : { against: "closed" };
  return ownerOf(row) ? { deed: { name: "release", line: id, person: null } } : { against: "same" };
}

function toPerson(row: Row, user: number, lines: readonly Line[], people: readonly Person[], shown: string): Verdict {
  const person = people.find((one) => one.user === user);
  if (!person) return { against: "stranger" };
  if (ownerOf(row) === user) return { against: "same" };
  if (!THERE.includes(person.state)) return { against: "absent" };
  if (row.line in person.roles) return { deed: { name: "assign", line: row.line, person: user } };
  const line = shown in person.roles ? shown : lines.find((one) => one.id in person.roles)?.id;
  return line ? { deed: { name: "transfer", line, person: user } } : { against: "stranger" };
}

/** The row as it will be, shown until the server says how it is. */
export function afterDeed(row: Row, deed: Deed, lines: readonly Line[], people: readonly Person[]): Row {
  const person = people.find((one) => one.user === deed.person);
  const line = lines.find((one) => one.id === deed.line);
  return {
    ...row,
    line: deed.line,
    line_title: line?.title ?? row.line_title,
    operator: person ? { id: `user:${person.user}`, title: person.title } : null,
    owner: person ? "operator" : "queue",
    status: person ? "assigned" : "queued",
    cause: "",
  };
}

export type Sorted = { queue: Row[]; having: Map<number, Row[]> };

/** Rows by where they are. The server's order is kept. */
export function sorted(rows: readonly Row[], line = ""): Sorted {
  const [queue, having] = [[] as Row[], new Map<number, Row[]>()];
  for (const row of rows) {
    if (line && row.line !== line) continue;
    const owner = ownerOf(row);
    if (!owner) queue.push(row);
    else having.set(owner, [...(having.get(owner) ?? []), row]);
  }
  return { queue, having };
}

/** Lists that were asked for one after the other may name a session twice: the younger word counts. */
export function unique(rows: readonly Row[]): Row[] {
  const found = new Map<number, Row>();
  for (const row of rows) if ((found.get(row.conversation)?.epoch ?? -1) < row.epoch) found.set(row.conversation, row);
  return [...found.values()];
}

/** The last words of client or operator; what the house itself has said is no news to anybody. */
export function wordsOf({ last }: Row, files: (count: number) => string): string {
  if (!last || last.author === "notice" || last.author === "bot") return "";
  return last.text || (last.attachments ? files(last.attachments) : "");
}

/** Whether words are found in what is known of a session; empty words are found everywhere. */
export function matches(row: Row, q: string): boolean {
  const wanted = q.trim().toLocaleLowerCase();
  return [row.client.name, row.last?.text ?? "", row.operator?.title ?? ""].some((text) => text.toLocaleLowerCase().includes(wanted));
}

export type Risk = { late: number; soon: number };

/** How many promises of each line are broken, or about to be. */
export function risks(items: readonly { line: string; due: { state: string } }[]): Map<string, Risk> {
  const found = new Map<string, Risk>();
  for (const { line, due } of items) {
    const risk = found.get(line) ?? { late: 0, soon: 0 };
    found.set(line, { late: risk.late + Number(due.state === "late"), soon: risk.soon + Number(due.state === "soon") });
  }
  return found;
}

/** How full somebody is, from 0 to 1; none without a limit. */
export function fullness(load: number, most: number): number | null {
  return most > 0 ? Math.min(1, load / most) : null;
}

type Cell = { metric: string; count: number; value: number | null };

/** Line → how many sessions of today ended without an answer of people, out of the report that defines it. */
export function abandoned(rows: readonly { key: string; cells: readonly Cell[] }[]): Map<string, number> {
  const cells = rows.map((row) => [row.key, row.cells.find((cell) => cell.metric === "abandoned")] as const);
  return new Map(cells.map(([key, cell]) => [key, Math.round((cell?.value ?? 0) * (cell?.count ?? 0))]));
}

/** A day as reports are asked for it, in the time zone of the deployment. */
export function dayOf(now: string, timezone: string): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: timezone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(now));
}
