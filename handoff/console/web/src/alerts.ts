// Who is told what, and when: the news between two looks at one's own sessions, and whether it may be heard. Pure.
import type { Row } from "@/stores/work";

export const KINDS = ["offer", "message", "deadline", "mention"] as const;
export type Kind = (typeof KINDS)[number];
export type Choices = Record<Kind, boolean> & {
  sound: boolean;
  /** Messages of the system, outside of the page. */
  notify: boolean;
  /** Whether they may show who wrote and what: others look at the same screen. */
  words: boolean;
  volume: number;
};
/** `key` is the same in every window that hears of it, so that only one of them tells. */
export type News = { kind: Kind; key: string; conversation: number; client: string; text: string };
export type Look = { rows: readonly Row[]; mentions: number; newest: { id: number; conversation: number; text: string } | null };

export const USUAL: Choices = { offer: true, message: true, deadline: true, mention: true, sound: true, notify: false, words: false, volume: 60 };

/** What was kept on this device; what is unknown or nonsense is as usual. */
export function readChoices(kept: string | null): Choices {
  let found: unknown;
  try {
    found = JSON.parse(kept ?? "{}");
  } catch {
    return { ...USUAL };
  }
  const known = typeof found === "object" && found !== null ? (found as Record<string, unknown>) : {};
  const sane = Object.entries(known).filter(([name, value]) => name in USUAL && typeof value === typeof USUAL[name as keyof Choices]);
  const choices = { ...USUAL, ...Object.fromEntries(sane) };
  return { ...choices, volume: Math.min(100, Math.max(0, choices.volume)) };
}

/** What happened between two looks. Before the first look nothing is news: one has just come. */
export function newsOf(before: Look | null, now: Look): News[] {
  if (before === null) return [];
  const known = new Map(before.rows.map((row) => [row.conversation, row]));
  const told = now.rows.flatMap((row) => ofRow(known.get(row.conversation), row));
  const called = now.newest && now.newest.id > (before.newest?.id ?? 0) && now.mentions > 0 ? [ofMention(now.newest)] : [];
  return [...told, ...called];
}

function ofRow(before: Row | undefined, row: Row): News[] {
  const about = { conversation: row.conversation, client: row.client.name, text: row.last?.text ?? "" };
  if (!before || before.epoch !== row.epoch) return [{ kind: "offer", key: `offer:${row.conversation}:${row.epoch}`, ...about }];
  const found: News[] = [];
  const fresh = row.last?.at !== before.last?.at || row.unread > before.unread;
  if (row.last?.author === "client" && fresh && row.unread > 0) {
    found.push({ kind: "message", key: `message:${row.conversation}:${row.last.at}:${row.unread}`, ...about });
  }
  if (isNear(row) && row.due!.state !== before.due?.state) {
    found.push({ kind: "deadline", key: `deadline:${row.conversation}:${row.due!.at}:${row.due!.state}`, ...about });
  }
  return found;
}

const isNear = (row: Row): boolean => row.due?.state === "soon" || row.due?.state === "late";

const ofMention = (mention: NonNullable<Look["newest"]>): News => ({
  kind: "mention",
  key: `mention:${mention.id}`,
  conversation: mention.conversation,
  client: "",
  text: mention.text,
});

export type Telling = { sound: boolean; notify: boolean };

/** Quiet while any window of the console is looked at, and about what was switched off. */
export function telling(news: News, choices: Choices, looked: boolean): Telling {
  if (looked || !choices[news.kind]) return { sound: false, notify: false };
  return { sound: choices.sound, notify: choices.notify };
}

/** Of several at once one is heard: the most urgent. */
export function loudest(news: readonly News[]): Kind | null {
  return (["deadline", "mention", "offer", "message"] as const).find((kind) => news.some((one) => one.kind === kind)) ?? null;
}

/** What waits to be read: talks of one's own with unread words, and mentions. */
export function unreadOf(look: Look): number {
  return look.rows.filter((row) => row.unread > 0).length + look.mentions;
}

/** The title of a window with the count before it. */
export function titled(title: string, count: number): string {
  return count > 0 ? `(${count > 99 ? "99+" : count}) ${title}` : title;
}
