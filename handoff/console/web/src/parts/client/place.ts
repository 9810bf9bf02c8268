// A place of the open talk that the address names: `?seq=12` a message, `?note=3` a note, `?session=2` where a session begins.
import { watch } from "vue";
import { useRoute } from "vue-router";
import type { Item } from "@/bubbles";
import { useTalk } from "@/stores/talk";

export type Wanted = { there: (item: Item) => boolean; mark: string };

const NAMES = ["seq", "note", "session"] as const;

/** What a query asks for in a talk; null when it names no place. */
export function wantedOf(query: Record<string, unknown>, home: number): Wanted | null {
  for (const name of NAMES) {
    const said = query[name];
    const number = typeof said === "string" && /^\d{1,15}$/.test(said) ? Number(said) : 0;
    if (number) return { there: (item) => isThere(item, name, home, number), mark: `[data-${name}="${number}"]` };
  }
  return null;
}

function isThere(item: Item, name: (typeof NAMES)[number], home: number, number: number): boolean {
  if (item.conversation !== home) return false;
  if (item.type === "message") return name === "seq" && item.seq === number;
  if (item.type === "note") return name === "note" && item.id === number;
  return name === "session" && item.session.number === number;
}

/** Goes to the place once the talk is there, and again when the address names another. */
export function usePlace(seek: (wanted: Wanted) => void): void {
  const talk = useTalk();
  const route = useRoute();
  watch(
    () => [talk.id, talk.talk !== null, ...NAMES.map((name) => route.query[name])],
    () => {
      const wanted = talk.talk && talk.id === Number(route.params.id) ? wantedOf(route.query, talk.id) : null;
      if (wanted) seek(wanted);
    },
    { immediate: true, flush: "post" },
  );
}
