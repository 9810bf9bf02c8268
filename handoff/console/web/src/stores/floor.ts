// The floor as a supervisor sees it: lines, who waits, who has what, what is at risk; and what is done about it.
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { ask, newKey, type Page } from "@/api/client";
import type { components } from "@/api/schema";
import { abandoned, afterDeed, dayOf, type Deed, peopleOf, risks, type Target, unique, verdict } from "@/floor";
import type { Incoming } from "@/live";
import { type Line, useLines } from "@/stores/lines";
import type { Row } from "@/stores/work";

type Schemas = components["schemas"];
export type Risk = Schemas["Risk"];
export type Off = Schemas["TakenOff"]["state"];
type Hours = Schemas["LineHours"];
const VIEWS = ["queue", "assigned", "waiting", "held"] as const;
const PAGE = 200;
const MOST = 5; // pages of a list: a thousand sessions
const SETTLE_MS = 400;
const REPORT_MS = 60_000;

export const useFloor = defineStore("floor", () => {
  const lines = useLines();
  const line = ref("");
  const rows = ref<Row[]>([]);
  const atRisk = ref<Risk[]>([]);
  const lost = ref(new Map<string, number>());
  const today = ref("");
  const failed = ref<unknown>(null);
  const loaded = ref(false);
  const passed = ref(0); // seconds since the server's last answer
  const dragged = ref<Row | null>(null);
  const moved = ref(new Map<number, Row>()); // as they will be, until the server says so
  let [asked, answered, reported] = [0, 0, 0];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let newest: Promise<void> = Promise.resolve();
  let waits = false;

  const led = computed(() => lines.all.filter((one) => one.numbers !== null));
  const others = computed(() => lines.all.filter((one) => one.numbers === null)); // sessions may be sent there
  const people = computed(() => peopleOf(lines.all));
  const shown = computed(() => rows.value.map((row) => moved.value.get(row.conversation) ?? row));
  const risk = computed(() => risks(atRisk.value));

  async function list(view: string): Promise<Row[]> {
    const found: Row[] = [];
    let cursor = "";
    for (let page = 0; page < MOST; page++) {
      const query = new URLSearchParams({ view, sort: "due", limit: String(PAGE), line: line.value, cursor });
      const answer = await ask<Page<Row>>("GET", `/conversations?${query}`);
      found.push(...answer.items);
      cursor = answer.next ?? "";
      if (!cursor) break;
    }
    return found;
  }

  /** Done when the newest answer is shown; what is being dragged stays where it is meanwhile. */
  async function load(): Promise<void> {
    if (dragged.value) return void (waits = true);
    const mine = ++asked;
    newest = read(mine);
    await newest;
    if (mine !== asked) await newest;
  }

  async function read(mine: number): Promise<void> {
    try {
      const wanted = Promise.all(VIEWS.map(list));
      const [, atrisk, lists] = await Promise.all([lines.load(), ask<{ items: Risk[] }>("GET", "/sla/at-risk?limit=500"), wanted]);
      if (mine !== asked) return;
      if (dragged.value) return void (waits = true);
      [rows.value, atRisk.value, failed.value, loaded.value] = [unique(lists.flat()), atrisk.items, null, true];
      [answered, passed.value] = [performance.now(), 0];
      if (!reported || performance.now() - reported > REPORT_MS) void report().catch(() => undefined);
    } catch (problem) {
      if (mine === asked) failed.value = problem;
    }
  }

  /** What was lost today, out of the reports; counted anew once a minute. */
  async function report(): Promise<void> {
    const first = led.value[0];
    if (!first) return;
    reported = performance.now();
    const hours = await ask<Hours>("GET", `/lines/${encodeURIComponent(first.id)}/hours`);
    today.value = dayOf(hours.now, hours.timezone);
    const table = await ask<Schemas["TableView"]>("GET", `/reports/waiting?by=line&from=${today.value}&to=${today.value}`);
    lost.value = abandoned(table.rows);
  }

  function show(wanted: string): Promise<void> {
    if (wanted !== line.value) rows.value = [];
    [line.value, loaded.value] = [wanted, wanted === line.value && loaded.value];
    return load();
  }

  function stale(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void load(), SETTLE_MS);
  }

  function hear(message: Incoming): void {
    if (["change", "gone", "reset", "ready"].includes(message.type)) stale();
  }

  function tick(): void {
    passed.value = answered ? (performance.now() - answered) / 1000 : 0;
  }

  function drag(row: Row | null): void {
    dragged.value = row;
    if (row || !waits) return;
    waits = false;
    stale();
  }

  const against = (row: Row, target: Target): ReturnType<typeof verdict> => verdict(row, target, lines.all, people.value, line.value);

  /** Carries it out: seen at once, and as the server says in the end. Raises `Problem`. */
  async function carryOut(row: Row, deed: Deed, more: Record<string, unknown> = {}): Promise<void> {
    moved.value = new Map(moved.value).set(row.conversation, afterDeed(row, deed, lines.all, people.value));
    const body: Record<string, unknown> = { epoch: row.epoch, ...more };
    if (deed.name !== "release" && deed.person !== null) body.person = deed.person;
    if (deed.name === "transfer") body.line = deed.line;
    await act(row, deed.name, body);
  }

  async function act(row: Row, name: string, body: Record<string, unknown>, key = newKey()): Promise<void> {
    try {
      await ask("POST", `/conversations/${row.conversation}/${name}`, body, key);
    } finally {
      await load();
      moved.value = new Map([...moved.value].filter(([home]) => home !== row.conversation));
    }
  }

  const form = (row: Row, to: string): Promise<Schemas["TransferForm"]> =>
    ask("GET", `/conversations/${row.conversation}/transfer?to=${encodeURIComponent(to)}`);

  const limit = async (user: number, most: number, onlyToday: boolean): Promise<void> => {
    await ask("PUT", `/users/${user}/capacity`, { max_sessions: most, today: onlyToday });
    await load();
  };

  const takeOff = async (user: number, state: Off): Promise<void> => {
    await ask("PUT", `/users/${user}/presence`, { state });
    await load();
  };

  const of = (id: string): Line | undefined => lines.all.find((one) => one.id === id);

  return {
    line, rows: shown, led, others, people, atRisk, risk, lost, today, failed, loaded, passed, dragged, // what is
    load, show, hear, tick, drag, against, carryOut, act, form, limit, takeOff, now: lines.now, of, // what can be done
  }; // prettier-ignore
});
