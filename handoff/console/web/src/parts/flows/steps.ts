// What a step is called where there is little room, and which steps a table has.
import type { Box, Flow, Numbers } from "./figures";

/** The question itself says more than that there is one. */
export function caption(box: Box): string {
  const said = box.kind === "ask" || box.kind === "choose" ? (box.text.split("\n")[0] ?? "") : box.label;
  return box.name && said !== box.label ? `${box.name}: ${said}` : said || box.label;
}

export type Line = { key: string; number: number | null; kind: string; title: string; numbers: Numbers };

/** Steps that are counted, those of the diagram first, in the order of the file. */
export function lines(flow: Flow): Line[] {
  const ordered = [...flow.nodes].sort((one, other) => one.line - other.line || one.number - other.number);
  const drawn = ordered.flatMap((box) =>
    box.numbers ? [{ key: `n${box.number}`, number: box.number, kind: box.kind, title: caption(box), numbers: box.numbers }] : [],
  );
  const rest = flow.elsewhere.map((one) => ({ key: `e${one.step}`, number: null, kind: one.kind, title: one.step, numbers: one.numbers }));
  return [...drawn, ...rest];
}
