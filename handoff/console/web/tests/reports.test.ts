// Numbers of reports as people read them.
import { describe, expect, it } from "vitest";
import { type Cell, type Metric, query, render, series, span, type Table } from "@/reports";

const metric = (unit: Metric["unit"]): Metric => ({ name: "m", title: "M", unit, about: "" });
const cell = (value: number | null, median: number | null = null): Cell => ({ metric: "m", count: 1, value, median, p90: null, total: null });

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
});

describe("a report", () => {
  it("asks for what was chosen", () => expect(query({ from: "2026-03-01", line: "", by: "day" }, { key: "а б" })).toBe("from=2026-03-01&by=day&key=%D0%B0+%D0%B1"));
  it("leaves gaps in a chart", () => {
    const table = { rows: [{ key: "a", cells: [cell(60, 120)] }, { key: "b", cells: [] }] } as unknown as Table;
    expect(series(table, metric("seconds"))).toEqual({ keys: ["a", "b"], values: [2, null] });
  });
});
