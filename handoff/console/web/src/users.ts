// Accounts as forms have them: lines in one line of text, and only what was changed.
import type { UserChange, UserView } from "@/api/client";

export type Lines = Record<string, "operator" | "supervisor">;
const SUPERVISES = "*"; // behind the name of a line

/** `support*, billing` → supervisor of one, operator of the other. */
export function parseLines(text: string): Lines {
  const names = text.split(",").map((name) => name.trim());
  const given = names.filter((name) => name.replaceAll(SUPERVISES, "").trim());
  return Object.fromEntries(
    given.map((name) => [name.replaceAll(SUPERVISES, "").trim(), name.endsWith(SUPERVISES) ? "supervisor" : "operator"]),
  );
}

export function renderLines(lines: UserView["lines"]): string {
  return Object.entries(lines)
    .map(([line, role]) => (role === "supervisor" ? line + SUPERVISES : line))
    .join(", ");
}

type Wanted = { title: string; role: UserView["role"]; lines: Lines; active: boolean };

/** What differs from the account as it is. */
export function changesOf(user: UserView, wanted: Wanted): UserChange {
  const changes: UserChange = {};
  if (wanted.title && wanted.title !== user.title) changes.title = wanted.title;
  if (wanted.role !== user.role) changes.role = wanted.role;
  if (renderLines(wanted.lines) !== renderLines(user.lines)) changes.lines = wanted.lines;
  if (wanted.active !== user.active) changes.active = wanted.active;
  return changes;
}

export type Filters = { q: string; role: string; line: string; state: string };

/** Whether an account is among those looked for; what is empty does not matter. */
export function fits(user: Pick<UserView, "name" | "title" | "role" | "lines" | "active">, wanted: Filters): boolean {
  const q = wanted.q.trim().toLowerCase();
  return (
    (!q || `${user.title} ${user.name}`.toLowerCase().includes(q)) &&
    (!wanted.role || user.role === wanted.role) &&
    (!wanted.line || wanted.line in user.lines) &&
    (!wanted.state || user.active === (wanted.state === "active"))
  );
}
