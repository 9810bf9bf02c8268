// Cards beside each other, tags, and what the search shows.
import { describe, expect, it } from "vitest";
import { type Card, labelOf, shownFields, sides, tagOf, undoable, valueText, withoutTag, withTags } from "@/clients";
import { addressOf, askedOf, paramsOf, parts, placeOf } from "@/search";

const field = (name: string, text: string, editable = true): Card["fields"][number] => ({ name, label: name.toUpperCase(), type: "text", value: text, text, editable });
const card = (name: string, tags: string[], fields: Card["fields"]): Pick<Card, "name" | "tier" | "tags" | "fields"> => ({ name, tier: "", tags, fields });

describe("a card", () => {
  it("takes several tags at once, none twice", () => expect(withTags(["опт"], " юрлицо, опт ; ,vip")).toEqual(["опт", "юрлицо", "vip"]));
  it("loses one tag", () => expect(withoutTag(["a", "b"], "a")).toEqual(["b"]));
  it.each([[null, ""], ["", ""], [0, "0"], [["a", 1], "a, 1"], [{ city: "Тверь", zip: null }, "Тверь"], [true, "true"]])("reads %j as %j", (value, text) =>
    expect(valueText(value)).toBe(text),
  );
  it("knows what a line of its history is about", () => {
    expect(tagOf({ name: "_tag:опт" })).toBe("опт");
    expect(tagOf({ name: "city" })).toBe("");
    expect(labelOf("city", [field("city", "Тверь")], { name: "Имя" })).toBe("CITY");
    expect(labelOf("name", [], { name: "Имя" })).toBe("Имя");
    expect(labelOf("email", [{ ...field("email", ""), label: "email" }], { email: "Почта" })).toBe("Почта");
    expect(labelOf("email", [{ ...field("email", ""), label: "Куда писать" }], { email: "Почта" })).toBe("Куда писать");
    expect(labelOf("old", [], {})).toBe("old");
  });
  it("shows what is known and what may be written", () =>
    expect(shownFields([field("a", "", true), field("b", "", false), field("c", "x", false)]).map((one) => one.name)).toEqual(["a", "c"]));
});

describe("two cards", () => {
  it("are shown line by line with what differs", () => {
    const one = card("Пётр", ["a"], [field("city", "Тверь"), field("phone", "+7912")]);
    const other = card("Петя", [], [field("city", "Тверь"), field("email", "p@x.ru")]);
    const both = card("Пётр", ["a"], [field("city", "Тверь"), field("phone", "+7912"), field("email", "p@x.ru")]);
    const lines = sides(one, other, both, { name: "Имя", tier: "Уровень", tags: "Метки" });
    expect(lines.map((line) => [line.key, line.one, line.other, line.both, line.differs])).toEqual([
      ["name", "Пётр", "Петя", "Пётр", true],
      ["tags", "a", "", "a", false],
      ["field:city", "Тверь", "Тверь", "Тверь", false],
      ["field:phone", "+7912", "", "+7912", false],
      ["field:email", "", "p@x.ru", "p@x.ru", false],
    ]);
  });
  it("are taken apart the newest first", () => {
    expect(undoable([{ id: 3, state: "undone" }, { id: 2, state: "done" }, { id: 1, state: "done" }])).toBe(2);
    expect(undoable([])).toBe(0);
  });
});

describe("the search", () => {
  it("reads its question from the address and leaves out nonsense", () => {
    const asked = askedOf({ q: "термос", kind: "evil", from: "2026-03-01", to: "завтра", line: ["a"] });
    expect(asked).toEqual({ q: "термос", kind: "", line: "", channel: "", from: "2026-03-01", to: "" });
    expect(addressOf(asked)).toEqual({ q: "термос", from: "2026-03-01" });
  });
  it("asks for whole days", () => {
    const given = paramsOf({ q: " а ", kind: "note", line: "", channel: "", from: "2026-03-01", to: "2026-03-31" });
    expect(given.get("q")).toBe("а");
    expect(new Date(given.get("from")!)).toEqual(new Date(2026, 2, 1));
    expect(new Date(given.get("to")!)).toEqual(new Date(2026, 3, 1));
    expect(given.has("line")).toBe(false);
  });
  it("marks what was found, in characters", () =>
    expect(parts("👍 мои заказы", [[6, 12]])).toEqual([{ text: "👍 мои ", hit: false }, { text: "заказы", hit: true }]));
  it("bears marks that overlap or lie outside", () =>
    expect(parts("abcdef", [[4, 99], [0, 3], [1, 2]])).toEqual([{ text: "abc", hit: true }, { text: "d", hit: false }, { text: "ef", hit: true }]));
  it("leads to the place of what was found", () => {
    const place = (kind: "message" | "note" | "fields" | "ticket" | "client"): unknown => placeOf({ kind, conversation: 4, number: 7 });
    expect(place("message")).toEqual({ name: "work", params: { id: "4" }, query: { view: "all", seq: "7" } });
    expect(place("note")).toEqual({ name: "work", params: { id: "4" }, query: { view: "all", note: "7" } });
    expect(place("fields")).toEqual({ name: "work", params: { id: "4" }, query: { view: "all" } });
    expect(place("ticket")).toEqual({ name: "ticket", params: { number: "7" } });
    expect(place("client")).toEqual({ name: "client", params: { id: "7" } });
  });
});
