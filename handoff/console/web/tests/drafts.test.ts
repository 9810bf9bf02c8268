// Drafts: what is typed while the server is asked stays, what other devices wrote comes.
import { createPinia, setActivePinia } from "pinia";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Me } from "@/api/client";
import { keep } from "@/kept";
import { useDrafts } from "@/stores/drafts";
import { useMe } from "@/stores/me";

/** A page whose server keeps `there`; `answer` lets what was asked come back. */
function page(there: { text: string; version: number }): { drafts: ReturnType<typeof useDrafts>; answer: () => void; puts: string[] } {
  setActivePinia(createPinia());
  useMe().account = { id: 1, language: "ru", theme: "" } as Me;
  const puts: string[] = [];
  let answer = (): void => undefined;
  const asked = new Promise<void>((done) => (answer = done));
  vi.stubGlobal("fetch", async (_: string, made: RequestInit) => {
    await asked;
    if (made.method === "PUT") puts.push((JSON.parse(String(made.body)) as { text: string }).text);
    return Response.json(there);
  });
  return { drafts: useDrafts(), answer, puts };
}

describe("the draft of a talk", () => {
  beforeEach(() => {
    localStorage.clear();
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("keeps what is typed while the server is asked", async () => {
    const { drafts, answer, puts } = page({ text: "", version: 0 });
    const opened = drafts.open(7);
    drafts.write(7, "reply", "от");
    answer();
    await opened;
    expect(drafts.read(7, "reply")).toBe("от");
    expect(puts).toContain("от");
  });
  it("of an earlier life of the page is there before the server answers", async () => {
    keep(1, "draft.7.reply", "начато");
    const { drafts, answer } = page({ text: "", version: 0 });
    const opened = drafts.open(7);
    expect(drafts.read(7, "reply")).toBe("начато");
    drafts.write(7, "reply", "начато и");
    answer();
    await opened;
    expect(drafts.read(7, "reply")).toBe("начато и");
  });
  it("is what another device wrote, where nobody has written here", async () => {
    const { drafts, answer } = page({ text: "с телефона", version: 3 });
    answer();
    await drafts.open(7);
    expect(drafts.read(7, "reply")).toBe("с телефона");
  });
  it("is what another device made of it, once it was saved from here", async () => {
    const there = { text: "раз", version: 1 };
    const { drafts, answer } = page(there);
    answer();
    await drafts.open(7);
    Object.assign(there, { text: "раз и два", version: 2 });
    await drafts.open(7);
    expect(drafts.read(7, "reply")).toBe("раз и два");
  });
  it("of an earlier life of the page gives way to another device, once it was saved", async () => {
    const there = { text: "раз", version: 1 };
    const first = page(there);
    first.answer();
    await first.drafts.open(7);
    const { drafts, answer } = page({ text: "раз и два", version: 2 });
    answer();
    await drafts.open(7);
    expect(drafts.read(7, "reply")).toBe("раз и два");
  });
  it("that was emptied here stays empty when the page is opened anew", async () => {
    const first = page({ text: "старое", version: 1 });
    first.answer();
    await first.drafts.open(7);
    first.drafts.write(7, "reply", "");
    const { drafts, answer, puts } = page({ text: "старое", version: 1 });
    answer();
    await drafts.open(7);
    expect(drafts.read(7, "reply")).toBe("");
    expect(puts).toContain("");
  });
  it("that was emptied here does not come back", async () => {
    const { drafts, answer } = page({ text: "старое", version: 1 });
    answer();
    await drafts.open(7);
    drafts.write(7, "reply", "");
    await drafts.open(7);
    expect(drafts.read(7, "reply")).toBe("");
  });
});
