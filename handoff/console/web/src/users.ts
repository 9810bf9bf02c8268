// Accounts as forms have them: what one is in each line, and only what was changed.
import type { UserChange, UserView } from "@/api/client";

export const IN_LINES = ["operator", "supervisor"] as const;
export type Lines = Record<string, (typeof IN_LINES)[number]>;

/** Lines to choose for an account: those that there are, and those that it has although they are gone. */
export function linesToChoose(there: readonly { id: string; title: string }[], has: UserView["lines"]): { id: string; title: string }[] {
  const gone = Object.keys(has).filter((id) => !there.some((line) => line.id === id));
  return [...there.map(({ id, title }) => ({ id, title })), ...gone.map((id) => ({ id, title: id }))];
}

/** The lines with what one is in one of them now, nothing for not being there. */
export function withRole(lines: UserView["lines"], line: string, role: string): Lines {
  const others = Object.entries(lines).filter(([id]) => id !== line);
  return Object.fromEntries(role ? [...others, [line, role]] : others) as Lines;
}

const written = (lines: UserView["lines"]): string => JSON.stringify(Object.entries(lines).sort());

type Wanted = { title: string; role: UserView["role"]; lines: Lines; active: boolean };

/** What differs from the account as it is. */
export function changesOf(user: UserView, wanted: Wanted): UserChange {
  const changes: UserChange = {};
  if (wanted.title && wanted.title !== user.title) changes.title = wanted.title;
  if (wanted.role !== user.role) changes.role = wanted.role;
  if (written(wanted.lines) !== written(user.lines)) changes.lines = wanted.lines;
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
