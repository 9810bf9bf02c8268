// What a prepared reply has left open: variables that nobody had a value for.
const HOLE = /\{\{\s*([^{}]+?)\s*\}\}/g;

/** Their names, each once. */
export function holesIn(text: string): string[] {
  return [...new Set([...text.matchAll(HOLE)].map((found) => found[1]!))];
}
