// Words that are being written, kept in this browser for the account until they are sent: a tab that ends takes nothing with it.
import { ref, type Ref, watch } from "vue";
import { keep, recall } from "@/kept";
import { useMe } from "@/stores/me";

export function useKept(name: () => string): Ref<string> {
  const me = useMe();
  const owner = me.account?.id ?? 0;
  const text = ref("");
  watch(name, (key) => (text.value = recall(owner, key)), { immediate: true });
  watch(text, (now) => keep(owner, name(), now));
  return text;
}
