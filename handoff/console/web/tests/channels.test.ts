// Channels, webhooks and accounts as pages show them.
import { describe, expect, it } from "vitest";
import { age, aged, type Channel, dayEdge, processName, sized, skewOf, took, toneOf, withOffset, worstFirst } from "@/channels";
import { fits } from "@/users";

const unit = (name: string, count: number): string => `${count}${name}`;
const NOW = Date.parse("2027-01-15T08:00:00Z");

describe("ages", () => {
  it("count from the server's now", () => {
    expect(age("2027-01-15T07:59:00Z", NOW)).toBe(60);
    expect(aged("2027-01-15T07:48:00Z", NOW, unit)).toBe("12m");
  });
  it("are never negative, and a dash for never", () => {
    expect(age("2027-01-15T08:00:05Z", NOW)).toBe(0);
    expect(aged(null, NOW, unit)).toBe("—");
  });
  it("follow a clock that is off", () => expect(skewOf("2027-01-15T08:10:00Z", NOW)).toBe(600_000));
});

describe("numbers", () => {
  it.each([
    [0.0031, "3.1 ms"],
    [0.25, "250 ms"],
    [1.234, "1.2 sec"],
  ])("%d s", (seconds, text) => expect(took(seconds, "en")).toBe(text));
  it.each([
    [0, "0 byte"],
    [1536, "2 kB"],
    [5 * 1024 ** 2, "5 MB"],
    [2.5 * 1024 ** 3, "2.5 GB"],
  ])("%d bytes", (bytes, text) => expect(sized(bytes, "en")).toBe(text));
  it("know nothing", () => expect(sized(null, "en")).toBe("—"));
});

describe("order and tone", () => {
  const channel = (name: string, state: Channel["state"]): Channel => ({ name, state }) as Channel;
  it("puts what needs somebody first, and keeps the rest", () => {
    const all = [channel("a", "running"), channel("b", "off"), channel("c", "failing"), channel("d", "waiting"), channel("e", "running")];
    expect(worstFirst(all).map((one) => one.name)).toEqual(["c", "d", "a", "e", "b"]);
    expect(all[0]?.name).toBe("a");
  });
  it("has a tone for every state", () => expect((["running", "stopped", "waits", "unused"] as const).map(toneOf)).toEqual(["good", "bad", "warn", "soft"]));
});

describe("moments of forms", () => {
  it("get their offset", () => {
    expect(withOffset("2027-01-15T11:00")).toBe(new Date("2027-01-15T11:00").toISOString());
    expect(withOffset("")).toBeNull();
    expect(withOffset("soon")).toBeNull();
  });
  it("end a period behind its last day", () => {
    const [begin, end] = [dayEdge("2027-01-15"), dayEdge("2027-01-15", true)];
    expect(Date.parse(end!) - Date.parse(begin!)).toBe(86_400_000);
    expect(dayEdge("")).toBeNull();
  });
});

it("names a process by machine and number", () => expect(processName("desk-1:42:f00-abcd")).toBe("desk-1:42"));

describe("accounts", () => {
  const anna = { name: "anna", title: "Анна К.", role: "operator", lines: { support: "operator" }, active: true } as const;
  const none = { q: "", role: "", line: "", state: "" };
  it.each([
    [{}, true],
    [{ q: "анна" }, true],
    [{ q: "ANN" }, true],
    [{ q: "борис" }, false],
    [{ role: "admin" }, false],
    [{ line: "support", state: "active" }, true],
    [{ line: "billing" }, false],
    [{ state: "inactive" }, false],
  ])("%o", (wanted, found) => expect(fits(anna, { ...none, ...wanted })).toBe(found));
});
