// Words on their way to the server, talk by talk. They outlive the tab: what was not answered can be sent again under its key.
import { defineStore } from "pinia";
import { reactive } from "vue";
import type { Pending } from "@/bubbles";
import { keep, recall } from "@/kept";
import { useMe } from "@/stores/me";

export const CUT_OFF = "cut-off"; // the tab went away before the server had answered

const UNKNOWN = [CUT_OFF, "offline", "failed", "under-way"]; // the server may have them

/** Whether nobody knows what became of words: they may only be said again exactly as they were. */
export function isUnknown(words: Pending): boolean {
  return UNKNOWN.includes(words.failed);
}

export const useUnsent = defineStore("unsent", () => {
  const me = useMe();
  const known = reactive(new Map<number, Pending[]>());
  const owner = (): number => me.account?.id ?? 0;
  const place = (conversation: number): string => `unsent.${conversation}`;

  function of(conversation: number): Pending[] {
    return known.get(conversation) ?? [];
  }

  /** What an earlier life of the page left behind. */
  function open(conversation: number): void {
    if (known.has(conversation)) return;
    known.set(
      conversation,
      read(recall(owner(), place(conversation))).map((one) => ({ ...one, failed: one.failed || CUT_OFF })),
    );
  }

  /** Words under their key: a further try takes the place of the one before. */
  function put(conversation: number, words: Pending): void {
    write(conversation, [...of(conversation).filter((one) => one.key !== words.key), words]);
  }

  function drop(conversation: number, key: string): void {
    write(conversation, of(conversation).filter((one) => one.key !== key)); // prettier-ignore
  }

  function write(conversation: number, all: Pending[]): void {
    known.set(conversation, all);
    keep(owner(), place(conversation), all.length ? JSON.stringify(all) : "");
  }

  return { of, open, put, drop };
});

/** Words as they were kept; what cannot be read is nothing. */
export function read(kept: string): Pending[] {
  try {
    const found: unknown = JSON.parse(kept || "[]");
    return Array.isArray(found) ? found.filter(isPending) : [];
  } catch {
    return [];
  }
}

function isPending(one: unknown): one is Pending {
  const words = one as Partial<Pending> | null;
  return typeof words?.key === "string" && typeof words.text === "string" && Array.isArray(words.files);
}
