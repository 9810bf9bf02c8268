// Tickets without a page: filters, columns, moves, deadlines, history.
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Problem } from "@/api/client";
import { useBoard } from "@/stores/board";
import { beside, type Column, columnsOf, type Count, countOf, type Desk, dueOf, type Entry, holds, questionOf, readFilter, statusFor, tellEntry, type Ticket, worked, writeFilter } from "@/tickets"; // prettier-ignore

const asked = vi.hoisted(() => vi.fn());
vi.mock("@/api/client", async (real) => ({ ...(await real<object>()), ask: asked }));

const TITLES = { open: "Открыта", waiting: "Ждёт", done: "Решена" };
const desk = (name: string, statuses: [string, Ticket["means"]][]): Desk =>
  ({ desk: name, title: name.toUpperCase(), outer: false, needs: [], categories: [], statuses: statuses.map(([word, means]) => ({ word, title: word, means })) }) as Desk; // prettier-ignore
const RETURNS = desk("returns", [["new", "open"], ["ask", "waiting"], ["check", "open"], ["paid", "done"]]); // prettier-ignore
const GENERAL = desk("general", [["new", "open"], ["done", "done"]]); // prettier-ignore
const ticket = (number: number, status = "new", means: Ticket["means"] = "open", of = "returns"): Ticket =>
  ({ number, desk: of, status, status_title: status, means, version: 1, title: `T${number}`, deadline: null }) as Ticket;
const count = (status: string, means: Ticket["means"], n: number, of = "returns"): Count => ({ desk: of, status, status_title: status, means, count: n });
const filter = (more: Record<string, string> = {}): ReturnType<typeof readFilter> => readFilter({ desk: "returns", ...more });

describe("the address", () => {
  it("is read and written without what is not ours", () => {
    const found = readFilter({ desk: "a", q: "чай ник", open: "1", overdue: ["x"] });
    expect(found).toMatchObject({ desk: "a", q: "чай ник", overdue: "" });
    expect(writeFilter(found)).toEqual({ desk: "a", q: "чай ник" });
  });
});

describe("columns", () => {
  const of = (desks: Desk[], wanted: Record<string, string>, counts: Count[] = []): Column[] => columnsOf(desks, readFilter(wanted), counts, TITLES);
  it("are the statuses of a desk, open ones first", () => expect(of([RETURNS], {}).map((one) => one.key)).toEqual(["new", "check", "ask", "paid"]));
  it("are the groups of several desks", () => expect(of([RETURNS, GENERAL], {}).map((one) => one.title)).toEqual(["Открыта", "Ждёт", "Решена"]));
  it("show a status that the desk does not name, while it has tickets", () => {
    const found = of([RETURNS], {}, [count("odd", "open", 2), count("gone", "done", 0), count("else", "open", 1, "general")]);
    expect(found.map((one) => one.key)).toEqual(["new", "check", "odd", "ask", "paid"]);
  });
  it("are fewer for one group", () => expect(of([RETURNS], { group: "open" }).map((one) => one.key)).toEqual(["new", "check"]));
  it("count what they hold", () => {
    const counts = [count("new", "open", 2), count("new", "open", 5, "general"), count("ask", "waiting", 1)];
    expect(of([RETURNS], {}).map((one) => countOf(one, counts))).toEqual([2, 0, 1, 0]);
    expect(of([RETURNS, GENERAL], {}).map((one) => countOf(one, counts))).toEqual([7, 1, 0]);
  });
  it("ask the server for their own, solved ones by their last change", () => {
    const [first, , , last] = of([RETURNS], { desk: "returns" }) as [Column, Column, Column, Column];
    expect(questionOf(first, filter({ group: "open", assignee: "me" }))).toEqual({ desk: "returns", assignee: "me", status: "new", sort: "deadline" });
    expect(questionOf(last, filter())).toMatchObject({ status: "paid", sort: "updated" });
  });
});

describe("a move", () => {
  const columns = columnsOf([RETURNS], filter(), [], TITLES);
  const groups = columnsOf([RETURNS, GENERAL], readFilter({}), [], TITLES);
  it("goes to the next column", () => {
    expect(beside(columns, ticket(1), 1, [RETURNS])?.key).toBe("check");
    expect(beside(columns, ticket(1), -1, [RETURNS])).toBeUndefined();
  });
  it("passes over groups that the ticket's desk does not have", () => expect(beside(groups, ticket(1, "new", "open", "general"), 1, [RETURNS, GENERAL])?.key).toBe("done"));
  it("takes the first status of a group", () => expect(statusFor(groups[1]!, ticket(1), [RETURNS, GENERAL])?.word).toBe("ask"));
  it("is none to where the ticket is", () => {
    expect(holds(columns[0]!, ticket(1))).toBe(true);
    expect(statusFor(columns[0]!, ticket(1), [RETURNS])).toBeUndefined();
  });
});

