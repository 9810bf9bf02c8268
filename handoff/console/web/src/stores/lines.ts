// The lines of the deployment, read once and again when somebody asks.
import { defineStore } from "pinia";
import { ref } from "vue";
import { ask } from "@/api/client";
import type { components } from "@/api/schema";

export type Line = components["schemas"]["LineView"];

export const useLines = defineStore("lines", () => {
  const all = ref<Line[]>([]);

  async function load(): Promise<void> {
    all.value = (await ask<{ items: Line[] }>("GET", "/lines")).items;
  }

  const of = (id: string): Line | undefined => all.value.find((line) => line.id === id);
  return { all, load, of };
});
