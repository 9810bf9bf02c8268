// Whom a note calls while it is written.
import { describe, expect, it } from "vitest";
import { callable, calledAt, withCall } from "@/calling";

const PEOPLE = [{ user: 1, name: "anna", title: "Анна Иванова" }, { user: 2, name: "boris.k", title: "Борис" }]; // prettier-ignore

describe("a call in a note", () => {
  it.each([
    ["@", 1, { from: 0, q: "" }],
    ["привет @an", 10, { from: 7, q: "an" }],
    ["(@бор", 5, { from: 1, q: "бор" }],
    ["почта x@boris", 13, null], // an address
    ["@anna глянь", 11, null], // behind it
    ["@anna глянь", 3, { from: 0, q: "an" }], // in it
    ["нет", 3, null],
  ])("of %j at %i", (text, caret, called) => expect(calledAt(text, caret)).toEqual(called));
  it("finds people by name and by title", () => {
    expect(callable(PEOPLE, "").map((one) => one.user)).toEqual([1, 2]);
    expect(callable(PEOPLE, "BOR").map((one) => one.user)).toEqual([2]);
    expect(callable(PEOPLE, "ива").map((one) => one.user)).toEqual([1]);
    expect(callable(PEOPLE, "нет")).toEqual([]);
  });
  it("puts the name there, with one space behind it", () => {
    expect(withCall("а @бо и", { from: 2, q: "бо" }, 5, "boris.k")).toEqual({ text: "а @boris.k и", caret: 11 });
    expect(withCall("@", { from: 0, q: "" }, 1, "anna")).toEqual({ text: "@anna ", caret: 6 });
  });
});
