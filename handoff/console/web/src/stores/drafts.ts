// What one is writing is never lost: at once in this browser, a moment later on the server, for all devices.
import { defineStore } from "pinia";
import { reactive } from "vue";
import { ask, Problem } from "@/api/client";
import type { components } from "@/api/schema";
import { keep, recall } from "@/kept";
import { useMe } from "@/stores/me";

type Draft = components["schemas"]["DraftView"];
const KINDS = ["reply", "note"] as const;
export type Kind = (typeof KINDS)[number];
type Kept = { text: string; version: number; saved: string };

const SAVE_MS = 700;

export const useDrafts = defineStore("drafts", () => {
  const me = useMe();
  const kept = reactive(new Map<string, Kept>());
  const timers = new Map<string, ReturnType<typeof setTimeout>>();

  const name = (conversation: number, kind: Kind): string => `${conversation}.${kind}`;

  function read(conversation: number, kind: Kind): string {
    return kept.get(name(conversation, kind))?.text ?? "";
  }

  function write(conversation: number, kind: Kind, text: string): void {
    const key = name(conversation, kind);
    const known = kept.get(key) ?? { text: "", version: 0, saved: "" };
    put(key, { ...known, text });
    clearTimeout(timers.get(key));
    timers.set(key, setTimeout(() => void save(conversation, kind), SAVE_MS));
  }

  /** What other devices wrote, unless something was written here that they do not know. */
  async function open(conversation: number): Promise<void> {
    for (const kind of KINDS) recallDraft(name(conversation, kind));
    for (const kind of KINDS) await fetchDraft(conversation, kind).catch(() => undefined);
  }

  /** Words of an earlier life of the page are there at once, also without the network: nobody begins anew over them. */
  function recallDraft(key: string): void {
    if (!kept.has(key)) kept.set(key, { text: here("draft", key), version: 0, saved: here("saved", key) });
  }

  const here = (what: string, key: string): string => recall(me.account?.id ?? 0, `${what}.${key}`);

  /** Kept in this browser with what the server is known to have: a page opened anew knows which of the two goes on. */
  function put(key: string, draft: Kept): void {
    kept.set(key, draft);
    keep(me.account?.id ?? 0, `draft.${key}`, draft.text);
    keep(me.account?.id ?? 0, `saved.${key}`, draft.saved);
  }

  async function fetchDraft(conversation: number, kind: Kind): Promise<void> {
    const key = name(conversation, kind);
    const there = await ask<Draft>("GET", `/conversations/${conversation}/draft?kind=${kind}`);
    const now = kept.get(key); // people go on writing while we ask
    const text = now && now.text !== now.saved ? now.text : there.text;
    put(key, { text, version: there.version, saved: there.text });
    if (text !== there.text) await save(conversation, kind);
  }

  async function save(conversation: number, kind: Kind): Promise<void> {
    const key = name(conversation, kind);
    const draft = kept.get(key);
    if (!draft || draft.text === draft.saved) return;
    const { text } = draft;
    try {
      const done = await ask<Draft>("PUT", `/conversations/${conversation}/draft`, { kind, version: draft.version, text });
      put(key, { ...(kept.get(key) ?? draft), version: done.version, saved: text });
    } catch (problem) {
      await clash(conversation, kind, problem);
    }
  }

  /** Another device wrote meanwhile: its version is taken note of, our words are kept and saved over it. */
  async function clash(conversation: number, kind: Kind, problem: unknown): Promise<void> {
    if (!(problem instanceof Problem) || problem.name !== "draft-changed") return;
    const key = name(conversation, kind);
    const there = await ask<Draft>("GET", `/conversations/${conversation}/draft?kind=${kind}`);
    const now = kept.get(key);
    if (now) put(key, { ...now, version: there.version, saved: there.text });
    timers.set(key, setTimeout(() => void save(conversation, kind), SAVE_MS));
  }

  return { read, write, open, save };
});
