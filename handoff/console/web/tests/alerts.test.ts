// Who is told what, and when.
import { describe, expect, it } from "vitest";
import { type Choices, KINDS, type Look, loudest, newsOf, readChoices, telling, titled, unreadOf, USUAL } from "@/alerts";
import { barred, grouped } from "@/places";
import { samples, wave } from "@/sounds";
import type { Row } from "@/stores/work";

const said = (at: string, author = "client"): object => ({ author, text: "слова", at, attachments: 0 });
const row = (conversation: number, more: object = {}): Row =>
  ({ conversation, epoch: 2, unread: 0, client: { name: "Мария" }, last: said("1"), due: null, ...more }) as unknown as Row;
const look = (rows: Row[], mentions = 0, newest: Look["newest"] = null): Look => ({ rows, mentions, newest });
const kinds = (before: Look | null, now: Look): string[] => newsOf(before, now).map((one) => one.kind);
const due = (state: string, at = "10:00"): object => ({ due: { state, at, kind: "first_reply", left: 10 } });
const note = (id: number): Look["newest"] => ({ id, conversation: 5, text: "глянь" });

describe("news", () => {
  it("is nothing that was there when one came", () => expect(kinds(null, look([row(1, { unread: 3, ...due("late") })], 2, note(1)))).toEqual([]));
  it("is a session that was not mine", () => expect(kinds(look([]), look([row(1)]))).toEqual(["offer"]));
  it("is a session that left and came back", () => expect(kinds(look([row(1)]), look([row(1, { epoch: 4 })]))).toEqual(["offer"]));
  it("is what the client writes", () => expect(kinds(look([row(1)]), look([row(1, { unread: 1, last: said("2") })]))).toEqual(["message"]));
  it.each([
    ["what I write", row(1, { last: said("2", "operator") })],
    ["what the bot writes", row(1, { unread: 1, last: said("2", "bot") })],
    ["what was read at once", row(1, { last: said("2") })],
    ["nothing new", row(1)],
  ])("is not %s", (_, now) => expect(kinds(look([row(1)]), look([now]))).toEqual([]));
  it("is a second message of the same moment", () => expect(kinds(look([row(1, { unread: 1 })]), look([row(1, { unread: 2 })]))).toEqual(["message"]));
  it("is not a session that goes", () => expect(kinds(look([row(1)]), look([]))).toEqual([]));
  it.each([["fine", "soon", 1], ["soon", "late", 1], ["soon", "soon", 0], ["late", "fine", 0], ["fine", "paused", 0]] as const)(
    "of a promise from %s to %s: %i",
    (before, now, count) => expect(kinds(look([row(1, due(before))]), look([row(1, due(now))])).length).toBe(count),
  );
  it("of one promise has the same name in every window, of the next another", () => {
    const key = (at: string, state: string): string => newsOf(look([row(1, due("fine"))]), look([row(1, due(state, at))]))[0]!.key;
    expect(key("10:00", "soon")).toBe(key("10:00", "soon"));
    expect(new Set([key("10:00", "soon"), key("10:00", "late"), key("11:00", "soon")]).size).toBe(3);
  });
  it("is a mention, once", () => {
    expect(kinds(look([]), look([], 1, note(7)))).toEqual(["mention"]);
    expect(kinds(look([], 1, note(7)), look([], 1, note(7)))).toEqual([]);
    expect(kinds(look([], 2, note(7)), look([], 1, note(3)))).toEqual([]);
  });
});

describe("telling", () => {
  const [offer] = newsOf(look([]), look([row(1)]));
  const all: Choices = { ...USUAL, notify: true };
  it("is as it was chosen", () => {
    expect(telling(offer!, all, false)).toEqual({ sound: true, notify: true });
    expect(telling(offer!, { ...all, sound: false }, false)).toEqual({ sound: false, notify: true });
    expect(telling(offer!, USUAL, false)).toEqual({ sound: true, notify: false });
  });
  it("stays quiet while the window is looked at", () => expect(telling(offer!, all, true)).toEqual({ sound: false, notify: false }));
  it.each(KINDS)("of %s can be switched off by itself", (kind) => {
    const choices = { ...all, [kind]: false };
    expect(KINDS.map((one) => telling({ ...offer!, kind: one }, choices, false).notify)).toEqual(KINDS.map((one) => one !== kind));
  });
  it("makes one sound of many: the most urgent", () => {
    const of = (...names: string[]): ReturnType<typeof loudest> => loudest(names.map((kind) => ({ ...offer!, kind }) as never));
    expect([of("message", "deadline"), of("offer", "message"), of("offer", "mention"), of()]).toEqual(["deadline", "offer", "mention", null]);
  });
});

describe("choices", () => {
  it("that were kept are read, nonsense is as usual", () => {
    expect(readChoices(null)).toEqual(USUAL);
    expect(readChoices("{nonsense")).toEqual(USUAL);
    expect(readChoices("[]")).toEqual(USUAL);
    expect(readChoices('{"sound": "yes", "offer": false, "else": 1, "volume": 900}')).toEqual({ ...USUAL, offer: false, volume: 100 });
  });
  it("show nobody's words unless they were asked to", () => expect([USUAL.words, USUAL.notify]).toEqual([false, false]));
});

describe("counts", () => {
  it("are talks with unread words, and mentions", () => expect(unreadOf(look([row(1, { unread: 4 }), row(2)], 2))).toBe(3));
  it("stand before the title", () => expect([titled("Работа", 0), titled("Работа", 3), titled("Работа", 120)]).toEqual(["Работа", "(3) Работа", "(99+) Работа"]));
});

describe("a sound", () => {
  it("is a wave file without clicks", () => {
    const made = samples([{ hertz: 440, from: 0.1, seconds: 0.2 }], 8000);
    expect(made.length).toBe(2400);
    expect([made[0], Math.abs(made.at(-1)!) < 0.01]).toEqual([0, true]);
    expect(Math.max(...made)).toBeGreaterThan(0.2);
    const bytes = new DataView(wave(made, 8000));
    expect([bytes.getUint32(0), bytes.getUint32(24, true), bytes.getUint32(40, true), bytes.byteLength]).toEqual([0x52494646, 8000, 4800, 4844]);
  });
});

describe("places", () => {
  it("stand in groups, what is unknown with the last ones", () =>
    expect(grouped(["audit", "work", "new", "lines"])).toEqual([
      { group: "daily", names: ["work"] },
      { group: "team", names: ["lines"] },
      { group: "house", names: ["audit", "new"] },
    ]));
  it("of an analyst need one group", () => expect(grouped(["reports"])).toEqual([{ group: "team", names: ["reports"] }]));
  it("fit into the bar of a phone", () => expect(barred(["audit", "search", "lines", "tickets", "clients", "work"])).toEqual(["work", "tickets", "clients", "search"]));
});
