// What can be done in the working window: one list for buttons, menus, keys and the sheet that shows them.
import type { Binding } from "@/keys";

/** `now`: one call without a question; `form`: a form first; `place`: it is done beside the talk. */
export type Deed = { name: string; code: string; shift?: boolean; how: "now" | "form" | "place"; main?: boolean; always?: boolean };

/** Deeds under the path of a talk, in the order in which they are offered. `main` ones say what is to be done first. */
export const DEEDS: readonly Deed[] = [
  { name: "take", code: "KeyA", how: "now", main: true },
  { name: "accept", code: "KeyY", how: "now", main: true },
  { name: "send_back", code: "KeyX", how: "form", main: true },
  { name: "unhold", code: "KeyU", how: "now", main: true },
  { name: "end_loan", code: "KeyE", how: "now", main: true },
  { name: "transfer", code: "KeyT", how: "form", always: true },
  { name: "hold", code: "KeyH", how: "form", always: true },
  { name: "ticket", code: "KeyI", how: "form", always: true },
  { name: "close", code: "KeyC", how: "form", always: true },
  { name: "return", code: "KeyB", how: "now" },
  { name: "release", code: "KeyB", shift: true, how: "now" },
  { name: "assign", code: "KeyS", how: "form" },
  { name: "loan", code: "KeyL", how: "form" },
  { name: "to_bot", code: "KeyO", how: "form" },
  { name: "priority", code: "KeyP", how: "form" },
  { name: "set_field", code: "KeyF", how: "place" },
];

/** Keys of the window itself; `words` names what they do. */
export type Move = { name: string; codes: readonly string[]; shift?: boolean; shown: string; words: string };
export const MOVES: readonly Move[] = [
  { name: "down", codes: ["KeyJ", "ArrowDown"], shown: "J", words: "inTalk.keys.down" },
  { name: "up", codes: ["KeyK", "ArrowUp"], shown: "K", words: "inTalk.keys.up" },
  { name: "next", codes: ["KeyN"], shown: "N", words: "keys.next" },
  { name: "reply", codes: ["KeyR"], shown: "R", words: "keys.reply" },
  { name: "note", codes: ["KeyW"], shown: "W", words: "keys.note" },
  { name: "older", codes: ["KeyK"], shift: true, shown: "Shift+K", words: "inTalk.keys.older" },
  { name: "newer", codes: ["KeyJ"], shift: true, shown: "Shift+J", words: "inTalk.keys.newer" },
  { name: "more", codes: ["KeyM"], shown: "M", words: "inTalk.keys.more" },
  { name: "side", codes: ["KeyD"], shown: "D", words: "inTalk.keys.side" },
  { name: "search", codes: ["Slash"], shown: "/", words: "keys.search" },
  { name: "sheet", codes: ["Slash"], shift: true, shown: "?", words: "keys.sheet" },
];

/** Which of the deeds that the server allows are shown. Giving back one's own is `return`, also for who leads. */
export function offered(may: ReadonlySet<string>): Deed[] {
  return DEEDS.filter((deed) => may.has(deed.name) && !(deed.name === "release" && may.has("return")));
}

/** `A`, `Shift+B`: what stands on the key. */
export function shownKey(deed: Pick<Deed, "code" | "shift">): string {
  return (deed.shift ? "Shift+" : "") + deed.code.replace(/^Key/, "");
}

/** The way a deed is to be called: whose session it is makes a difference to `take`. */
export function wordsOf(deed: string, owner: string): string {
  return deed === "take" && (owner === "bot" || owner === "operator") ? `inTalk.act.take_${owner}` : `inTalk.act.${deed}`;
}

/** Priorities as the API knows them, and the number that a row shows for each. */
export const PRIORITIES = { low: -1, normal: 0, high: 1, urgent: 2, critical: 3 } as const;

export function priorityOf(number: number): keyof typeof PRIORITIES {
  if (number < 0) return "low";
  return (["normal", "high", "urgent", "critical"] as const)[Math.min(3, number)] ?? "normal";
}

/** All keys at work, for `keys.press`. */
export function bindingsOf(run: (deed: string) => void, moves: Record<string, () => void>, more: readonly Binding[] = []): Binding[] {
  const deeds = DEEDS.map((deed) => ({ code: deed.code, shift: deed.shift ?? false, run: () => run(deed.name) }));
  const rest = MOVES.flatMap((move) => move.codes.map((code) => ({ code, shift: move.shift ?? false, run: () => moves[move.name]?.() })));
  return [...deeds, ...rest, ...more];
}
