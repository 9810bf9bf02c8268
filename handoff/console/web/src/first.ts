// What a page asks the server for first, by its name: asked before its code is there. The same functions make the page's own questions.
export const VIEWS = ["mine", "queue", "waiting", "held", "bot", "all"] as const;
export type View = (typeof VIEWS)[number];

const LIST = 200;
export const COUNTS = "/conversations/counts";

/** The list of the working window; what the address names and nobody knows is one's own. */
export const viewOf = (named: unknown): View => VIEWS.find((one) => one === named) ?? "mine";

export function listPath(view: View, line: string, q: string): string {
  const sort = view === "queue" || view === "mine" ? "due" : "last";
  return `/conversations?${new URLSearchParams({ view, line, q, sort, limit: String(LIST) })}`;
}

export const DESKS = "/desks";
export const REPORTS = "/reports";

type Asked = (query: URLSearchParams) => string[];
const work: Asked = (query) => [listPath(viewOf(query.get("view")), "", query.get("q") ?? ""), COUNTS];
const FIRST: Record<string, Asked> = { work, tickets: () => [DESKS], board: () => [DESKS], reports: () => [REPORTS] };

/** Paths of the API that the page of this name will ask for, given what stands in its address. */
export const firstOf = (name: string, query: URLSearchParams): string[] => FIRST[name]?.(query) ?? [];
