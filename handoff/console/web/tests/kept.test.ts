// What outlives the tab: drafts and words that were not answered, each for the account that wrote them.
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Me } from "@/api/client";
import type { Pending } from "@/bubbles";
import { keep, recall } from "@/kept";
import { useMe } from "@/stores/me";
import { type Talk, useTalk } from "@/stores/talk";
import { CUT_OFF, read, useUnsent } from "@/stores/unsent";

const words: Pending = { key: "k1", text: "ответ", note: false, at: "2026-01-01T10:00:00Z", failed: "", files: ["f1"], canned: null };

function page(account: number): ReturnType<typeof useUnsent> {
  setActivePinia(createPinia());
  useMe().account = { id: account, language: "ru", theme: "" } as Me;
  return useUnsent();
}

describe("words on their way", () => {
  beforeEach(() => localStorage.clear());

  it("are there in the next life of the page, as cut off", () => {
    page(1).put(7, words);
    const next = page(1);
    next.open(7);
    expect(next.of(7)).toEqual([{ ...words, failed: CUT_OFF }]);
  });
  it("take the place of their last try", () => {
    const unsent = page(1);
    unsent.put(7, words);
    unsent.put(7, { ...words, failed: "offline" });
    expect(unsent.of(7).map((one) => one.failed)).toEqual(["offline"]);
  });
  it("are forgotten once they are with the server", () => {
    const unsent = page(1);
    unsent.put(7, words);
    unsent.drop(7, "k1");
    expect([unsent.of(7), localStorage.length]).toEqual([[], 0]);
  });
  describe("that are said again", () => {
    const bodies: string[] = [];
    const send = async (epoch: number | null, answer: () => Response): Promise<void> => {
      vi.stubGlobal("fetch", async (_: string, made: RequestInit) => {
        if (made.method === "POST") bodies.push(String(made.body));
        return answer();
      });
      const talk = useTalk();
      [talk.id, talk.talk] = [7, epoch === null ? null : ({ epoch } as Talk)];
      await talk.send(useUnsent().of(7)[0] ?? words);
      vi.unstubAllGlobals();
    };
    const cut = (): Response => {
      throw new TypeError("cut");
    };
    const refused = (): Response => new Response(JSON.stringify({ type: "urn:frontline:stale" }), { status: 409 });
    const epochs = (): number[] => bodies.map((body) => (JSON.parse(body) as { epoch: number }).epoch);
    beforeEach(() => void (page(1), (bodies.length = 0)));

    it("are the same request, whatever the page knows by then", async () => {
      await send(3, cut);
      await send(null, cut);
      await send(4, cut);
      expect(new Set(bodies)).toEqual(new Set([bodies[0]]));
      expect(epochs()).toEqual([3, 3, 3]);
    });
    it("are said as the session stands now, when they were refused", async () => {
      await send(3, refused);
      await send(4, cut);
      await send(5, cut);
      expect(epochs()).toEqual([3, 4, 4]);
    });
  });
  it("are nobody else's", () => {
    page(1).put(7, words);
    const other = page(2);
    other.open(7);
    expect(other.of(7)).toEqual([]);
  });
  it.each(["", "{", "7", '[{"key":1}]', "null"])("that cannot be read (%s) are none", (kept) => expect(read(kept)).toEqual([]));
});

describe("a browser that keeps nothing", () => {
  it("is no reason to stop", () => {
    const before = Storage.prototype.setItem;
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    keep(1, "draft.7.reply", "слова");
    Storage.prototype.setItem = before;
    expect(recall(1, "draft.7.reply")).toBe("");
  });
});
