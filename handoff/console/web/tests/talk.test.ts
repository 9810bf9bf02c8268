// The stream of a talk, keys and times.
import { describe, expect, it } from "vitest";
import { type Item, lastPlace, merged, nameOf, pieces } from "@/bubbles";
import { press } from "@/keys";
import { following, neighbour, type Row } from "@/stores/work";
import { lefter, short } from "@/time";

const bubble = (seq: number, at: string, text = ""): Item => ({ type: "message", conversation: 1, seq, at, text }) as unknown as Item;
const note = (id: number, at: string): Item => ({ type: "note", id, at }) as unknown as Item;

describe("the stream", () => {
  it("puts readings together, and the later one counts", () => {
    const all = merged([bubble(1, "2026-01-01T10:00:00Z", "was"), bubble(3, "2026-01-01T10:02:00Z")], [
      bubble(1, "2026-01-01T10:00:00Z", "is"),
      note(7, "2026-01-01T10:01:00Z"),
    ]);
    expect(all.map(nameOf)).toEqual(["m1:1", "n7", "m1:3"]);
    expect(all[0]).toMatchObject({ text: "is" });
    expect(lastPlace(all)).toBe(3);
  });
  it("keeps messages of one moment in their order", () => {
    const at = "2026-01-01T10:00:00Z";
    expect(merged([bubble(11, at), bubble(9, at)], [bubble(10, at)]).map(nameOf)).toEqual(["m1:9", "m1:10", "m1:11"]);
  });
});

describe("formatted text", () => {
  it("counts code points, as the server does", () => {
    const found = pieces("👍🏽 да", [{ kind: "bold", start: 3, end: 5, url: "" }]);
    expect(found.map((piece) => piece.text)).toEqual(["👍🏽 ", "да"]);
    expect(found[1]!.kinds).toEqual(["bold"]);
  });
  it.each(["javascript:alert(1)", "data:text/html,x", "//evil.example", "JAVASCRIPT:x"])("%s is no link", (url) =>
    expect(pieces("x", [{ kind: "link", start: 0, end: 1, url }])[0]!.url).toBe(""),
  );
  it("marks beyond the text do no harm", () => {
    expect(pieces("ab", [{ kind: "bold", start: 1, end: 9, url: "" }]).map((piece) => piece.text)).toEqual(["a", "b"]);
  });
});

describe("keys", () => {
  const key = (code: string, more: KeyboardEventInit = {}): KeyboardEvent => new KeyboardEvent("keydown", { code, cancelable: true, ...more });
  it("are those of the keyboard, whatever the layout writes", () => {
    let taken = 0;
    const bindings = [{ code: "KeyA", run: () => void taken++ }];
    expect(press(key("KeyA", { key: "ф" }), bindings)).toBe(true);
    expect(press(key("KeyA", { ctrlKey: true }), bindings)).toBe(false);
    expect(press(key("KeyA", { shiftKey: true }), bindings)).toBe(false);
    expect(taken).toBe(1);
  });
  it("belong to the field where somebody writes", () => {
    const area = document.createElement("textarea");
    document.body.append(area);
    const event = key("KeyA", { bubbles: true });
    area.dispatchEvent(event);
    expect(press(event, [{ code: "KeyA", run: () => undefined }])).toBe(false);
  });
});

describe("the list", () => {
  const rows = [1, 2, 3].map((conversation) => ({ conversation }) as Row);
  it.each([[0, 1, 1], [0, -1, 3], [1, 1, 2], [3, 1, 3], [1, -1, 1], [9, 1, 1]])("from %i by %i is %i", (open, by, found) =>
    expect(neighbour(rows, open, by)?.conversation).toBe(found),
  );
  it.each([[0, 1, 2], [1, 2, 3], [2, 3, 2], [1, 9, 2], [9, 1, 3]])("goes on at %i, without %i, with %i", (place, left, found) =>
    expect(following(rows, place, left)?.conversation).toBe(found),
  );
  it("goes on with nothing where nothing is left", () => expect(following(rows.slice(0, 1), 0, 1)).toBeUndefined());
  it.each([[59, "s59"], [61, "m1"], [-3700, "h1"], [200_000, "d2"]])("%i seconds are %s", (seconds, said) =>
    expect(short(seconds, (unit, count) => unit + count)).toBe(said),
  );
});

describe("what is left of a promise", () => {
  it("runs down by the stopwatch", () => expect(lefter({ state: "soon", left: 90 }, 30)).toEqual({ state: "soon", left: 60 }));
  it("is late when nothing is left", () => expect(lefter({ state: "fine", left: 20 }, 30)).toEqual({ state: "late", left: -10 }));
  it("stands still while it is paused", () => expect(lefter({ state: "paused", left: 20 }, 30).left).toBe(20));
});
