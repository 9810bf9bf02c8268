// The lines of the deployment, read once and again when somebody asks.
import { defineStore } from "pinia";
import { ref } from "vue";
import { ask } from "@/api/client";
import type { components } from "@/api/schema";

export type Line = components["schemas"]["LineView"];

export const useLines = defineStore("lines", () => {
  const all = ref<Line[]>([]);
  let server = 0;

  async function load(): Promise<void> {
    const found = await ask<{ items: Line[]; now: string }>("GET", "/lines");
    [all.value, server] = [found.items, new Date(found.now).getTime() - performance.now()];
  }

  /** The server's clock, in milliseconds; this machine's until the server was heard. */
  const now = (): number => (server ? server + performance.now() : Date.now());

  const of = (id: string): Line | undefined => all.value.find((line) => line.id === id);
  return { all, load, now, of };
});
