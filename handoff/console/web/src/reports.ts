// Numbers of reports as people read them; periods; the address of a report; what charts are made of.
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Metric = Schemas["MetricView"];
export type Report = Schemas["ReportView"];
export type Table = Schemas["TableView"];
export type Row = Table["rows"][number];
export type Cell = Schemas["CellView"];
export type Behind = Schemas["BehindView"];
export type Asked = { from: string; to: string; by: string; line: string; channel: string; operator: string };

/** `1 204`, `37 %`, `4:05` (minutes and seconds), `2:10:00`. No number is a dash, never a zero. */
export function render(cell: Pick<Cell, "value" | "median"> | undefined, metric: Pick<Metric, "unit">, locale: string): string {
  if (!cell || cell.value === null) return "—";
  if (metric.unit === "share") return `${(cell.value * 100).toLocaleString(locale, { maximumFractionDigits: 1 })}\u00a0%`;
  if (metric.unit === "seconds") return span(cell.median ?? cell.value);
  return cell.value.toLocaleString(locale, { maximumFractionDigits: metric.unit === "mean" ? 2 : 0 });
}

export function span(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (part: number): string => String(part).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** The question as the API takes it; what is empty is left out. */
export function query(asked: Partial<Asked>, more: Record<string, string> = {}): string {
  const given = Object.entries({ ...asked, ...more }).filter(([, value]) => value);
  return new URLSearchParams(given as [string, string][]).toString();
}

export const cellOf = (row: Pick<Row, "cells">, metric: Metric): Cell | undefined => row.cells.find((one) => one.metric === metric.name);

/** A value as charts draw it: shares in percent, durations in minutes; gaps stay gaps. */
function drawn(cell: Cell | undefined, metric: Metric): number | null {
  if (!cell || cell.value === null) return null;
  return metric.unit === "share" ? cell.value * 100 : metric.unit === "seconds" ? (cell.median ?? cell.value) / 60 : cell.value;
}

/** Values of one number over the rows, for a chart. */
export function series(table: Table, metric: Metric): { keys: string[]; values: (number | null)[] } {
  return { keys: table.rows.map((row) => row.key), values: table.rows.map((row) => drawn(cellOf(row, metric), metric)) };
}

// --- periods ---

export type Period = { from: string; to: string };
export const QUICK = ["today", "yesterday", "week", "lastWeek", "days30", "month", "lastMonth"] as const;
export type Quick = (typeof QUICK)[number];
const DAY_MS = 86_400_000;

const utc = (day: string): number => Date.parse(`${day}T00:00:00Z`);
const iso = (at: number): string => new Date(at).toISOString().slice(0, 10);
export const shift = (day: string, days: number): string => iso(utc(day) + days * DAY_MS);
export const length = (period: Period): number => Math.round((utc(period.to) - utc(period.from)) / DAY_MS) + 1;

/** A period by its name. Weeks begin on Monday; what is under way ends today. */
export function quick(name: Quick, today: string): Period {
  const weekday = (new Date(utc(today)).getUTCDay() + 6) % 7;
  const month = `${today.slice(0, 7)}-01`;
  const before = shift(month, -1);
  const known: Record<Quick, Period> = {
    today: { from: today, to: today },
    yesterday: { from: shift(today, -1), to: shift(today, -1) },
    week: { from: shift(today, -weekday), to: today },
    lastWeek: { from: shift(today, -weekday - 7), to: shift(today, -weekday - 1) },
    days30: { from: shift(today, -29), to: today },
    month: { from: month, to: today },
    lastMonth: { from: `${before.slice(0, 7)}-01`, to: before },
  };
  return known[name];
}

/** Which name a period has, if any. */
export const named = (period: Period, today: string): Quick | undefined =>
  QUICK.find((name) => quick(name, today).from === period.from && quick(name, today).to === period.to);

/** As many days right before. */
export const before = (period: Period): Period => ({ from: shift(period.from, -length(period)), to: shift(period.from, -1) });

/** Every day, week or month of a period in order: days without anything are days, too. Months and weeks as the API names them. */
export function places(period: Period, by: string): string[] {
  const found: string[] = [];
  for (let day = period.from; day <= period.to; day = shift(day, 1)) {
    const key = by === "month" ? day.slice(0, 7) : by === "week" ? isoWeek(day) : day;
    if (found.at(-1) !== key) found.push(key);
  }
  return found;
}

function isoWeek(day: string): string {
  const thursday = shift(day, 3 - ((new Date(utc(day)).getUTCDay() + 6) % 7));
  const first = utc(`${thursday.slice(0, 4)}-01-01`);
  return `${thursday.slice(0, 4)}-W${String(Math.floor((utc(thursday) - first) / (7 * DAY_MS)) + 1).padStart(2, "0")}`;
}

// --- charts ---

const OF_TIME = ["day", "week", "month"];
export const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0"));
export const DAYS = ["1", "2", "3", "4", "5", "6", "7"];
export type Shape = "trend" | "hours" | "heat" | "bars";

/** How numbers by this are best seen: a course of time, a day's hours, a week's hours, or rows to compare. */
export const shapeOf = (by: string): Shape => (by === "weekhour" ? "heat" : by === "hour" ? "hours" : OF_TIME.includes(by) ? "trend" : "bars");

const ROW_PX = 30;

/** How high a chart is: known before it is drawn, so that nothing below it jumps. */
export const heightOf = (rows: number, lying: boolean): number => (lying ? Math.max(120, rows * ROW_PX + 40) : 240);

/** Rows by key with the gaps filled, so that a chart of time has no holes; other rows by what they come to, the most first. */
export function chartOf(table: Table, metric: Metric, name: (row: Row) => string): { keys: string[]; labels: string[]; values: (number | null)[] } {
  const shape = shapeOf(table.by);
  const empty = metric.unit === "count" || metric.unit === "different" ? 0 : null;
  if (shape === "bars") {
    const rows = table.rows.map((row) => ({ row, value: drawn(cellOf(row, metric), metric) })).sort((one, other) => (other.value ?? -1) - (one.value ?? -1));
    return { keys: rows.map((one) => one.row.key), labels: rows.map((one) => name(one.row)), values: rows.map((one) => one.value) };
  }
  const keys = shape === "trend" ? places({ from: table.first, to: table.last }, table.by) : HOURS;
  const known = new Map(table.rows.map((row) => [row.key, row]));
  const values = keys.map((key) => {
    const row = known.get(key);
    return row ? (drawn(cellOf(row, metric), metric) ?? empty) : empty;
  });
  return { keys, labels: keys, values };
}

/** A week's hours: a cell and how dark it is, from 0 to 1, for each hour of each day. */
export function heatOf(table: Table, metric: Metric): { key: string; cell: Cell | undefined; part: number }[][] {
  const known = new Map(table.rows.map((row) => [row.key, cellOf(row, metric)]));
  const most = Math.max(0, ...[...known.values()].map((cell) => drawn(cell, metric) ?? 0));
  return DAYS.map((day) =>
    HOURS.map((hour) => {
      const key = `${day}-${hour}`;
      const cell = known.get(key);
      return { key, cell, part: most ? (drawn(cell, metric) ?? 0) / most : 0 };
    }),
  );
}

// --- comparison ---

const LESS_IS_BETTER = new Set(
  "queue_time first_reply next_reply resolution abandoned left busy idle returned incomplete time_queue ticket_first_answer ticket_resolution tickets_reopened tickets_overdue line_closed".split(" "),
);
const MORE_IS_BETTER = new Set("contained sla_first_reply sla_next_reply sla_resolve rating ticket_rating".split(" "));

/** How a number changed: by which part of what it was (shares: by how many points), and whether that is good. */
export function change(now: Cell | undefined, was: Cell | undefined, metric: Metric): { by: number; mood: "good" | "bad" | "plain" } | null {
  const [one, other] = [drawn(now, metric), drawn(was, metric)];
  if (one === null || other === null) return null;
  const by = metric.unit === "share" ? one - other : other === 0 ? null : ((one - other) / other) * 100;
  if (by === null || Math.abs(by) < 0.05) return by === null ? null : { by: 0, mood: "plain" };
  const better = MORE_IS_BETTER.has(metric.name) ? by > 0 : LESS_IS_BETTER.has(metric.name) ? by < 0 : null;
  return { by, mood: better === null ? "plain" : better ? "good" : "bad" };
}

/** What one session or ticket gives to a number, in a list. */
export function worth(value: number, metric: Pick<Metric, "unit">, locale: string): string {
  if (metric.unit === "seconds") return span(value);
  if (metric.unit === "mean") return value.toLocaleString(locale, { maximumFractionDigits: 2 });
  return metric.unit === "share" ? (value ? "✓" : "—") : metric.unit === "count" && value !== 1 ? value.toLocaleString(locale) : "";
}
