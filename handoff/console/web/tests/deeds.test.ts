// What may be done in a talk, its keys, and the stream as it is folded.
import { describe, expect, it } from "vitest";
import { type Bubble, causeOf, folded, type Item, merged, nameOf, pieces, touches } from "@/bubbles";
import { bindingsOf, DEEDS, MOVES, offered, priorityOf, shownKey, wordsOf } from "@/parts/work/acts";
import { kindOf, sizeOf } from "@/parts/work/files";
import { workersOf } from "@/parts/work/people";
import type { Line } from "@/stores/lines";

const bubble = (seq: number, author: string, more: Partial<Bubble> = {}): Item =>
  ({ type: "message", conversation: 1, seq, author, at: `2026-01-01T10:${String(seq).padStart(2, "0")}:00Z`, text: `${seq}`, ...more }) as unknown as Item;
const begins = (number: number, status: string, opened: string, conversation = 1, closed: string | null = null): Item =>
  ({ type: "session", conversation, session: { number, status, opened_at: opened, closed_at: closed } }) as unknown as Item;
const START = "2026-01-01T10:00:00Z";

describe("deeds", () => {
  it("have one key each, and no key does two things", () => {
    const keys = [...DEEDS.map((deed) => `${deed.shift ?? false}${deed.code}`), ...MOVES.flatMap((move) => move.codes.map((code) => `${move.shift ?? false}${code}`))];
    expect(new Set(keys).size).toBe(keys.length);
  });
  it("are those that the server allows; giving one's own back is one of them, not two", () => {
    expect(offered(new Set(["take", "note", "ticket"])).map((deed) => deed.name)).toEqual(["take", "ticket"]);
    expect(offered(new Set(["return", "release"])).map((deed) => deed.name)).toEqual(["return"]);
    expect(offered(new Set(["release"])).map((deed) => deed.name)).toEqual(["release"]);
  });
  it("are called by whose session it is", () => {
    expect([wordsOf("take", "queue"), wordsOf("take", "bot"), wordsOf("take", "operator")]).toEqual(["inTalk.act.take", "inTalk.act.take_bot", "inTalk.act.take_operator"]);
    expect(shownKey({ code: "KeyB", shift: true })).toBe("Shift+B");
  });
  it("are carried out by their keys", () => {
    const done: string[] = [];
    const bindings = bindingsOf((deed) => done.push(deed), { up: () => done.push("up") });
    bindings.find((one) => one.code === "KeyT")?.run();
    bindings.find((one) => one.code === "KeyK" && !one.shift)?.run();
    expect(done).toEqual(["transfer", "up"]);
  });
  it.each([[-5, "low"], [0, "normal"], [2, "urgent"], [9, "critical"]] as const)("priority %i is %s", (number, name) => expect(priorityOf(number)).toBe(name));
});

describe("the stream", () => {
  const never = (): boolean => false;
  it("folds what the bot and the client said before a person came", () => {
    const items = [begins(1, "assigned", START), bubble(1, "client"), bubble(2, "bot"), bubble(3, "client"), bubble(4, "bot"), bubble(5, "client"), bubble(6, "operator"), bubble(7, "client")];
    const parts = folded(items, never);
    expect(parts.map((part) => (part.type === "bot" ? part.items.length : nameOf(part.item)))).toEqual(["s1:1", 4, "m1:5", "m1:6", "m1:7"]);
  });
  it("folds nothing that is live, and nothing that is short", () => {
    const items = [begins(1, "bot", START), bubble(1, "client"), bubble(2, "bot"), bubble(3, "client"), bubble(4, "bot")];
    expect(folded(items, (_, __, status) => status === "bot").every((part) => part.type === "item")).toBe(true);
    expect(folded(items.slice(0, 3), never).every((part) => part.type === "item")).toBe(true);
  });
  it("keeps the order of a talk, whatever its clocks said", () => {
    const late = bubble(1, "client", { at: "2026-01-01T12:00:00Z" });
    expect(merged([late], [bubble(2, "bot")]).map(nameOf)).toEqual(["m1:1", "m1:2"]);
  });
  it("begins a session with the message that opened it", () => {
    const items = merged([begins(1, "assigned", "2026-01-01T10:05:30Z")], [bubble(5, "client"), bubble(6, "bot")]);
    expect(items.map(nameOf)).toEqual(["s1:1", "m1:5", "m1:6"]);
  });
  it("knows when something between two readings is missing", () => {
    expect(touches([bubble(1, "bot")], [bubble(1, "bot"), bubble(2, "bot")])).toBe(true);
    expect(touches([bubble(1, "bot")], [bubble(9, "bot")])).toBe(false);
  });
  it("makes addresses in plain words links, without the end of the sentence", () => {
    const found = pieces("см. https://example.org/a?b=1, потом", []);
    expect(found.map((piece) => [piece.text, piece.url !== ""])).toEqual([["см. ", false], ["https://example.org/a?b=1", true], [", потом", false]]);
    expect(pieces("javascript:alert(1)", [])[0]!.url).toBe("");
  });
});

describe("failures", () => {
  it.each([
    ["403 Forbidden: bot was blocked by the user", "blocked"],
    ["901 Can't send messages for users without permission", "blocked"],
    ["400 Bad Request: chat not found", "noChat"],
    ["403 Forbidden: user is deactivated", "deactivated"],
    ["a person has taken over", "tookOver"],
    ["no answer twice: the line broke", "unknown"],
    ["400 Bad Request: message is too long", "tooLong"],
    ["something new", "other"],
    ["", ""],
  ])("%s is %s", (reason, cause) => expect(causeOf(reason)).toBe(cause));
});

describe("files and people", () => {
  it("are shown as what they are", () => {
    expect(kindOf({ kind: "file", mime: "image/svg+xml", url: "/x" })).toBe("file");
    expect(kindOf({ kind: "photo", mime: "image/png", url: "" })).toBe("file");
    expect(kindOf({ kind: "voice", mime: "audio/ogg", url: "/x" })).toBe("sound");
    expect(sizeOf(0, "en")).toBe("");
    expect(sizeOf(3_400_000, "en")).toBe("3.4 MB");
  });
  it("who is there and has least comes first", () => {
    const people = [["a", "offline", 0], ["b", "online", 3], ["c", "busy", 1]].map(([title, state, load], user) => ({ user, title, state, load }));
    expect(workersOf([{ people } as unknown as Line], [9]).map((one) => one.title)).toEqual(["c", "b", "a"]);
  });
});
