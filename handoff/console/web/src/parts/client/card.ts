// A client's card beside a talk or on its page: read, written over what was seen, read again when somebody else writes.
import { onScopeDispose, type Ref, ref, watch } from "vue";
import { useI18n } from "vue-i18n";
import { ask, newKey, Problem } from "@/api/client";
import type { components } from "@/api/schema";
import type { Card } from "@/clients";
import type { Incoming } from "@/live";
import { useLive } from "@/stores/live";
import { explain } from "@/words";

type Schemas = components["schemas"];
export type Suggestion = Schemas["SuggestionView"];
export type CardChange = { name?: string; tier?: string; tags?: string[]; fields?: Record<string, string> };

const SETTLE_MS = 150;

export type OpenCard = {
  card: Ref<Card | null>;
  alike: Ref<Suggestion[]>;
  wrong: Ref<string>;
  load: () => Promise<void>;
  change: (changes: CardChange) => Promise<string>;
  note: (text: string) => Promise<string>;
};

/** `home` is the talk that one writes from: if two clients turn out to be two after all, the words stay with it. */
export function useCard(id: Ref<number>, home: Ref<number>): OpenCard {
  const words = useI18n();
  const live = useLive();
  const card = ref<Card | null>(null);
  const alike = ref<Suggestion[]>([]);
  const wrong = ref("");
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function load(): Promise<void> {
    const wanted = id.value;
    if (!wanted) return;
    try {
      const found = await ask<Card>("GET", `/clients/${wanted}`);
      const maybe = await ask<{ items: Suggestion[] }>("GET", `/clients/${wanted}/suggestions`);
      if (wanted !== id.value) return;
      [card.value, alike.value, wrong.value] = [found, maybe.items, ""];
    } catch (problem) {
      if (wanted === id.value) wrong.value = explain(problem, words);
    }
  }

  /** Empty when it was done, else what is wrong, in words. */
  async function told(work: () => Promise<unknown>): Promise<string> {
    try {
      await work();
      return "";
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.name !== "card-changed") return detail(problem) || explain(problem, words);
      await load();
      return words.t("client.changedMeanwhile");
    }
  }

  function change(changes: CardChange): Promise<string> {
    const body = { version: card.value?.version ?? "", conversation: home.value, ...changes };
    return told(async () => (card.value = await ask<Card>("PATCH", `/clients/${id.value}`, body, newKey())));
  }

  function note(text: string): Promise<string> {
    return told(async () => {
      await ask("POST", `/clients/${id.value}/notes`, { text, conversation: home.value }, newKey());
      await load();
    });
  }

  function hear(message: Incoming): void {
    const mine = message.type === "change" && card.value?.talks.some((talk) => talk.conversation === message.conversation);
    const told = mine && ["client", "ticket", "session"].includes(message.kind);
    if (!told && message.type !== "ready" && message.type !== "reset") return;
    clearTimeout(timer);
    timer = setTimeout(() => void load(), SETTLE_MS);
  }

  const stop = live.hear(hear);
  onScopeDispose(() => {
    stop();
    clearTimeout(timer);
  });
  watch(
    id,
    () => {
      [card.value, alike.value, wrong.value] = [null, [], ""];
      void load();
    },
    { immediate: true },
  );
  return { card, alike, wrong, load, change, note };
}

/** What is wrong with the one value that was written. */
function detail(problem: unknown): string {
  return problem instanceof Problem && problem.name === "invalid" ? problem.places.map((place) => place.detail).join(" ") : "";
}
