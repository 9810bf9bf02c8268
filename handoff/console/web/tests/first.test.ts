// What sets out before the console's code is there: the page, its first answers, the words of one language.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { createMemoryHistory, createRouter } from "vue-router";
import { askEarly, early } from "@/api/early";
import { ask } from "@/api/client";
import { firstOf, listPath, viewOf } from "@/first";
import { i18n, learn, speak } from "@/i18n";
import { LANGUAGES, likelyLanguage } from "@/languages";
import { placeOf, routes } from "@/routes";

const router = createRouter({ history: createMemoryHistory(), routes });
const PLACES = ["/sign-in", "/work", "/work/17", "/work/17/", "/tickets", "/tickets/board", "/tickets/9", "/clients", "/clients/3", "/reports", "/reports/bot", "/flows", "/flows/order.return", "/users", "/work/x", "/nothing/at/all"]; // prettier-ignore

describe("the page of a path", () => {
  it.each(PLACES)("%s is the router's", (path) => expect(placeOf(path)?.name).toBe(router.resolve(path).name));
  it("is the working window at home", () => expect(placeOf("/")?.name).toBe("work"));
  it("is tried for every place", () => {
    const tried = new Set(PLACES.map((path) => placeOf(path)?.name));
    expect(routes.filter((one) => one.path.includes("/:") && !tried.has(one.name!))).toEqual([]);
  });
});

describe("the first questions", () => {
  it("of the working window follow its address", () => {
    const [list, counts] = firstOf("work", new URLSearchParams("view=queue&q=Анна"));
    expect(list).toBe(listPath("queue", "", "Анна"));
    expect(list).toContain("sort=due");
    expect(counts).toBe("/conversations/counts");
    expect(firstOf("work", new URLSearchParams("view=nothing"))[0]).toBe(listPath("mine", "", ""));
  });
  it("are none of a page that has none", () => expect(firstOf("profile", new URLSearchParams())).toEqual([]));
  it.each([["all", "all"], [undefined, "mine"], [["all"], "mine"]])("the view %j is %s", (named, view) => expect(viewOf(named)).toBe(view));
});

describe("an early answer", () => {
  const fetched = vi.fn<(path: string) => Promise<Response>>();
  beforeEach(() => {
    fetched.mockReset().mockImplementation((path) => Promise.resolve(Response.json({ path })));
    vi.stubGlobal("fetch", fetched);
    vi.useFakeTimers({ toFake: ["performance"] });
    return () => void vi.useRealTimers();
  });

  it("is for the first who asks; the next one asks anew", async () => {
    askEarly("/me");
    expect(await ask("GET", "/me")).toEqual({ path: "/api/v1/me" });
    expect(fetched).toHaveBeenCalledTimes(1);
    await ask("GET", "/me");
    expect(fetched).toHaveBeenCalledTimes(2);
  });
  it("is for nobody who writes, or asks something else", async () => {
    askEarly("/me");
    await ask("PATCH", "/me", { theme: "dark" });
    await ask("GET", "/me/presence");
    expect(fetched).toHaveBeenCalledTimes(3);
    expect(early("/me")).toBeDefined();
  });
  it("grows old", () => {
    askEarly("/me");
    vi.advanceTimersByTime(10_001);
    expect(early("/me")).toBeUndefined();
  });
  it("that did not come is a problem of who wanted it", async () => {
    fetched.mockRejectedValueOnce(new TypeError("no network"));
    askEarly("/me");
    await expect(ask("GET", "/me")).rejects.toMatchObject({ name: "offline" });
    expect(await ask("GET", "/me")).toEqual({ path: "/api/v1/me" });
  });
});

describe("words", () => {
  beforeEach(() => localStorage.clear());

  it("come when they are spoken, and only those", async () => {
    expect(i18n.global.availableLocales).toEqual([]);
    await speak("ru");
    expect(i18n.global.availableLocales).toEqual(["ru"]);
    expect([i18n.global.t("close"), document.documentElement.lang, likelyLanguage()]).toEqual(["Закрыть", "ru", "ru"]);
    await learn("en");
    expect([i18n.global.t("close"), i18n.global.t("close", 1, { locale: "en" })]).toEqual(["Закрыть", "Close"]);
  });
  it.each([...LANGUAGES, "none"])("a browser that last spoke %s", (last) => {
    localStorage.setItem("language", last);
    expect(likelyLanguage()).toBe(last === "none" ? "en" : last); // the browser of these tests wishes English
  });
});
