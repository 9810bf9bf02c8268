// The console's own rules, without a page.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Me, UserView } from "@/api/client";
import { russianForm } from "@/i18n";
import { browserLanguage } from "@/languages";
import { mayOpen, safeNext } from "@/router";
import { changesOf, linesToChoose, withRole } from "@/users";

const FOLDER = "src/locales";
const areas = readdirSync(FOLDER).filter((name) => name.endsWith(".ru.json")).map((name) => name.replace(".ru.json", "")); // prettier-ignore
const words = (area: string, language: string): object => JSON.parse(readFileSync(`${FOLDER}/${area}.${language}.json`, "utf-8")) as object;
const me = { role: "operator" } as Me;
const user = { title: "Анна", role: "operator", lines: { support: "operator" }, active: true } as unknown as UserView;

function keys(value: object, path = ""): string[] {
  return Object.entries(value).flatMap(([name, one]) => (one !== null && typeof one === "object" ? keys(one, `${path}${name}.`) : [path + name]));
}

describe("words", () => {
  it.each(areas)("of %s are the same in both languages", (area) => expect(keys(words(area, "ru")).sort()).toEqual(keys(words(area, "en")).sort()));
  it("of two areas have different names", () => {
    const names = areas.flatMap((area) => Object.keys(words(area, "ru")));
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });
  it.each([[1, 0], [2, 1], [5, 2], [11, 2], [14, 2], [21, 0], [104, 1]])("the form for %i", (count, form) =>
    expect(russianForm(count, 3)).toBe(form),
  );
  it.each([[["ru-RU", "en"], "ru"], [["de"], "en"], [[], "ru"]] as const)("the language for %j", (wishes, language) =>
    expect(browserLanguage(wishes)).toBe(language),
  );
});

describe("places", () => {
  it("are for roles", () => {
    expect(mayOpen(["admin"], me)).toBe(false);
    expect(mayOpen(undefined, me)).toBe(true);
    expect(mayOpen(undefined, null)).toBe(false);
  });
  it.each(["//evil.example", "https://evil.example", "/\\evil.example", undefined, ["/a"]])("%j leads home", (next) =>
    expect(safeNext(next)).toBe("/"),
  );
  it("a path of our own is kept", () => expect(safeNext("/users?cursor=a")).toBe("/users?cursor=a"));
});

describe("accounts", () => {
  it("choose among the lines that there are, and keep those that are gone", () => {
    const there = [{ id: "support", title: "Поддержка" }];
    expect(linesToChoose(there, { old: "operator", support: "operator" }).map((one) => one.title)).toEqual(["Поддержка", "old"]);
  });
  it("come into a line, become its supervisor and leave it", () => {
    expect(withRole({ support: "operator" }, "billing", "supervisor")).toEqual({ support: "operator", billing: "supervisor" });
    expect(withRole({ support: "operator" }, "support", "supervisor")).toEqual({ support: "supervisor" });
    expect(withRole({ support: "operator" }, "support", "")).toEqual({});
  });
  it("only what was changed is sent", () => {
    const same = { title: "Анна", role: "operator", lines: { support: "operator" }, active: true } as const;
    expect(changesOf(user, same)).toEqual({});
    expect(changesOf({ ...user, lines: { a: "operator", b: "operator" } }, { ...same, lines: { b: "operator", a: "operator" } })).toEqual({});
    expect(changesOf(user, { ...same, active: false, lines: {} })).toEqual({ active: false, lines: {} });
  });
});
