// The command bar, and what parts of the page offer in it while they are there.
import { defineStore } from "pinia";
import { getCurrentScope, onScopeDispose, ref, shallowReactive } from "vue";

/** `key` is the name of its words; `given` goes into them. */
export type Offer = { key: string; given?: Record<string, unknown>; hint?: string; run: () => void };

export const useBar = defineStore("bar", () => {
  const open = ref(false);
  const offers = shallowReactive(new Map<string, () => Offer[]>());

  /** In `setup`: offered for as long as the part lives. */
  function offer(part: string, make: () => Offer[]): void {
    offers.set(part, make);
    if (getCurrentScope()) onScopeDispose(() => offers.get(part) === make && offers.delete(part));
  }

  const offered = (): Offer[] => [...offers.values()].flatMap((make) => make());
  return { open, offer, offered };
});
