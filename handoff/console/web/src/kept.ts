// What this browser keeps of an account over reloads and crashes of the tab. Who else signs in here does not see it.
export const HERE = "frontline.";

const name = (owner: number, what: string): string => `${HERE}${owner}.${what}`;

/** The words that were kept, or none. */
export function recall(owner: number, what: string): string {
  return localStorage.getItem(name(owner, what)) ?? "";
}

/** Keep words; none forget the name. A browser that keeps nothing (full, forbidden) is no reason to stop working. */
export function keep(owner: number, what: string, words: string): void {
  try {
    if (words) localStorage.setItem(name(owner, what), words);
    else localStorage.removeItem(name(owner, what));
  } catch {
    return;
  }
}

/** Forget everything of an account whose name begins so. */
export function forget(owner: number, begins: string): void {
  const all = Array.from({ length: localStorage.length }, (_, at) => localStorage.key(at) ?? "");
  for (const one of all) if (one.startsWith(name(owner, begins))) localStorage.removeItem(one);
}
