// Channels, webhooks and the house as people read them: ages, sizes, tones of states.
import type { components } from "@/api/schema";
import { short } from "@/time";

type Schemas = components["schemas"];
export type Channel = Schemas["ChannelView"];
export type Channels = Schemas["Channels"];
export type Trouble = Schemas["ChannelTrouble"];
export type Arrival = Schemas["ArrivalView"];
export type Step = Schemas["ChannelStep"];
export type Tested = Schemas["ChannelTested"];
export type House = Schemas["SystemView"];
export type Hook = Schemas["HookView"];
export type Hooks = Schemas["Hooks"];
export type Attempt = Schemas["HookAttempt"];

export type Tone = "good" | "warn" | "bad" | "soft";
export type Unit = (name: "s" | "m" | "h" | "d", count: number) => string;

const TONES: Record<Channel["state"] | Hook["state"], Tone> = {
  running: "good",
  works: "good",
  waiting: "warn",
  waits: "warn",
  failing: "bad",
  absent: "bad",
  stopped: "bad",
  off: "soft",
  unused: "soft",
  gone: "soft",
};

export const toneOf = (state: keyof typeof TONES): Tone => TONES[state];

/** Seconds from a moment until now; never less than none: clocks differ. */
export function age(at: string | null, now: number): number | null {
  return at === null ? null : Math.max(0, (now - new Date(at).getTime()) / 1000);
}

/** `12 мин`, a dash for never. */
export function aged(at: string | null, now: number, unit: Unit): string {
  const seconds = age(at, now);
  return seconds === null ? "—" : short(seconds, unit);
}

/** How far the clock of the server is ahead of ours, in milliseconds. */
export const skewOf = (server: string, ours: number): number => new Date(server).getTime() - ours;

/** What needs somebody comes first; else as the configuration has it. */
export function worstFirst(channels: readonly Channel[]): Channel[] {
  const rank: Record<Tone, number> = { bad: 0, warn: 1, good: 2, soft: 3 };
  return [...channels].sort((one, other) => rank[toneOf(one.state)] - rank[toneOf(other.state)]);
}

/** How long something took: `8 мс`, `1,2 с`. */
export function took(seconds: number, locale: string): string {
  const small = seconds < 1;
  const form = new Intl.NumberFormat(locale, {
    style: "unit",
    unit: small ? "millisecond" : "second",
    unitDisplay: "short",
    maximumFractionDigits: small ? (seconds < 0.01 ? 1 : 0) : 1,
  });
  return form.format(small ? seconds * 1000 : seconds);
}

const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** `12 МБ`: one unit is enough. */
export function sized(bytes: number | null, locale: string): string {
  if (bytes === null) return "—";
  const step = bytes < 1024 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log2(bytes) / 10));
  const form = new Intl.NumberFormat(locale, { style: "unit", unit: SIZES[step]!, unitDisplay: "short", maximumFractionDigits: step > 2 ? 1 : 0 });
  return form.format(bytes / 1024 ** step);
}

/** A process by the part of its name that people know: the machine and the number. */
export const processName = (name: string): string => name.split(":").slice(0, 2).join(":");

/** A moment of a form (`2026-01-31T09:00`, of this place) with its offset, null for none. */
export function withOffset(local: string): string | null {
  const when = new Date(local);
  return local && !Number.isNaN(when.getTime()) ? when.toISOString() : null;
}

/** A day of a form as the moment when it begins here; of the end of a period, when it ends. */
export function dayEdge(day: string, end = false): string | null {
  const when = new Date(`${day}T00:00`);
  if (!day || Number.isNaN(when.getTime())) return null;
  if (end) when.setDate(when.getDate() + 1);
  return when.toISOString();
}
