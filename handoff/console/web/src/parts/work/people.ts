// People of a line as they are offered for a session: who is there first, then who has least.
import type { Offer } from "@/parts/work/Choice.vue";
import type { Line } from "@/stores/lines";

export type Worker = NonNullable<Line["people"]>[number];
type Words = (key: string, values?: Record<string, unknown> | number) => string;

export const THERE = ["online", "busy"];

/** Everybody of the lines but those of `but`, each once. */
export function workersOf(lines: readonly Line[], but: readonly number[] = []): Worker[] {
  const all = new Map(lines.flatMap((line) => line.people ?? []).map((one) => [one.user, one]));
  const there = (one: Worker): number => (THERE.includes(one.state) ? 0 : 1);
  return [...all.values()]
    .filter((one) => !but.includes(one.user))
    .sort((one, other) => there(one) - there(other) || one.load - other.load || one.title.localeCompare(other.title));
}

/** As rows to choose from; who is away cannot be given anything. */
export function peopleOffers(people: readonly Worker[], t: Words): Offer<number>[] {
  return people.map((one) => ({
    value: one.user,
    title: one.title,
    more: [t(`floor.is.${one.state}`), `${one.load}${one.max_sessions ? ` / ${one.max_sessions}` : ""}`].join(" · "),
    off: !THERE.includes(one.state),
  }));
}
