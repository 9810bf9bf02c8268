// Numbers of reports as people read them, periods, charts, comparisons.
import { describe, expect, it } from "vitest";
import { before, type Cell, change, chartOf, heatOf, heightOf, length, type Metric, named, places, query, QUICK, quick, render, series, shapeOf, span, type Table, worth } from "@/reports"; // prettier-ignore

const metric = (unit: Metric["unit"], name = "m"): Metric => ({ name, title: "M", unit, about: "" });
const cell = (value: number | null, median: number | null = null): Cell => ({ metric: "m", count: 1, value, median, p90: null, total: null });
const table = (by: string, rows: Record<string, number | null>, more: object = {}): Table =>
  ({ name: "r", by, first: "2026-03-01", last: "2026-03-03", rows: Object.entries(rows).map(([key, value]) => ({ key, title: "", cells: [cell(value)] })), total: { key: "", title: "", cells: [] }, ...more }) as Table; // prettier-ignore

describe("a number", () => {
  it.each([
    ["count", 1204, null, "1,204"],
    ["share", 0.3333, null, "33.3\u00a0%"],
    ["share", 0, null, "0\u00a0%"],
    ["seconds", 100, 245, "4:05"],
    ["seconds", 7800, null, "2:10:00"],
    ["mean", 4.256, null, "4.26"],
  ] as const)("%s %d", (unit, value, median, said) => expect(render(cell(value, median), metric(unit), "en")).toBe(said));
  it("is a dash where there is nothing to divide", () => {
    expect(render(cell(null), metric("share"), "en")).toBe("—");
    expect(render(undefined, metric("count"), "en")).toBe("—");
  });
  it.each([[0, "0:00"], [59.6, "1:00"], [3599, "59:59"], [3600, "1:00:00"]])("%d seconds are %s", (seconds, said) =>
    expect(span(seconds)).toBe(said),
  );
  it("says what one session gives", () => {
    expect([worth(65, metric("seconds"), "en"), worth(0, metric("share"), "en"), worth(1, metric("count"), "en"), worth(3, metric("count"), "en")]).toEqual(["1:05", "—", "", "3"]);
  });
});

describe("a report", () => {
  it("asks for what was chosen", () => expect(query({ from: "2026-03-01", line: "", by: "day" }, { key: "а б" })).toBe("from=2026-03-01&by=day&key=%D0%B0+%D0%B1"));
  it("leaves gaps in a chart", () => {
    const rows = { rows: [{ key: "a", cells: [cell(60, 120)] }, { key: "b", cells: [] }] } as unknown as Table;
    expect(series(rows, metric("seconds"))).toEqual({ keys: ["a", "b"], values: [2, null] });
  });
});

describe("a period", () => {
  const TODAY = "2026-03-04"; // a Wednesday
  it.each([
    ["today", "2026-03-04", "2026-03-04"],
    ["yesterday", "2026-03-03", "2026-03-03"],
    ["week", "2026-03-02", "2026-03-04"],
    ["lastWeek", "2026-02-23", "2026-03-01"],
    ["days30", "2026-02-03", "2026-03-04"],
    ["month", "2026-03-01", "2026-03-04"],
    ["lastMonth", "2026-02-01", "2026-02-28"],
  ] as const)("%s", (name, from, to) => {
    expect(quick(name, TODAY)).toEqual({ from, to });
    expect(named({ from, to }, TODAY)).toBe(name);
  });
  it("has a name of its own each", () => expect(new Set(QUICK.map((one) => JSON.stringify(quick(one, TODAY)))).size).toBe(QUICK.length));
  it("is compared with as many days before", () => {
    expect(before({ from: "2026-03-02", to: "2026-03-04" })).toEqual({ from: "2026-02-27", to: "2026-03-01" });
    expect(length(before(quick("lastMonth", TODAY)))).toBe(28);
  });
  it("has all its days, weeks and months", () => {
    expect(places({ from: "2026-02-27", to: "2026-03-02" }, "day")).toEqual(["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]);
    expect(places({ from: "2025-12-27", to: "2026-01-06" }, "week")).toEqual(["2025-W52", "2026-W01", "2026-W02"]);
    expect(places({ from: "2026-01-31", to: "2026-03-01" }, "month")).toEqual(["2026-01", "2026-02", "2026-03"]);
  });
});

describe("a chart", () => {
  it.each([["day", "trend"], ["hour", "hours"], ["weekhour", "heat"], ["line", "bars"]])("by %s is %s", (by, shape) => expect(shapeOf(by)).toBe(shape));
  it("has a place for each day; nothing is zero for sums and a gap for shares", () => {
    expect(chartOf(table("day", { "2026-03-02": 5 }), metric("count"), (row) => row.key).values).toEqual([0, 5, 0]);
    expect(chartOf(table("day", { "2026-03-02": 0.5 }), metric("share"), (row) => row.key).values).toEqual([null, 50, null]);
  });
  it("of rows begins with the most", () => expect(chartOf(table("line", { a: 1, b: 3, c: null }), metric("count"), (row) => row.key.toUpperCase()).labels).toEqual(["B", "A", "C"]));
  it("of a week is as dark as it is busy", () => {
    const heat = heatOf(table("weekhour", { "1-09": 4, "7-23": 1 }), metric("count"));
    expect([heat.length, heat[0]!.length, heat[0]![9]!.part, heat[6]![23]!.part, heat[3]![12]!.part]).toEqual([7, 24, 1, 0.25, 0]);
  });
});

describe("a comparison", () => {
  const of = (name: string, unit: Metric["unit"], now: number | null, was: number | null): unknown => change(cell(now), cell(was), metric(unit, name));
  it("is in percent, shares in points", () => {
    expect(of("sessions", "count", 12, 10)).toEqual({ by: 20, mood: "plain" });
    expect(of("sla_resolve", "share", 0.75, 0.5)).toEqual({ by: 25, mood: "good" });
  });
  it("knows what is better", () => {
    expect(of("first_reply", "seconds", 60, 120)).toEqual({ by: -50, mood: "good" });
    expect(of("tickets_overdue", "share", 0.5, 0.25)).toEqual({ by: 25, mood: "bad" });
  });
  it("is none with nothing, and no change is said", () => {
    expect(of("sessions", "count", 3, 0)).toBeNull();
    expect(of("rating", "mean", null, 4)).toBeNull();
    expect(of("sessions", "count", 3, 3)).toEqual({ by: 0, mood: "plain" });
  });
});

describe("the height of a chart", () => {
  it.each([[2, true, 120], [10, true, 340], [10, false, 240]])("of %i rows, lying %j", (rows, lying, px) => expect(heightOf(rows, lying)).toBe(px)); // prettier-ignore
});
