// What a picker offers, and where tickets and sessions for it come from.
import { ask, type Page } from "@/api/client";
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
type Ticket = Schemas["TicketItem"];
type Client = Schemas["ClientView"];
type Row = Schemas["ListRow"];

/** Something that can be chosen: `title` says what it is, `more` what it is told apart by. */
export type Pick<Value> = { key: string; title: string; more: string; value: Value };
export type TicketPick = Pick<Ticket>;
export type SessionAt = { conversation: number; session: number };

const MOST = 8;

/** Tickets that have these words or this number; of the client where nothing is said. Those in `without` are left out. */
export async function findTickets(q: string, client: number, without: readonly number[], more: (ticket: Ticket) => string): Promise<TicketPick[]> {
  const number = /^№?\s*(\d+)$/.exec(q)?.[1];
  const question: Record<string, string> = q ? { q: number ?? q } : { client: String(client) };
  const page = await ask<Page<Ticket>>("GET", `/tickets?${new URLSearchParams({ ...question, sort: "updated", limit: String(MOST + without.length) })}`);
  const found = page.items.filter((one) => !without.includes(one.number)).sort((one, other) => Number(String(other.number) === number) - Number(String(one.number) === number));
  return found.slice(0, MOST).map((one) => ({ key: String(one.number), title: `№ ${one.number} · ${one.title}`, more: more(one), value: one }));
}

export const sameSession = (one: SessionAt, other: SessionAt): boolean => one.conversation === other.conversation && one.session === other.session;

/** Sessions of the client, the newest first; with words those of clients whose name or phone fits. Those in `without` are left out. */
export async function findSessions(
  q: string,
  client: number,
  without: readonly SessionAt[],
  said: { own: (one: Client["sessions"][number]) => Said; row: (one: Row) => Said },
): Promise<Pick<SessionAt>[]> {
  const all = q ? await ofOthers(q, said.row) : await ofClient(client, said.own);
  return all.filter((one) => !without.some((known) => sameSession(known, one.value))).slice(0, MOST);
}

type Said = { title: string; more: string };

async function ofClient(client: number, said: (one: Client["sessions"][number]) => Said): Promise<Pick<SessionAt>[]> {
  const card = await ask<Client>("GET", `/clients/${client}`);
  return card.sessions.map((one) => picked({ conversation: one.conversation, session: one.number }, said(one)));
}

async function ofOthers(q: string, said: (one: Row) => Said): Promise<Pick<SessionAt>[]> {
  const page = await ask<Page<Row>>("GET", `/conversations?${new URLSearchParams({ view: "all", q, sort: "last", limit: String(MOST * 2) })}`);
  return page.items.map((one) => picked({ conversation: one.conversation, session: one.session }, said(one)));
}

const picked = (value: SessionAt, said: Said): Pick<SessionAt> => ({ key: `${value.conversation}.${value.session}`, ...said, value });
