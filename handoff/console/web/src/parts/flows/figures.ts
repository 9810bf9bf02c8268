// Numbers of steps as a heat map: which measures there are, how hot a step is, and in what words the legend says so.
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Flow = Schemas["FlowView"];
export type Row = Schemas["FlowRow"];
export type Box = Schemas["NodeView"];
export type Numbers = Schemas["StepNumbers"];
export type Phrase = Schemas["PhraseView"];

/** Troubles are shares of those who came to the step; the rest is measured by the step that has the most. */
export const TROUBLES = ["lost", "wrong", "silent", "back", "cancelled", "digressed", "too_many", "errors"] as const;
export const PLAIN = ["entered", "answered", "handed"] as const;
export const MEASURES = [...TROUBLES.slice(0, 6), ...PLAIN, ...TROUBLES.slice(6)] as const;
export type Measure = (typeof MEASURES)[number];

/** Where a level begins: of a trouble as a share, of the rest as a part of the largest. Level 0 is nothing at all. */
const EDGES = { trouble: [0, 0.05, 0.15, 0.3], plain: [0, 0.25, 0.5, 0.75] } as const;
export const LEVELS = [0, 1, 2, 3, 4] as const;

export const isMeasure = (name: unknown): name is Measure => MEASURES.includes(name as Measure);
export const isTrouble = (measure: Measure): boolean => (TROUBLES as readonly string[]).includes(measure);

/** How often people stood at a step: they came, or came back. */
export const visits = (numbers: Numbers): number => numbers.entered + numbers.back;

export function valueOf(numbers: Numbers | null, measure: Measure): number | null {
  return numbers === null ? null : numbers[measure];
}

/** The part of those who stood at the step, null where nobody did or nothing is counted. */
export function shareOf(numbers: Numbers | null, measure: Measure): number | null {
  const value = valueOf(numbers, measure);
  return numbers === null || value === null || !visits(numbers) ? null : value / visits(numbers);
}

/** The largest value among steps: what plain measures are compared with. */
export function largest(all: readonly (Numbers | null)[], measure: Measure): number {
  return Math.max(0, ...all.map((one) => valueOf(one, measure) ?? 0));
}

/** 0 (nothing) to 4 (hottest); null for a step that does not have this number. */
export function levelOf(numbers: Numbers | null, measure: Measure, most: number): number | null {
  const value = valueOf(numbers, measure);
  if (value === null) return null;
  if (value === 0) return 0;
  const trouble = isTrouble(measure);
  const part = trouble ? (shareOf(numbers, measure) ?? 1) : value / Math.max(most, 1);
  return EDGES[trouble ? "trouble" : "plain"].filter((edge) => part > edge).length || 1;
}

export type Range = { level: number; from: number; to: number };

/** What each level of the legend stands for: shares in hundredths for troubles, whole numbers for the rest. */
export function legend(measure: Measure, most: number): Range[] {
  const trouble = isTrouble(measure);
  const edges = [...EDGES[trouble ? "trouble" : "plain"], 1];
  const scale = trouble ? 100 : most;
  const found: Range[] = [{ level: 0, from: 0, to: 0 }];
  for (let level = 1; level <= 4; level++) {
    const from = trouble ? (edges[level - 1] ?? 0) * scale : Math.floor((edges[level - 1] ?? 0) * scale) + 1;
    const to = trouble ? (edges[level] ?? 1) * scale : Math.floor((edges[level] ?? 1) * scale);
    if (trouble || from <= to) found.push({ level, from, to });
  }
  return found;
}

export function percent(part: number | null, locale: string): string {
  return part === null ? "—" : `${(part * 100).toLocaleString(locale, { maximumFractionDigits: part < 0.1 ? 1 : 0 })}\u00a0%`;
}

/** The short text on a box: a share for troubles that have one, else the number. */
export function shown(numbers: Numbers | null, measure: Measure, locale: string): string {
  const value = valueOf(numbers, measure);
  if (value === null) return "";
  const share = isTrouble(measure) ? shareOf(numbers, measure) : null;
  return share === null || value === 0 ? value.toLocaleString(locale) : `${value.toLocaleString(locale)} · ${percent(share, locale)}`;
}
