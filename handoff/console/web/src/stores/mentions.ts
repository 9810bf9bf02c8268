// Notes that call one: how many are unread, for the edge of every page.
import { defineStore } from "pinia";
import { ref } from "vue";
import { ask } from "@/api/client";
import type { components } from "@/api/schema";
import type { Incoming } from "@/live";

type Schemas = components["schemas"];
export type Mention = Schemas["MentionView"];
export type Mentions = Schemas["Mentions"];
const SETTLE_MS = 200;

export const useMentions = defineStore("mentions", () => {
  const unread = ref(0);
  const seen = ref(0); // grows with everything that may have changed a list of them
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function count(): Promise<void> {
    unread.value = (await ask<Mentions>("GET", "/me/mentions?unread=true&limit=1")).unread;
  }

  /** A page of them; `unread` is of all. Raises `Problem`. */
  async function list(only: boolean, cursor = ""): Promise<Mentions> {
    const asked = Object.entries({ unread: only ? "true" : "", limit: "50", cursor }).filter(([, one]) => one);
    const page = await ask<Mentions>("GET", `/me/mentions?${new URLSearchParams(asked)}`);
    unread.value = page.unread;
    return page;
  }

  /** One that was read, or it and all before it. Raises `Problem`. */
  async function read(id: number, only: boolean): Promise<void> {
    await ask("POST", "/me/mentions/read", { up_to: id, only });
    await count();
  }

  function hear(message: Incoming): void {
    const mine = message.type === "change" && message.kind === "mention";
    if (!mine && message.type !== "ready" && message.type !== "reset") return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      seen.value += 1;
      void count().catch(() => undefined);
    }, SETTLE_MS);
  }

  return { unread, seen, count, list, read, hear };
});
