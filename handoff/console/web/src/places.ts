// The places at the edge: which belong together, in which order, and how they are drawn. A page of `router.ts` that is not
// named here stands with the last ones.
import type { IconName } from "@/parts/icons";
import { DRAWN } from "@/parts/icons";

export const GROUPS = {
  daily: ["work", "tickets", "board", "clients", "search", "mentions"],
  team: ["lines", "reports"],
  house: ["flows", "channels", "hooks", "tokens", "users", "audit"],
} as const;
export type Group = keyof typeof GROUPS;
export type Grouped = { group: Group; names: string[] };

/** The pages that somebody may open, group by group; groups without any are left out. */
export function grouped(names: readonly string[]): Grouped[] {
  const known: readonly string[] = Object.values(GROUPS).flat();
  const rest = names.filter((name) => !known.includes(name));
  const found = (Object.keys(GROUPS) as Group[]).map((group) => ({ group, names: (GROUPS[group] as readonly string[]).filter((name) => names.includes(name)) }));
  found[found.length - 1]!.names.push(...rest);
  return found.filter((one) => one.names.length > 0);
}

/** What stands in the bar of a phone: as many as fit, the daily ones first; the rest is behind its last button. */
export function barred(names: readonly string[], room = 4): string[] {
  return grouped(names)
    .flatMap((one) => one.names)
    .slice(0, room);
}

export function iconOf(name: string): IconName {
  return name in DRAWN ? (name as IconName) : "other";
}
