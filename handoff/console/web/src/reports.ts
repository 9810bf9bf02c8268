// Numbers of reports as people read them; the address of a report; what a chart is made of.
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Metric = Schemas["MetricView"];
export type Table = Schemas["TableView"];
export type Cell = Schemas["CellView"];
export type Asked = { from: string; to: string; by: string; line: string; channel: string };

/** `1 204`, `37 %`, `4:05` (minutes and seconds), `2:10:00`. No number is a dash, never a zero. */
export function render(cell: Cell | undefined, metric: Metric, locale: string): string {
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

/** Values of one number over the rows, for a chart; gaps stay gaps. */
export function series(table: Table, metric: Metric): { keys: string[]; values: (number | null)[] } {
  const value = (cells: Cell[]): number | null => {
    const cell = cells.find((one) => one.metric === metric.name);
    if (!cell || cell.value === null) return null;
    return metric.unit === "share" ? cell.value * 100 : metric.unit === "seconds" ? (cell.median ?? cell.value) / 60 : cell.value;
  };
  return { keys: table.rows.map((row) => row.key), values: table.rows.map((row) => value(row.cells)) };
}
