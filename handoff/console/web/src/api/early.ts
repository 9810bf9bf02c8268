// Questions that the first page will ask, asked while its code is still on its way. Each answer is for one who asks, and for a moment.
const FRESH_MS = 10_000;
const answers = new Map<string, { answer: Promise<Response>; at: number }>();

/** How every question of the console is asked. */
export const READING: RequestInit = { method: "GET", headers: { "X-Frontline": "1", Accept: "application/json" }, credentials: "same-origin" };

/** Ask for a path of the API before anybody wants it. */
export function askEarly(path: string): void {
  const answer = fetch(`/api/v1${path}`, READING);
  answer.catch(() => undefined); // heard of by who takes it
  answers.set(path, { answer, at: performance.now() });
}

/** The answer that is on its way already, if there is one: taken away, so whoever asks again asks anew. */
export function early(path: string): Promise<Response> | undefined {
  const found = answers.get(path);
  answers.delete(path);
  return found && performance.now() - found.at < FRESH_MS ? found.answer : undefined;
}
