// A page that stays fresh: asked again every few seconds while somebody looks, ages growing in between.
import { onMounted, onUnmounted, ref, type Ref } from "vue";
import { skewOf } from "@/channels";
import { useLive } from "@/stores/live";

const TICK_MS = 1000;

/** `load` gives the server's own time, when it says so. `failed` hears of the first failure in a row; `now` is in milliseconds. */
export function useRefresh(load: () => Promise<string | void>, failed: (problem: unknown) => void, everyMs = 5000): { now: Ref<number>; again: () => Promise<void> } {
  const live = useLive();
  const now = ref(Date.now());
  let skew = 0;
  let well = true;
  let under: Promise<void> | null = null;

  async function ask(): Promise<void> {
    try {
      const at = await load();
      if (at) skew = skewOf(at, Date.now());
      now.value = Date.now() + skew;
      well = true;
    } catch (problem) {
      if (well) failed(problem);
      well = false;
    }
  }

  /** One question at a time; whoever asks meanwhile gets its answer. */
  function again(): Promise<void> {
    under ??= ask().finally(() => (under = null));
    return under;
  }

  const seen = (): void => void (document.hidden || again());
  const ticking = setInterval(() => (now.value = Date.now() + skew), TICK_MS);
  const asking = setInterval(seen, everyMs);
  const stop = live.hear((message) => void (message.type === "ready" && again()));
  onMounted(() => {
    document.addEventListener("visibilitychange", seen);
    void again();
  });
  onUnmounted(() => {
    document.removeEventListener("visibilitychange", seen);
    clearInterval(ticking);
    clearInterval(asking);
    stop();
  });
  return { now, again };
}
