// What people are called, for pages that know their numbers.
import { defineStore } from "pinia";
import { ref } from "vue";
import { ask, type Page, type UserView } from "@/api/client";

const MOST_PAGES = 20;

export const useAccounts = defineStore("accounts", () => {
  const titles = ref(new Map<number, string>());

  /** All that one may see. Raises `Problem`. */
  async function load(): Promise<void> {
    let cursor: string | null = "";
    for (let page = 0; cursor !== null && page < MOST_PAGES; page += 1) {
      const found: Page<UserView> = await ask<Page<UserView>>("GET", `/users?limit=200${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
      for (const user of found.items) titles.value.set(user.id, user.title);
      cursor = found.next;
    }
  }

  const of = (id: number): string | undefined => titles.value.get(id);
  return { load, of };
});