describe("the board", () => {
  const server = new Map<number, Ticket>();
  const answer = (method: string, path: string, body?: { version: number; status: string }): unknown => {
    const all = [...server.values()];
    if (path.startsWith("/tickets/counts")) {
      const kinds = new Map<string, Count>();
      for (const one of all) kinds.set(one.status, count(one.status, one.means, (kinds.get(one.status)?.count ?? 0) + 1));
      return { items: [...kinds.values()] };
    }
    if (method === "PATCH") {
      const found = server.get(Number(path.split("/")[2]))!;
      if (found.version !== body!.version) throw new Problem(409, "ticket-changed", "");
      const means = RETURNS.statuses.find((one) => one.word === body!.status)!.means;
      server.set(found.number, { ...found, status: body!.status, means, version: found.version + 1 });
      return { version: found.version + 1 };
    }
    const asked = new URLSearchParams(path.split("?")[1]);
    const [limit, from] = [Number(asked.get("limit")), Number(asked.get("cursor") ?? 0)];
    const found = all.filter((one) => one.status === asked.get("status"));
    return { items: found.slice(from, from + limit), next: found.length > from + limit ? String(from + limit) : null };
  };
  const numbers = (key: string): number[] => {
    const board = useBoard();
    return board.of(board.columns.find((one) => one.key === key)!).items.map((one) => one.number);
  };
  const column = (key: string): Column => useBoard().columns.find((one) => one.key === key)!;

  beforeEach(async () => {
    setActivePinia(createPinia());
    server.clear();
    for (let number = 1; number <= 40; number++) server.set(number, ticket(number));
    asked.mockImplementation((...given: [string, string, never]) => Promise.resolve().then(() => answer(...given)));
    await useBoard().load(filter(), [RETURNS], TITLES);
  });

  it("brings columns page by page", async () => {
    expect(numbers("new")).toHaveLength(30);
    await useBoard().more(column("new"));
    expect(numbers("new")).toHaveLength(40);
    expect(useBoard().count(column("new"))).toBe(40);
  });
  it("shows a move before the server has answered", async () => {
    const board = useBoard();
    const going = board.move(board.find(3)!, column("check"));
    expect(numbers("check")).toEqual([3]);
    expect([board.count(column("new")), board.count(column("check"))]).toEqual([39, 1]);
    expect(await going).toBe(true);
    expect(board.find(3)?.version).toBe(2);
  });
  it("takes a move back when somebody was faster, and shows what they did", async () => {
    const board = useBoard();
    server.set(3, { ...ticket(3, "ask", "waiting"), version: 2 });
    await expect(board.move(board.find(3)!, column("check"))).rejects.toMatchObject({ name: "ticket-changed" });
    expect(numbers("new")).toContain(3);
    await board.refresh(new Set([3]));
    expect([numbers("ask"), numbers("check"), numbers("new").includes(3)]).toEqual([[3], [], false]);
  });
  it("keeps a move that is under way when the list comes anew", async () => {
    const board = useBoard();
    let answered = (): void => undefined;
    asked.mockImplementation((method: string, path: string, body: never) =>
      method === "PATCH" ? new Promise((done) => (answered = () => done(answer(method, path, body)))) : Promise.resolve(answer(method, path, body)),
    );
    const going = board.move(board.find(3)!, column("check"));
    await board.refresh(new Set([3]));
    expect([numbers("check"), numbers("new").includes(3)]).toEqual([[3], false]);
    answered();
    await going;
  });
  it("asks again only for columns that changed", async () => {
    server.set(5, { ...ticket(5, "paid", "done"), version: 2 });
    asked.mockClear();
    await useBoard().refresh(new Set([5]));
    const lists = asked.mock.calls.map((call) => String(call[1])).filter((path) => path.includes("status="));
    expect(lists.map((path) => new URLSearchParams(path.split("?")[1]).get("status"))).toEqual(["new", "paid"]);
  });
});

describe("a deadline", () => {
  const NOW = Date.parse("2026-03-02T12:00:00Z");
  it.each([
    ["2026-03-02T11:00:00Z", "open", "late"],
    ["2026-03-02T13:00:00Z", "open", "soon"],
    ["2026-03-03T13:00:00Z", "open", "fine"],
    ["2026-03-02T11:00:00Z", "waiting", "paused"],
    ["2026-03-02T11:00:00Z", "done", "none"],
    [null, "open", "none"],
  ] as const)("of %s, %s, is %s", (deadline, means, state) => expect(dueOf({ deadline, means }, NOW).state).toBe(state));
  it.each([[28_800, "8h"], [3900, "1h 5m"], [59, "59s"], [100 * 3600, "100h"]])("%d seconds of work are %s", (seconds, said) =>
    expect(worked(seconds, (name, n) => `${n}${name}`)).toBe(said),
  );
});

describe("history", () => {
  const say = { status: (word: string): string => `«${word}»`, moment: (seconds: number): string => `@${seconds}` };
  const entry = (what: string, data: object = {}): Entry => ({ at: "", what, by: "user:1", by_title: "Анна", data }) as Entry;
  const told = (one: Entry): string[] => tellEntry(one, say).map((it) => `${it.key} ${it.values.to ?? it.values.number ?? ""}`.trim());
  it("tells each change", () => {
    expect(told(entry("changed", { status: "ask", assignee: "user:2", assignee_title: "Вера", deadline: 5, comment: "ждём" }))).toEqual(["status «ask»", "assigned Вера", "deadlineSet @5", "comment"]); // prettier-ignore
    expect(told(entry("changed", { assignee: "", deadline: 0, said: "новая" }))).toEqual(["unassigned", "deadlineNone @0"]);
    expect(told(entry("changed", { status: "check", deadline: 9, stood: 60 }))).toEqual(["status «check»", "deadlineMoved @9"]);
  });
  it("tells joins and clients who were not there", () => {
    expect(told(entry("joined", { master: 4 }))).toEqual(["joined 4"]);
    expect(told(entry("untold", { channel: "vk", instead: "web", why: "" }))[0]).toContain("untoldInstead");
  });
});
