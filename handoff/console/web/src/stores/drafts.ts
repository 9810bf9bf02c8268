// What one is writing is never lost: at once in this browser, a moment later on the server, for all devices.
import { defineStore } from "pinia";
import { reactive } from "vue";
import { ask, Problem } from "@/api/client";
import type { components } from "@/api/schema";
import { keep, recall } from "@/kept";
import { useMe } from "@/stores/me";

type Draft = components["schemas"]["DraftView"];
export type Kind = "reply" | "note";
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
    kept.set(key, { ...known, text });
    remember(key, text);
    clearTimeout(timers.get(key));
    timers.set(key, setTimeout(() => void save(conversation, kind), SAVE_MS));
  }

  /** What other devices wrote, unless something was written here that they do not know. */
  async function open(conversation: number): Promise<void> {
    for (const kind of ["reply", "note"] as const) await fetchDraft(conversation, kind).catch(() => undefined);
  }

  async function fetchDraft(conversation: number, kind: Kind): Promise<void> {
    const key = name(conversation, kind);
    const there = await ask<Draft>("GET", `/conversations/${conversation}/draft?kind=${kind}`);
    const text = unsaved(key) ?? there.text; // as it is now: people go on writing while we ask
    kept.set(key, { text, version: there.version, saved: there.text });
    if (text !== there.text) await save(conversation, kind);
  }

  /** What was written here and is not on the server. A page that was opened anew cannot know whether its words are. */
  function unsaved(key: string): string | undefined {
    const here = kept.get(key);
    if (!here) return recall(me.account?.id ?? 0, `draft.${key}`) || undefined;
    return here.text === here.saved ? undefined : here.text;
  }

  async function save(conversation: number, kind: Kind): Promise<void> {
    const key = name(conversation, kind);
    const draft = kept.get(key);
    if (!draft || draft.text === draft.saved) return;
    const { text } = draft;
    try {
      const done = await ask<Draft>("PUT", `/conversations/${conversation}/draft`, { kind, version: draft.version, text });
      kept.set(key, { ...(kept.get(key) ?? draft), version: done.version, saved: text });
    } catch (problem) {
      await clash(conversation, kind, problem);
    }
  }

  /** Another device wrote meanwhile: its version is taken note of, our words are kept and saved over it. */
  async function clash(conversation: number, kind: Kind, problem: unknown): Promise<void> {
    if (!(problem instanceof Problem) || problem.name !== "draft-changed") return;
    const key = name(conversation, kind);
    const there = await ask<Draft>("GET", `/conversations/${conversation}/draft?kind=${kind}`);
    const here = kept.get(key);
    if (here) kept.set(key, { ...here, version: there.version, saved: there.text });
    timers.set(key, setTimeout(() => void save(conversation, kind), SAVE_MS));
  }

  function remember(key: string, text: string): void {
    keep(me.account?.id ?? 0, `draft.${key}`, text);
  }

  return { read, write, open, save };
});
