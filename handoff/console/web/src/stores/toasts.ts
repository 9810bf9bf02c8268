// Short messages at the edge of the screen; read aloud by screen readers, gone after a while.
import { defineStore } from "pinia";
import { ref } from "vue";

export type Toast = { id: number; text: string; bad: boolean };
const SHOWN_MS = 6000;

export const useToasts = defineStore("toasts", () => {
  const shown = ref<Toast[]>([]);
  let count = 0;

  function say(text: string, bad = false): void {
    const toast = { id: ++count, text, bad };
    shown.value.push(toast);
    setTimeout(() => drop(toast.id), SHOWN_MS);
  }

  function drop(id: number): void {
    shown.value = shown.value.filter((one) => one.id !== id);
  }

  return { shown, say, drop };
});
