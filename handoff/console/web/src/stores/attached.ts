// Files that an answer is going to carry, talk by talk. Their bytes are with the server at once; which ones they are is kept in
// this browser until they are sent, so that neither another talk nor the end of the tab takes them away.
import { defineStore } from "pinia";
import { reactive } from "vue";
import { newKey, Problem, upload } from "@/api/client";
import { keep, recall } from "@/kept";
import { useMe } from "@/stores/me";

export const MOST = 10; // files of one answer, as the server takes them
export const KEPT = "files.";
/** A file; `id` is the server's, empty while it is on its way, `failed` why it did not arrive. */
export type Attached = { key: string; name: string; id: string; failed: unknown };

export const useAttached = defineStore("attached", () => {
  const me = useMe();
  const known = reactive(new Map<number, Attached[]>());
  const bytes = new Map<string, File>(); // of those that are not with the server yet

  const of = (conversation: number): Attached[] => known.get(conversation) ?? [];
  /** Whether some are on their way, or did not arrive: an answer without them is not what was meant. */
  const waits = (conversation: number): boolean => of(conversation).some((one) => !one.id);
  const fails = (conversation: number): boolean => of(conversation).some((one) => one.failed !== null);

  /** What an earlier life of the page has attached. */
  function open(conversation: number): void {
    if (!known.has(conversation)) known.set(conversation, read(recall(me.account?.id ?? 0, KEPT + conversation)));
  }

  function write(conversation: number, all: Attached[]): void {
    known.set(conversation, all);
    const there = all.filter((one) => one.id).map(({ key, name, id }) => ({ key, name, id }));
    if (me.account) keep(me.account.id, KEPT + conversation, there.length ? JSON.stringify(there) : "");
  }

  function put(conversation: number, key: string, changes: Partial<Attached>): void {
    write(conversation, of(conversation).map((one) => (one.key === key ? { ...one, ...changes } : one))); // prettier-ignore
  }

  /** Give files to the server for an answer in this talk, whichever talk is open when they arrive. Returns what was too much. */
  function add(conversation: number, files: readonly File[]): File[] {
    const room = Math.max(0, MOST - of(conversation).length);
    const taken = files.slice(0, room).map((file) => ({ file, one: { key: newKey(), name: file.name, id: "", failed: null } }));
    write(conversation, [...of(conversation), ...taken.map(({ one }) => one)]);
    for (const { file, one } of taken) {
      bytes.set(one.key, file);
      void send(conversation, one.key);
    }
    return files.slice(room);
  }

  async function send(conversation: number, key: string): Promise<void> {
    const file = bytes.get(key);
    if (!file) return;
    put(conversation, key, { failed: null });
    try {
      put(conversation, key, { id: (await upload(file)).id });
      bytes.delete(key);
    } catch (problem) {
      put(conversation, key, { failed: problem });
    }
  }

  /** What is not going to be sent after all. */
  function drop(conversation: number, key: string): void {
    bytes.delete(key);
    write(conversation, of(conversation).filter((one) => one.key !== key)); // prettier-ignore
  }

  /** The ids for the answer that is sent now; nothing is attached to the next one. */
  function take(conversation: number): string[] {
    const ids = of(conversation).map((one) => one.id).filter(Boolean); // prettier-ignore
    write(conversation, []);
    return ids;
  }

  return { of, waits, fails, open, add, send, drop, take };
});

const REFUSED = [400, 403, 413, 415, 422]; // for what the file is: another try is no help

export const mayRetry = (one: Attached): boolean => one.failed !== null && !(one.failed instanceof Problem && REFUSED.includes(one.failed.status));

/** Files as they were kept; what cannot be read is nothing. */
export function read(kept: string): Attached[] {
  try {
    const found: unknown = JSON.parse(kept || "[]");
    return Array.isArray(found) ? found.filter(isAttached).map((one) => ({ ...one, failed: null })) : [];
  } catch {
    return [];
  }
}

function isAttached(one: unknown): one is Attached {
  const file = one as Partial<Attached> | null;
  return typeof file?.key === "string" && typeof file.name === "string" && typeof file.id === "string" && file.id !== "";
}
