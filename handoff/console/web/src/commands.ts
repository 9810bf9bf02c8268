// Commands found by a few letters: in Russian or English, by beginnings of words, also typed in the other keyboard layout.
export type Command = {
  id: string;
  group: string;
  title: string;
  /** More words it is found by: its name in the other language. */
  words?: string;
  hint?: string;
  run: () => void;
};

const LATIN = "`qwertyuiop[]asdfghjkl;'zxcvbnm,.";
const CYRILLIC = "ёйцукенгшщзхъфывапролджэячсмитьбю";
const KEYS = new Map([...LATIN].flatMap((latin, at): [string, string][] => [[latin, CYRILLIC[at]!], [CYRILLIC[at]!, latin]])); // prettier-ignore

/** The same keys in the other layout: `pfzdrb` → `заявки`, `еылы` → `tsks`. */
export function otherLayout(text: string): string {
  return [...text.toLowerCase()].map((sign) => KEYS.get(sign) ?? sign).join("");
}

/** Small letters, ё as е, single spaces. */
export function folded(text: string): string {
  return text.toLowerCase().replaceAll("ё", "е").split(/\s+/u).filter(Boolean).join(" ");
}

const WORD = /[\p{L}\p{N}]+/gu;
const SAME = 120;
const WHOLE = 100;
const BEGINS = 80;
const WITHIN = 40;
const LETTERS = 20;
const SHORTEST = 3; // letters apart are a match only from so many on: two are in nearly everything

/** How well one word of a search fits a text, 0 when it does not. */
function fits(word: string, text: string): number {
  if (text.startsWith(word)) return WHOLE;
  const starts = [...text.matchAll(WORD)].map((found) => found.index);
  const begun = starts.findIndex((at) => text.startsWith(word, at));
  if (begun >= 0) return BEGINS - Math.min(begun, 10);
  if (word.length > 1 && text.includes(word)) return WITHIN;
  const initials = starts.map((at) => text[at]).join("");
  if (word.length > 1 && initials.includes(word)) return WITHIN - 5;
  return word.length >= SHORTEST && inOrder(word, text) ? LETTERS : 0;
}

/** Whether all letters are there in their order, the first at the beginning of a word, not far apart. */
function inOrder(word: string, text: string): boolean {
  for (const { index } of text.matchAll(WORD)) {
    let at = index;
    const there = [...word].every((letter, place) => {
      const next = place ? text.indexOf(letter, at) : text.startsWith(letter, at) ? at : -1;
      if (next < 0 || next - at > 4) return false;
      at = next + 1;
      return true;
    });
    if (there) return true;
  }
  return false;
}

/** How well a search fits a text: every word of it must. 0: not at all. */
export function score(search: string, text: string): number {
  const words = folded(search).split(" ").filter(Boolean);
  const found = words.map((word) => fits(word, folded(text)));
  if (words.length && words.join(" ") === folded(text)) return SAME;
  return found.length && found.every(Boolean) ? found.reduce((sum, one) => sum + one, 0) / found.length : 0;
}

/** The best of a command's names, as it is typed or as the same keys in the other layout. */
function best(search: string, command: Command): number {
  const names = [command.title, command.words ?? ""];
  const [typed, meant] = [search, otherLayout(search)].map((one) => Math.max(...names.map((name) => score(one, name))));
  return Math.max(typed ?? 0, (meant ?? 0) * 0.9);
}

/** Commands that fit, the best first; all of them in their order without a search. */
export function ranked(commands: readonly Command[], search: string): Command[] {
  if (!search.trim()) return [...commands];
  const scored = commands.map((command, at) => ({ command, at, score: best(search, command) }));
  const fitting = scored.filter((one) => one.score > 0);
  return fitting.sort((one, other) => other.score - one.score || one.at - other.at).map((one) => one.command);
}

/** `12`, `#12`, `№ 12` name a ticket; 0 for everything else. */
export function ticketNumber(search: string): number {
  const found = /^\s*[#№]?\s*(\d{1,9})\s*$/u.exec(search);
  return found ? Number(found[1]) : 0;
}

/** The place `step` away, round the ends; -1 in an empty list. */
export function moved(at: number, step: number, count: number): number {
  return count ? (at + step + count) % count : -1;
}
