// The time of now, for what counts down: one clock for all parts, which runs while there is one.
import { onMounted, onUnmounted, ref, type Ref } from "vue";

const EVERY_MS = 20_000;
const now = ref(Date.now());
let users = 0;
let timer: ReturnType<typeof setInterval> | undefined;

export function useNow(): Ref<number> {
  onMounted(() => {
    now.value = Date.now();
    if (users++ === 0) timer = setInterval(() => (now.value = Date.now()), EVERY_MS);
  });
  onUnmounted(() => {
    if (--users === 0) clearInterval(timer);
  });
  return now;
}
