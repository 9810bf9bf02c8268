// The cards of a board: columns that the server fills page by page, moves that are shown at once and taken back when refused.
import { defineStore } from "pinia";
import { computed, ref, shallowRef } from "vue";
import { ask, type Page } from "@/api/client";
import { type Column, columnsOf, type Count, countOf, type Desk, type Filter, type Group, holds, questionOf, readFilter, statusFor, type Ticket, writeFilter } from "@/tickets"; // prettier-ignore

export const PAGE = 30;
const MOST = 200; // cards that one question brings
export type Cards = { items: Ticket[]; next: string | null };
const EMPTY: Cards = { items: [], next: null };

export const useBoard = defineStore("board", () => {
  const desks = shallowRef<readonly Desk[]>([]);
  const titles = shallowRef<Record<Group, string>>({ open: "", waiting: "", done: "" });
  const filter = ref<Filter>(readFilter({}));
  const counts = ref<Count[]>([]);
  const cards = ref<Record<string, Cards>>({});
  const moving = new Map<number, { ticket: Ticket; to: string }>(); // on their way, by number
  let asked = 0;

  const columns = computed(() => columnsOf(desks.value, filter.value, counts.value, titles.value));
  const of = (column: Column): Cards => cards.value[column.key] ?? EMPTY;
  const count = (column: Column): number => countOf(column, counts.value);
  const find = (number: number): Ticket | undefined => Object.values(cards.value).flatMap((one) => one.items).find((one) => one.number === number);

  /** What the server says, with the moves that it does not know yet. */
  function place(column: Column, page: Cards): void {
    const here = page.items.filter((one) => (moving.get(one.number)?.to ?? column.key) === column.key);
    const known = new Set(here.map((one) => one.number));
    const coming = [...moving.values()].filter((one) => one.to === column.key && !known.has(one.ticket.number)).map((one) => one.ticket);
    cards.value = { ...cards.value, [column.key]: { items: [...coming, ...here], next: page.next } };
  }

  async function fetchCards(column: Column, limit: number, cursor = ""): Promise<Cards> {
    const question = new URLSearchParams({ ...questionOf(column, filter.value), limit: String(limit), ...(cursor ? { cursor } : {}) });
    const page = await ask<Page<Ticket>>("GET", `/tickets?${question}`);
    return { items: page.items, next: page.next };
  }

  async function readCounts(): Promise<Count[]> {
    return (await ask<{ items: Count[] }>("GET", `/tickets/counts?${new URLSearchParams(writeFilter(filter.value))}`)).items;
  }

  /** All of it anew. Raises `Problem`. */
  async function load(wanted: Filter, known: readonly Desk[], groups: Record<Group, string>): Promise<void> {
    const mine = ++asked;
    [filter.value, desks.value, titles.value] = [wanted, known, groups];
    const found = await readCounts();
    if (mine !== asked) return;
    counts.value = found;
    const wide = columns.value;
    const pages = await Promise.all(wide.map((column) => fetchCards(column, Math.min(MOST, Math.max(PAGE, of(column).items.length)))));
    if (mine !== asked) return;
    cards.value = {};
    wide.forEach((column, at) => place(column, pages[at]!));
  }

  /** After changes of these tickets: only the columns that hold one, or have more or fewer than before. Raises `Problem`. */
  async function refresh(numbers: ReadonlySet<number>): Promise<void> {
    const mine = asked;
    const before = new Map(columns.value.map((column) => [column.key, count(column)]));
    const found = await readCounts();
    if (mine !== asked) return;
    counts.value = found;
    const touched = columns.value.filter((column) => before.get(column.key) !== count(column) || of(column).items.some((one) => numbers.has(one.number)));
    const pages = await Promise.all(touched.map((column) => fetchCards(column, Math.min(MOST, Math.max(PAGE, of(column).items.length)))));
    if (mine === asked) touched.forEach((column, at) => place(column, pages[at]!));
  }

  /** The next cards of a column. Raises `Problem`. */
  async function more(column: Column): Promise<void> {
    const [mine, cursor] = [asked, of(column).next];
    if (!cursor) return;
    const page = await fetchCards(column, PAGE, cursor);
    const now = of(column);
    if (mine !== asked || now.next !== cursor) return;
    const known = new Set(now.items.map((one) => one.number));
    place(column, { items: [...now.items, ...page.items.filter((one) => !known.has(one.number))], next: page.next });
  }

  function tally(ticket: Ticket, by: 1 | -1): void {
    const at = counts.value.findIndex((one) => one.desk === ticket.desk && one.status === ticket.status && one.means === ticket.means);
    if (at >= 0) counts.value = counts.value.map((one, place) => (place === at ? { ...one, count: one.count + by } : one));
    else if (by > 0) {
      const { desk, status, status_title, means } = ticket;
      counts.value = [...counts.value, { desk, status, status_title, means, count: 1 }];
    }
  }

  /** The card from one column into another, on the page alone. */
  function shift(from: Ticket, to: Ticket): void {
    tally(from, -1);
    tally(to, 1);
    const next: Record<string, Cards> = {};
    for (const column of columns.value) {
      const left = of(column).items.filter((one) => one.number !== from.number);
      next[column.key] = { items: holds(column, to) ? [to, ...left] : left, next: of(column).next };
    }
    cards.value = next;
  }

  /** Moved at once; refused by the server it is where it was, and the caller hears why (`Problem`). False: it cannot go there. */
  async function move(ticket: Ticket, column: Column): Promise<boolean> {
    const status = statusFor(column, ticket, desks.value);
    if (!status || moving.has(ticket.number)) return false;
    const after: Ticket = { ...ticket, status: status.word, status_title: status.title, means: status.means };
    moving.set(ticket.number, { ticket: after, to: column.key });
    shift(ticket, after);
    try {
      const done = await ask<{ version: number }>("PATCH", `/tickets/${ticket.number}`, { version: ticket.version, status: status.word });
      moving.delete(ticket.number);
      const known = of(column).items.map((one) => (one.number === ticket.number ? { ...one, version: done.version } : one));
      cards.value = { ...cards.value, [column.key]: { items: known, next: of(column).next } };
      return true;
    } catch (problem) {
      moving.delete(ticket.number);
      if (find(ticket.number)) shift(after, ticket);
      throw problem;
    }
  }

  return { filter, columns, counts, of, count, find, load, refresh, more, move };
});
