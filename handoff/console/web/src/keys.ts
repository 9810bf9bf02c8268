// Keys by their place on the keyboard, so that they work in the Russian layout, too.
export type Binding = { code: string; run: () => void; shift?: boolean };

/** Whether a key press belongs to a field where people write. */
export function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
}

/** Carries out the binding of a key; true when there was one. Never while somebody writes, or with Ctrl, Alt or Meta. */
export function press(event: KeyboardEvent, bindings: readonly Binding[]): boolean {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || writes(event.target)) return false;
  const found = bindings.find((one) => one.code === event.code && (one.shift ?? false) === event.shiftKey);
  if (!found) return false;
  event.preventDefault();
  found.run();
  return true;
}
