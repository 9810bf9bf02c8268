// Words that are being written, kept in this browser until they are sent: a tab that ends takes nothing with it.
import { ref, type Ref, watch } from "vue";

export function useKept(name: () => string): Ref<string> {
  const text = ref("");
  watch(name, (key) => (text.value = localStorage.getItem(key) ?? ""), { immediate: true });
  watch(text, (now) => (now ? localStorage.setItem(name(), now) : localStorage.removeItem(name())));
  return text;
}
