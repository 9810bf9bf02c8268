// What putting a session somewhere comes to, and how the floor looks then.
import { describe, expect, it } from "vitest";
import { abandoned, afterDeed, dayOf, fullness, matches, ownerOf, peopleOf, risks, sorted, unique, verdict } from "@/floor";
import type { Line } from "@/stores/lines";
import type { Row } from "@/stores/work";

const person = (user: number, title: string, state = "online", role = "operator"): object => ({ user, title, state, role, load: 1, max_sessions: 5, sessions: 1 });
const line = (id: string, people: object[], open = true): Line => ({ id, title: id.toUpperCase(), open, people }) as unknown as Line;
const row = (conversation: number, more: object = {}): Row =>
  ({ conversation, epoch: 1, line: "support", operator: null, status: "queued", owner: "queue", cause: "no_one_online", client: { name: "Мария" }, last: null, ...more }) as unknown as Row;
const anna = { id: "user:1", title: "Анна" };
const lines = [
  line("support", [person(1, "Анна"), person(2, "Борис", "away"), person(3, "Вера", "online", "supervisor")]),
  line("billing", [person(3, "Вера"), person(4, "Глеб")]),
  line("night", [], false),
];
const people = peopleOf(lines);

describe("people", () => {
  it("of several lines stand once, those who are there first", () => {
    expect(people.map((one) => one.title)).toEqual(["Анна", "Вера", "Глеб", "Борис"]);
    expect(people[1]!.roles).toEqual({ support: "supervisor", billing: "operator" });
  });
  it("are full by their limit", () => expect([fullness(3, 0), fullness(2, 4), fullness(9, 4)]).toEqual([null, 0.5, 1]));
});

describe("a session put", () => {
  const owned = row(1, { operator: anna, owner: "operator", status: "assigned" });
  it.each([
    ["on somebody of its line is assigned", row(1), { person: 3 }, { name: "assign", line: "support", person: 3 }],
    ["on somebody of another line is transferred to them", row(1), { person: 4 }, { name: "transfer", line: "billing", person: 4 }],
    ["on another line is transferred", owned, { line: "billing" }, { name: "transfer", line: "billing", person: null }],
    ["on its own line goes back to the queue", owned, { line: "support" }, { name: "release", line: "support", person: null }],
  ] as const)("%s", (_, what, where, deed) => expect(verdict(what, where, lines, people)).toEqual({ deed }));
  it.each([
    ["on who has it", owned, { person: 1 }, "same"],
    ["into the queue where it waits", row(1), { line: "support" }, "same"],
    ["on who is away", row(1), { person: 2 }, "absent"],
    ["on a line that is closed", row(1), { line: "night" }, "closed"],
    ["on nobody", row(1), { person: 99 }, "stranger"],
    ["nowhere", row(1), { line: "none" }, "stranger"],
  ] as const)("%s stays", (_, what, where, against) => expect(verdict(what, where, lines, people)).toEqual({ against }));
  it("goes to the line that is looked at, where somebody has several", () =>
    expect(verdict(row(1, { line: "night" }), { person: 3 }, lines, people, "billing").deed).toEqual({ name: "transfer", line: "billing", person: 3 }));
  it("is shown there at once", () => {
    const after = afterDeed(row(1), { name: "transfer", line: "billing", person: 4 }, lines, people);
    expect([after.line, after.line_title, ownerOf(after), after.status, after.cause]).toEqual(["billing", "BILLING", 4, "assigned", ""]);
    const back = afterDeed(owned, { name: "release", line: "support", person: null }, lines, people);
    expect([back.operator, back.status, back.owner]).toEqual([null, "queued", "queue"]);
  });
});

describe("rows", () => {
  it("stand in the queue or with whoever has them, in the server's order", () => {
    const found = sorted([row(3), row(1), row(2, { operator: anna }), row(4, { line: "billing" })], "support");
    expect(found.queue.map((one) => one.conversation)).toEqual([3, 1]);
    expect(found.having.get(1)!.map((one) => one.conversation)).toEqual([2]);
  });
  it("of two lists count once, the younger word wins", () =>
    expect(unique([row(1), row(1, { epoch: 2, status: "assigned" }), row(1, { epoch: 2, status: "held" })]).map((one) => one.status)).toEqual(["assigned"]));
  it("are found by the client, the words, the operator", () => {
    const one = row(1, { operator: anna, last: { text: "Где ЗАКАЗ?" } });
    expect(["", "мар", "заказ", " анна ", "нет"].map((q) => matches(one, q))).toEqual([true, true, true, true, false]);
  });
});

describe("numbers", () => {
  it("of risk stand by line", () =>
    expect(risks([{ line: "a", due: { state: "late" } }, { line: "a", due: { state: "soon" } }, { line: "b", due: { state: "late" } }])).toEqual(
      new Map([["a", { late: 1, soon: 1 }], ["b", { late: 1, soon: 0 }]]),
    ));
  it("of what was lost are the report's", () =>
    expect(abandoned([{ key: "a", cells: [{ metric: "abandoned", count: 8, value: 0.375 }] }, { key: "b", cells: [] }])).toEqual(new Map([["a", 3], ["b", 0]])));
  it("are of the day of the deployment", () => expect(dayOf("2027-01-15T22:30:00Z", "Europe/Moscow")).toBe("2027-01-16"));
});
