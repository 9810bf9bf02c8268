// Files of an answer that is not sent yet: kept by their names for the account, in their talk, until they are sent.
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Me, Problem } from "@/api/client";
import * as client from "@/api/client";
import { forget, keep, recall } from "@/kept";
import { holesIn } from "@/parts/work/holes";
import { KEPT, mayRetry, MOST, read, useAttached } from "@/stores/attached";
import { useMe } from "@/stores/me";

const file = (name: string): File => new File(["x"], name, { type: "text/plain" });

function page(account = 1): ReturnType<typeof useAttached> {
  setActivePinia(createPinia());
  useMe().account = { id: account, language: "ru", theme: "" } as Me;
  return useAttached();
}

describe("files of an answer", () => {
  beforeEach(() => {
    localStorage.clear();
    vi.restoreAllMocks();
    vi.spyOn(client, "upload").mockImplementation(async (given) => ({ id: `id-${given.name}`, name: given.name, mime: "text/plain", size: 1 }));
  });

  it("are there in the next life of the page, for their talk and account alone", async () => {
    const attached = page();
    attached.add(7, [file("a"), file("b")]);
    await vi.waitFor(() => expect(attached.waits(7)).toBe(false));
    const next = page();
    [7, 8].forEach(next.open);
    expect([next.of(7).map((one) => one.id), next.of(8)]).toEqual([["id-a", "id-b"], []]);
    const other = page(2);
    other.open(7);
    expect(other.of(7)).toEqual([]);
  });
  it("are taken once", async () => {
    const attached = page();
    attached.add(7, [file("a")]);
    await vi.waitFor(() => expect(attached.waits(7)).toBe(false));
    expect([attached.take(7), attached.take(7), recall(1, KEPT + 7)]).toEqual([["id-a"], [], ""]);
  });
  it("are not more than the server takes", () => {
    const over = page().add(7, [..."abcdefghijkl"].map(file));
    expect(over.map((one) => one.name)).toEqual(["k", "l"]);
    expect(MOST).toBe(10);
  });
  it("that did not arrive are tried again under their place", async () => {
    const attached = page();
    vi.spyOn(client, "upload").mockRejectedValueOnce(new Problem(0, "offline", ""));
    attached.add(7, [file("a")]);
    await vi.waitFor(() => expect(attached.fails(7)).toBe(true));
    await attached.send(7, attached.of(7)[0]!.key);
    expect([attached.fails(7), attached.take(7)]).toEqual([false, ["id-a"]]);
  });
  it("that arrive after they were dropped are not there", async () => {
    const attached = page();
    attached.add(7, [file("a")]);
    attached.drop(7, attached.of(7)[0]!.key);
    await Promise.resolve();
    expect([attached.of(7), recall(1, KEPT + 7)]).toEqual([[], ""]);
  });
  it.each([
    [0, true],
    [429, true],
    [503, true],
    [413, false],
    [422, false],
  ])("of status %s can be tried again: %s", (status, may) => expect(mayRetry({ key: "k", name: "a", id: "", failed: new Problem(status, "x", "") })).toBe(may));
  it.each(["", "{", "7", '[{"key":1}]', '[{"key":"k","name":"a","id":""}]', "null"])("that cannot be read (%s) are none", (kept) => expect(read(kept)).toEqual([]));
});

it("who signs out forgets their files and nothing else", () => {
  localStorage.clear();
  for (const [owner, name] of [[1, "files.7"], [1, "files.8"], [1, "draft.7.reply"], [11, "files.7"]] as const) keep(owner, name, "x"); // prettier-ignore
  forget(1, "files.");
  expect([recall(1, "files.7"), recall(1, "files.8"), recall(1, "draft.7.reply"), recall(11, "files.7")]).toEqual(["", "", "x", "x"]);
});

it.each([
  ["Ваш заказ {{ Номер заказа }} в {{город}}, {{ Номер заказа }}", ["Номер заказа", "город"]],
  ["{ не дыра } и {{}}", []],
  ["", []],
])("holes of %s", (text, holes) => expect(holesIn(text)).toEqual(holes));
