// Requests to the server. The secret travels in a header, never in an address.
import { settings } from "./words.js";
import * as memory from "./memory.js";

const PATIENCE = 30000; // milliseconds one request may take; files take their time

/** The server turned a request down. `again` is true when a later try can help, `after` the seconds it asked for. */
export class Refused extends Error {
  constructor(status, code, message, after) {
    super(message);
    Object.assign(this, { status, code, after, again: status === 429 || status >= 500 || status === 0 || status === 408 });
  }
}

let token = memory.read("token");

export function secret() {
  return token;
}

/** Makes sure that this browser has a chat; tabs that open together end up with one secret. */
export async function session() {
  token = memory.read("token");
  if (token) return false;
  const made = await memory.alone("session", async () => {
    if (memory.read("token")) return false;
    memory.write("token", (await call("POST", "/session")).token);
    return true;
  });
  token = memory.read("token");
  return made;
}

/** The server does not know the secret: it is forgotten, and what was seen; unless another tab has a newer one already. */
export function forgetSecret() {
  if (memory.read("token") === token) ["token", "seen"].forEach(memory.forget);
  token = null;
}

export async function call(method, path, body) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  const answer = await reach(path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE) });
  return answer.json();
}

/** The bytes at a path under the chat's address: a file of this chat, or its thumbnail. */
export async function blob(path) {
  const answer = await reach(`/${path}`, { headers: { Authorization: `Bearer ${token}` } });
  return answer.blob();
}

async function reach(path, options) {
  let answer;
  try {
    options.headers["Accept-Language"] = settings.language;
    answer = await fetch(settings.base + path, { ...options, cache: path.startsWith("/files/") ? "default" : "no-store", credentials: "omit" });
  } catch {
    throw new Refused(0, "network", "", 0);
  }
  if (!answer.ok) throw await refusal(answer.status, answer.headers.get("Retry-After"), () => answer.json());
  return answer;
}

async function refusal(status, after, json) {
  let said = {};
  try {
    said = await json();
  } catch {
    said = {};
  }
  return new Refused(status, said.error ?? "", said.message ?? String(status), Number(after) || 0);
}

/** Sends one file; `progress` hears the share that is out. Returns {promise, abort}. */
export function upload(file, progress) {
  const request = new XMLHttpRequest();
  const promise = new Promise((resolve, reject) => {
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onerror = () => reject(new Refused(0, "network", "", 0));
    request.onabort = () => reject(new Refused(-1, "aborted", "", 0));
    request.onload = async () => {
      if (request.status < 300) return resolve(JSON.parse(request.responseText));
      reject(await refusal(request.status, request.getResponseHeader("Retry-After"), async () => JSON.parse(request.responseText)));
    };
    const form = new FormData();
    form.append("file", file, file.name || "file");
    request.open("POST", `${settings.base}/files`);
    request.setRequestHeader("Accept-Language", settings.language);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.send(form);
  });
  return { promise, abort: () => request.abort() };
}
