// The command bar, and what parts of the page offer in it while they are there.
import { defineStore } from "pinia";
import { getCurrentScope, onMounted, onScopeDispose, onUnmounted, ref, shallowReactive } from "vue";

/** `key` is the name of its words; `given` goes into them. */
export type Offer = { key: string; given?: Record<string, unknown>; hint?: string; run: () => void };

/** Parts in the order in which what they offer is shown. */
const ORDER = ["talk", "work", "client"] as const;
export type Part = (typeof ORDER)[number];

export const useBar = defineStore("bar", () => {
  const open = ref(false);
  const offers = shallowReactive(new Map<Part, () => Offer[]>());

  /** In `setup`: offered for as long as the part lives. */
  function offer(part: Part, make: () => Offer[]): void {
    offers.set(part, make);
    if (getCurrentScope()) onScopeDispose(() => offers.get(part) === make && offers.delete(part));
  }

  const offered = (): Offer[] => ORDER.flatMap((part) => offers.get(part)?.() ?? []);
  return { open, offer, offered };
});

/** Ctrl+K by the place of the key, so also in the Russian layout, and while somebody writes; not over another dialog. */
export function useBarKey(may: () => boolean): void {
  const bar = useBar();

  function pressed(event: KeyboardEvent): void {
    const isKey = event.code === "KeyK" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (!isKey || !may()) return;
    event.preventDefault();
    if (bar.open) bar.open = false;
    else if (!document.querySelector('[role="dialog"], [role="alertdialog"]')) bar.open = true;
  }
  onMounted(() => addEventListener("keydown", pressed, true));
  onUnmounted(() => removeEventListener("keydown", pressed, true));
}
