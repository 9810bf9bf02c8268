// Lists of links that are gone through by keys: J and K by their place on the keyboard, arrows, `/` to the words.
import { onMounted, onUnmounted, type Ref } from "vue";
import { type Binding, press } from "@/keys";
import { moved } from "@/commands";

/** Links with `data-find` in `box` can be moved over; Enter opens the one in focus, as a link does. */
export function useLinkKeys(box: Ref<HTMLElement | null>, words: () => HTMLElement | null | undefined): void {
  const links = (): HTMLElement[] => [...(box.value?.querySelectorAll<HTMLElement>("[data-find]") ?? [])];

  function step(by: number): void {
    const all = links();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const next = all[at < 0 && by > 0 ? 0 : moved(at, by, all.length)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  const bindings: Binding[] = [
    { code: "KeyJ", run: () => step(1) },
    { code: "KeyK", run: () => step(-1) },
    { code: "ArrowDown", run: () => step(1) },
    { code: "ArrowUp", run: () => step(-1) },
    { code: "Slash", run: () => words()?.focus() },
  ];

  function pressed(event: KeyboardEvent): void {
    if (document.querySelector('[role="dialog"]')) return;
    const fromWords = event.target === words() && event.code === "ArrowDown";
    if (fromWords) {
      event.preventDefault();
      return step(1);
    }
    press(event, bindings);
  }
  onMounted(() => addEventListener("keydown", pressed));
  onUnmounted(() => removeEventListener("keydown", pressed));
}
