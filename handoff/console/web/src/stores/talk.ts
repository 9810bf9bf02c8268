// The talk that is open: how it stands, what was said, and what one is about to say.
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { ask, newKey, Problem } from "@/api/client";
import type { components } from "@/api/schema";
import { type Bubble, type Item, lastPlace, merged, nameOf, type Pending, touches } from "@/bubbles";
import type { Incoming, Person } from "@/live";
import { useAround } from "@/stores/around";
import { isUnknown, useUnsent } from "@/stores/unsent";

type Schemas = components["schemas"];
export type Talk = Schemas["ConversationView"];
export type Field = Schemas["FieldView"];
type Messages = Schemas["Messages"];
type Timeline = Schemas["Timeline"];
type Page = { items: Item[]; before: number | string | null };
type Done = Schemas["ActDone"];

/** A talk that one saw and does not see any more; `by` is the deed of one's own that did it, empty when it was somebody else's. */
export type Lost = { id: number; name: string; by: string };

const SETTLE_MS = 60;
const PAGE = 100;
const FIRST_MS = 600;
const LONGEST_MS = 20_000;

export const useTalk = defineStore("talk", () => {
  const id = ref(0);
  const talk = ref<Talk | null>(null);
  const items = ref<Item[]>([]);
  const before = ref<number | string | null>(null); // where the stream goes on above: a place, or a cursor over all talks
  const quoted = ref<Bubble | null>(null); // what one is about to answer
  const around = useAround();
  const unsent = useUnsent();
  const pending = computed(() => unsent.of(id.value));
  const looking = ref<Person[]>([]);
  const answering = ref<Person | null>(null);
  const typing = ref(false);
  const failed = ref<unknown>(null);
  const lost = ref<Lost | null>(null);
  const deed = ref(""); // on its way
  const timers: Record<string, ReturnType<typeof setTimeout>> = {};

  const may = computed(() => new Set(talk.value?.acts ?? []));

  function forget(): void {
    [talk.value, items.value, before.value] = [null, [], null];
    [looking.value, answering.value, typing.value, failed.value] = [[], null, false, null];
    lost.value = null;
    quoted.value = null;
    around.forget(id.value);
  }

  async function show(wanted: number): Promise<void> {
    if (wanted === id.value && talk.value) return;
    id.value = wanted;
    forget();
    if (!wanted) return;
    unsent.open(wanted);
    await load();
  }

  /** How it stands and the end of what was said, in all channels of the client. */
  async function load(): Promise<void> {
    const wanted = id.value;
    try {
      const [now, page] = await Promise.all([ask<Talk>("GET", `/conversations/${wanted}`), lastPage(wanted), around.loadWays().catch(() => undefined)]);
      const whole = around.homes.length > 1 ? await allChannels(now.client.id, "") : page;
      if (wanted !== id.value) return;
      put(whole);
      settle(FIRST_MS);
      [talk.value, failed.value, lost.value] = [now, null, null];
      void read();
      void around.loadTickets(now.client.id).catch(() => undefined);
    } catch (problem) {
      if (wanted !== id.value) return;
      if (talk.value && problem instanceof Problem && problem.status === 404) lose();
      else if (!lost.value) failed.value = problem;
    }
  }

  /** It is on a line now that one does not see: nothing can be done with it any more, and that is said once. */
  function lose(): void {
    if (!talk.value) return;
    const gone: Lost = { id: id.value, name: talk.value.client.name, by: deed.value };
    forget();
    lost.value = gone;
  }

  /** What is on its way to the client is looked at again until it is known what became of it: nobody tells of that. */
  function settle(pause: number): void {
    clearTimeout(timers.settle);
    const [wanted, waits] = [id.value, items.value.some((item) => item.type === "message" && item.conversation === id.value && item.state === "pending")];
    if (!waits) return;
    timers.settle = setTimeout(async () => {
      const page = await lastPage(wanted).catch(() => null);
      if (wanted !== id.value) return;
      if (page && touches(items.value, page.items)) items.value = merged(items.value, page.items.filter((item) => known(item)));
      settle(Math.min(pause * 2, LONGEST_MS));
    }, pause);
  }

  const known = (item: Item): boolean => items.value.some((one) => nameOf(one) === nameOf(item));

  async function lastPage(conversation: number, place = ""): Promise<Page> {
    const page = await ask<Messages>("GET", `/conversations/${conversation}/messages?limit=${PAGE}${place}`);
    return { items: page.items, before: page.before };
  }

  async function allChannels(client: number, cursor: string): Promise<Page> {
    const more = cursor && `&before=${encodeURIComponent(cursor)}`;
    const page = await ask<Timeline>("GET", `/clients/${client}/timeline?limit=${PAGE}${more}`);
    return { items: page.items, before: page.next };
  }

  /** The end of the stream, read again. What lies between it and what was known is read above it, when one goes there. */
  function put(page: Page): void {
    const other = typeof page.before !== typeof before.value && before.value !== null && page.before !== null; // another channel has come
    const anew = items.value.length === 0 || other || !touches(items.value, page.items);
    if (anew) before.value = page.before;
    items.value = merged(anew ? [] : items.value, page.items);
  }

  async function older(): Promise<void> {
    const [wanted, from] = [id.value, before.value];
    if (from === null || !talk.value) return;
    const page = typeof from === "string" ? await allChannels(talk.value.client.id, from) : await lastPage(wanted, `&before=${from}`);
    if (wanted !== id.value || from !== before.value) return;
    [items.value, before.value] = [merged(page.items, items.value), page.before];
  }

  /** What the client wrote has been seen, while the window is looked at. */
  async function read(): Promise<void> {
    const last = lastPlace(items.value, id.value);
    if (!talk.value || last <= talk.value.read || !document.hasFocus()) return;
    talk.value.read = last;
    await ask("POST", `/conversations/${id.value}/read`, { seq: last }).catch(() => undefined);
  }

  /** A deed on the session as it is shown. Raises `Problem`. */
  async function act(name: string, more: Record<string, unknown> = {}, key = newKey()): Promise<Done> {
    const epoch = talk.value?.epoch ?? 0;
    deed.value = name;
    try {
      const done = await ask<Done>("POST", `/conversations/${id.value}/${name}`, { epoch, ...more }, key);
      await load();
      return done;
    } finally {
      deed.value = "";
    }
  }

  /** Words that are shown at once; the key makes a second try harmless. */
  async function say(text: string, note: boolean, files: string[] = [], canned: number | null = null, quote: number | null = null): Promise<void> {
    await send({ key: newKey(), text, note, at: new Date().toISOString(), failed: "", files, canned, quote });
  }

  async function send(words: Pending): Promise<void> {
    const home = id.value;
    const epoch = epochOf(words);
    unsent.put(home, { ...words, epoch, failed: "" });
    const body = words.note ? { text: words.text } : { epoch, text: words.text, files: words.files, canned: words.canned, quote: words.quote ?? null };
    try {
      await ask<Done>("POST", `/conversations/${home}/${words.note ? "note" : "reply"}`, body, words.key);
      if (home === id.value) await load();
      unsent.drop(home, words.key);
    } catch (problem) {
      const name = problem instanceof Problem ? problem.name : "failed";
      unsent.put(home, { ...words, epoch, failed: name });
    }
  }

  /** The session as it stood when the words were said: under one key goes one request, whatever the page knows when it says them
   * again. What was refused is asked for as the session stands now. */
  function epochOf(words: Pending): number {
    const now = talk.value?.epoch ?? 0;
    return isUnknown(words) ? (words.epoch ?? now) : now;
  }

  function drop(key: string): void {
    unsent.drop(id.value, key);
  }

  function later(name: string, ms: number, work: () => void): void {
    clearTimeout(timers[name]);
    timers[name] = setTimeout(work, ms);
  }

  function hear(message: Incoming): void {
    if (message.type === "reset" || message.type === "ready") later("load", SETTLE_MS, () => id.value && void load());
    if (!("conversation" in message) || !id.value) return;
    if (message.type === "change" && around.homes.includes(message.conversation)) later("load", SETTLE_MS, () => void load());
    if (message.conversation !== id.value) return;
    if (message.type === "gone") lose();
    if (message.type === "looking") looking.value = message.people;
    if (message.type === "answering") {
      answering.value = message.person;
      later("answering", message.seconds * 1000, () => (answering.value = null));
    }
    if (message.type === "client_types") {
      typing.value = true;
      later("typing", message.seconds * 1000, () => (typing.value = false));
    }
  }

  return {
    id, talk, items, before, quoted, pending, looking, answering, typing, failed, lost, may, // what is
    show, load, older, read, act, say, send, drop, hear, // what can be done
  }; // prettier-ignore
});
