// Whom a note calls while it is written: where an @ is being typed, who fits it, and the text with their name.
export type Called = { from: number; q: string };
export type Callable = { user: number; name: string; title: string };

// As the server reads names: an @ behind a letter, a dot or a plus is an address of e-mail.
const CALL = /(?:^|[^\p{L}\p{N}.+_-])@([\p{L}\p{N}._@+-]{0,40})$/u;
const MOST = 6;

/** The call that ends at the caret; null when none does. */
export function calledAt(text: string, caret: number): Called | null {
  const found = CALL.exec(text.slice(0, caret));
  return found ? { from: caret - (found[1]?.length ?? 0) - 1, q: found[1] ?? "" } : null;
}

/** People whose name, or a word of whose title, begins so; the order stays. */
export function callable(people: readonly Callable[], q: string): Callable[] {
  const wanted = q.toLowerCase();
  const fits = (one: Callable): boolean => [one.name, ...one.title.split(/\s+/u)].some((word) => word.toLowerCase().startsWith(wanted));
  return people.filter(fits).slice(0, MOST);
}

/** The text with the name instead of what was typed, and where the caret is then. */
export function withCall(text: string, called: Called, caret: number, name: string): { text: string; caret: number } {
  const rest = text.slice(caret);
  const written = `@${name}${rest.startsWith(" ") ? "" : " "}`;
  return { text: text.slice(0, called.from) + written + rest, caret: called.from + name.length + 2 };
}
