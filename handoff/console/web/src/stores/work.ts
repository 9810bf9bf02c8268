// The work list: one question to the server at a time, asked again when something has changed. The server's order is kept.
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { ask, type Page } from "@/api/client";
import type { components } from "@/api/schema";
import { COUNTS, listPath, type View, VIEWS } from "@/first";
import type { Incoming } from "@/live";

export type Row = components["schemas"]["ListRow"];
export type Counts = components["schemas"]["Counts"];
export { VIEWS, type View };
export type Filter = { view: View; line: string; q: string };

const SETTLE_MS = 250; // changes that come together are asked for together
const TICK_MS = 5_000;
const AGAIN_MS = 60_000; // hours open and close, promises pause: after so long the server is asked how it stands

export const useWork = defineStore("work", () => {
  const filter = ref<Filter>({ view: "mine", line: "", q: "" });
  const rows = ref<Row[]>([]);
  const counts = ref<Counts | null>(null);
  const next = ref<string | null>(null);
  const failed = ref<unknown>(null);
  const loaded = ref(false);
  const passed = ref(0); // seconds since the server answered
  let asked = 0;
  let pages = 1;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let answered = 0;
  let growing = false;

  const path = computed(() => listPath(filter.value.view, filter.value.line, filter.value.q));

  /** Reads as many pages as are shown. An answer that comes late, after a newer question, is thrown away. */
  async function load(): Promise<void> {
    const mine = ++asked;
    try {
      const counted = ask<Counts>("GET", COUNTS);
      counted.catch(() => undefined); // heard of below, when the list has not failed before
      const found: Row[] = [];
      let cursor: string | null = null;
      for (let page = 0; page < pages && (page === 0 || cursor); page++) {
        const more: string = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
        const answer: Page<Row> = await ask<Page<Row>>("GET", path.value + more);
        found.push(...answer.items);
        cursor = answer.next;
      }
      const numbers = await counted;
      if (mine !== asked) return;
      [rows.value, next.value, counts.value, failed.value, loaded.value] = [found, cursor, numbers, null, true];
      [answered, passed.value] = [performance.now(), 0];
    } catch (problem) {
      if (mine === asked) failed.value = problem;
    }
  }

  function show(wanted: Filter): Promise<void> {
    filter.value = wanted;
    pages = 1;
    rows.value = [];
    loaded.value = false;
    return load();
  }

  /** The next page, too; one at a time. */
  async function more(): Promise<void> {
    if (growing) return;
    growing = true;
    pages += 1;
    await load();
    growing = false;
  }

  /** Something may be different now. */
  function stale(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void load(), SETTLE_MS);
  }

  /** Time goes by: what is left of promises runs down. Ends when the answer is called. */
  function run(): () => void {
    const clockwork = setInterval(() => {
      if (!loaded.value || document.hidden) return;
      passed.value = (performance.now() - answered) / 1000;
      if (passed.value * 1000 >= AGAIN_MS) stale();
    }, TICK_MS);
    return () => clearInterval(clockwork);
  }

  function hear(message: Incoming): void {
    const bot = message.type === "tick" && (filter.value.view === "bot" || filter.value.view === "all");
    if (["change", "gone", "reset", "ready"].includes(message.type) || bot) stale();
  }

  return { filter, rows, counts, next, failed, loaded, passed, load, show, more, stale, run, hear };
});

/** The row `step` places from the one that is open; the first one when none is. */
export function neighbour(rows: readonly Row[], open: number, step: number): Row | undefined {
  const at = rows.findIndex((row) => row.conversation === open);
  if (at < 0) return step > 0 ? rows[0] : rows[rows.length - 1];
  return rows[Math.min(rows.length - 1, Math.max(0, at + step))];
}

/** The row that comes next once the one at a place is gone: the one below it, else the one above; never the one that is left. */
export function following(rows: readonly Row[], place: number, left: number): Row | undefined {
  const rest = rows.filter((row) => row.conversation !== left);
  return rest[Math.min(place, rest.length - 1)];
}
