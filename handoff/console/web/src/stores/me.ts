// Who is signed in, and how they like the console.
import { defineStore } from "pinia";
import { ref, watch } from "vue";
import { ask, type Me, Problem, whenSignedOut } from "@/api/client";
import { speak } from "@/i18n";
import { forget } from "@/kept";

export const useMe = defineStore("me", () => {
  const account = ref<Me | null>(null);
  let last: number | undefined; // who was signed in before

  watch(account, (me) => {
    if (me === null) return;
    last = me.id;
    void speak(me.language).catch(() => undefined); // without its words the old language stays
    wear(me.theme);
  });
  whenSignedOut(() => (account.value = null));

  /** Who is here, and the words to talk to them. Nobody is signed in: no error, but a page to sign in. */
  async function load(): Promise<void> {
    try {
      account.value = await ask<Me>("GET", "/me");
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
    }
    await speak(account.value?.language ?? "");
  }

  async function signIn(name: string, password: string, code: string): Promise<void> {
    const fresh = await ask<Me>("POST", "/login", { name, password, code });
    // Somebody else sits down at the same page: nothing that it remembers is theirs.
    if (last !== undefined && last !== fresh.id) return location.reload();
    account.value = fresh;
  }

  /** Who leaves of their own will leaves no files behind; words that were begun stay for the next time. */
  async function signOut(): Promise<void> {
    await ask<void>("POST", "/logout");
    if (account.value) forget(account.value.id, "files.");
    account.value = null;
  }

  async function change(changes: { language?: string; theme?: string }): Promise<void> {
    account.value = await ask<Me>("PATCH", "/me", changes);
  }

  async function changePassword(old: string, fresh: string): Promise<void> {
    account.value = await ask<Me>("POST", "/me/password", { old, new: fresh });
  }

  return { account, load, signIn, signOut, change, changePassword };
});

/** `light`, `dark`, or as the system has it. */
export function wear(theme: string): void {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}
