// The command bar finds what people mean.
import { describe, expect, it } from "vitest";
import { type Command, moved, otherLayout, ranked, score, ticketNumber } from "@/commands";

const named = (id: string, title: string, words = ""): Command => ({ id, group: "pages", title, words, run: () => undefined });
const COMMANDS = [
  named("work", "Работа", "Work"),
  named("tickets", "Заявки", "Tickets"),
  named("clients", "Клиенты", "Clients"),
  named("reports", "Отчёты", "Reports"),
  named("dark", "Тема: тёмная", "Theme: dark"),
  named("queue", "Список: Очередь", "List: Queue"),
  named("return", "В очередь", "Return to the queue"),
  named("close", "Закрыть обращение", "Close the session"),
];
const found = (search: string): string[] => ranked(COMMANDS, search).map((one) => one.id);

describe("the command bar", () => {
  it("shows everything in its order before anything is typed", () => expect(found("  ")).toEqual(COMMANDS.map((one) => one.id)));
  it.each([
    ["заяв", "tickets"], // as it begins
    ["ticket", "tickets"], // in the other language
    ["pfzdrb", "tickets"], // Russian keys, Latin layout
    ["ешслуе", "tickets"], // English keys, Russian layout
    ["ОТЧЕТЫ", "reports"], // ё as е, any case
    ["jnxtns", "reports"], // ё's word in the wrong layout
    ["тема тёмн", "dark"], // two words
    ["темн", "dark"], // the second word
    ["очер спис", "queue"], // in any order
    ["clo", "close"], // a beginning of the other language
    ["зкр", "close"], // letters in their order
  ])("%s finds %s first", (search, id) => expect(found(search)[0]).toBe(id));
  it("finds nothing for what is nothing", () => expect(found("зщшгн")).toEqual([]));
  it("takes what is called just so before what begins so", () =>
    expect(ranked([named("next", "Взять следующее"), named("take", "Взять")], "взять").map((one) => one.id)).toEqual(["take", "next"]));
  it("needs every word", () => expect(found("заявки тёмная")).toEqual([]));
  it("takes what begins so before what only holds it", () => expect(found("очередь")).toEqual(["queue", "return"]));
  it("does not take letters that are far apart", () => expect(score("рбт", "режим ожидания бота")).toBe(0));
  it("takes the other layout for the same keys, both ways", () => {
    expect(otherLayout("Ghbdtn")).toBe("привет");
    expect(otherLayout("привет")).toBe("ghbdtn");
    expect(otherLayout("12 №")).toBe("12 №");
  });
  it.each([["12", 12], [" №12", 12], ["# 7", 7], ["12a", 0], ["", 0], ["1234567890", 0]])("the ticket of %j", (said, number) =>
    expect(ticketNumber(said)).toBe(number),
  );
  it.each([[0, -1, 3, 2], [2, 1, 3, 0], [0, 1, 3, 1], [0, 1, 0, -1]])("from %i by %i of %i is %i", (at, step, count, to) =>
    expect(moved(at, step, count)).toBe(to),
  );
});
