// YAML in colours: each line as parts whose texts together are the line. No HTML is made of anything.
export type Kind = "plain" | "comment" | "key" | "dash" | "text" | "value" | "hole";
export type Part = { kind: Kind; text: string; marked: boolean };
export type Found = { line: number; column: number; length: number };

const TOKENS =
  /(?<comment>(?:^|(?<=\s))#.*$)|(?<hole>\{\{.*?\}\})|(?<text>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')|(?<dash>(?<=^\s*)-(?=\s|$))|(?<key>[^\s"'[\]{},#:][^"'[\]{},#:]*?(?=\s*:(?:\s|$)))|(?<value>(?<=[\s[,:])(?:true|false|\d+(?:[.:]\d+)*[smhd]?)(?=\s*(?:$|[,\]}#])))/gu;
const KINDS: readonly Kind[] = ["comment", "hole", "text", "dash", "key", "value"];

/** The parts of one line. */
export function paint(line: string): Part[] {
  const found: Part[] = [];
  let at = 0;
  for (const match of line.matchAll(TOKENS)) {
    if (match.index > at) found.push(part("plain", line.slice(at, match.index)));
    const kind = KINDS.find((one) => match.groups?.[one] !== undefined) ?? "plain";
    found.push(part(kind, match[0]));
    at = match.index + match[0].length;
  }
  if (at < line.length) found.push(part("plain", line.slice(at)));
  return found;
}

const part = (kind: Kind, text: string): Part => ({ kind, text, marked: false });

/** The parts with what a finding is about marked: `column` from 1, in letters; a finding without a length marks one word. */
export function mark(parts: readonly Part[], finding: Found): Part[] {
  const line = parts.map((one) => one.text).join("");
  const begin = units(line, finding.column - 1);
  const word = /^\S*/u.exec(line.slice(begin))?.[0].length ?? 0;
  const end = finding.length ? units(line, finding.column - 1 + finding.length) : begin + Math.max(word, 1);
  const found: Part[] = [];
  let at = 0;
  for (const one of parts) {
    const cuts = [0, begin - at, end - at, one.text.length].map((cut) => Math.min(Math.max(cut, 0), one.text.length));
    for (let n = 0; n < 3; n++) {
      const text = one.text.slice(cuts[n], cuts[n + 1]);
      if (text) found.push({ ...one, text, marked: one.marked || n === 1 });
    }
    at += one.text.length;
  }
  return found;
}

/** Letters → units of JavaScript's strings: the server counts characters. */
function units(line: string, letters: number): number {
  return [...line].slice(0, Math.max(letters, 0)).join("").length;
}

/** One line of `triggers:` for several phrases; those that only `exact` can catch get a line of their own. */
export function snippet(phrases: readonly { trigger: string; quoted: string }[]): string {
  const line = (kind: string): string => {
    const mine = phrases.filter((one) => one.trigger === kind).map((one) => one.quoted);
    return mine.length ? `- ${kind}: [${mine.join(", ")}]` : "";
  };
  return [line("words"), line("exact")].filter((one) => one).join("\n");
}
