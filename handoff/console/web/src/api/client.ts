// Every request of the console: one way out, one kind of error. Refusals are problem details (RFC 9457).
import { early, READING } from "./early";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Me = Schemas["Me"];
export type UserView = Schemas["UserView"];
export type MadeUser = Schemas["MadeUser"];
export type NewUser = Schemas["NewUser"];
export type UserChange = Schemas["UserChange"];
export type Device = Schemas["Device"];
export type AuditRow = Schemas["AuditRow"];
export type TokenView = Schemas["TokenView"];
export type Page<Item> = { items: Item[]; next: string | null };

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type Place = { pointer: string; detail: string };

/** A refusal, or no answer at all (`offline`). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly name: string,
    readonly title: string,
    readonly detail = "",
    readonly places: Place[] = [],
    readonly after = 0,
  ) {
    super(detail || title);
  }
}

/** Called when the session has ended: the pages ask to sign in again, and lose nothing. */
export let onSignedOut: () => void = () => undefined;

export function whenSignedOut(call: () => void): void {
  onSignedOut = call;
}

/** A key under which a write may be repeated and is done once. */
export function newKey(): string {
  return crypto.randomUUID();
}

export async function ask<Answer>(method: Method, path: string, body?: unknown, key = newKey()): Promise<Answer> {
  const headers: Record<string, string> = { ...(READING.headers as Record<string, string>) };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["Idempotency-Key"] = key;
  const made: RequestInit = { ...READING, method, headers };
  if (body !== undefined) made.body = JSON.stringify(body);
  let answer: Response;
  try {
    answer = await ((method === "GET" && early(path)) || fetch(`/api/v1${path}`, made));
  } catch {
    throw new Problem(0, "offline", "");
  }
  if (!answer.ok) throw await refusal(answer);
  return (answer.status === 204 ? undefined : await answer.json()) as Answer;
}

export type Uploaded = Schemas["Uploaded"];

/** Give the server a file; it comes back with the id that a reply names. Raises `Problem`. */
export async function upload(file: File): Promise<Uploaded> {
  const form = new FormData();
  form.append("file", file, file.name);
  const headers = { "X-Frontline": "1", Accept: "application/json" };
  let answer: Response;
  try {
    answer = await fetch("/api/v1/files", { method: "POST", headers, body: form, credentials: "same-origin" });
  } catch {
    throw new Problem(0, "offline", "");
  }
  if (!answer.ok) throw await refusal(answer);
  return (await answer.json()) as Uploaded;
}

async function refusal(answer: Response): Promise<Problem> {
  const said = (await answer.json().catch(() => ({}))) as Partial<Schemas["ProblemDetails"]>;
  const name = (said.type ?? "").replace("urn:frontline:", "") || "failed";
  const after = Number(answer.headers.get("Retry-After") ?? 0);
  if (name === "not-signed-in") onSignedOut();
  return new Problem(answer.status, name, said.title ?? "", said.detail ?? "", said.errors ?? [], after);
}

/** What is wrong at a field of a form, by the JSON pointer of the refusal. */
export function placeOf(problem: unknown, field: string): string {
  if (!(problem instanceof Problem)) return "";
  return problem.places.find((place) => place.pointer === `/${field}`)?.detail ?? "";
}
