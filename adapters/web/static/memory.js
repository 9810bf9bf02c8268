// What this browser keeps: the secret of the chat, what was read, and messages that have not arrived yet.
// Each waiting message has a key of its own, so that tabs never overwrite each other's.
import { settings } from "./words.js";

const prefix = `frontline:${settings.base}:`;
const fallback = new Map();
const store = open();
let lender = null; // a site that keeps our values when the browser forbids it to frames of others

export const blocked = store === null;

/** From now on the site around the frame keeps what is written; `values` is what it has kept so far. */
export function borrow(values, lend) {
  for (const [key, value] of Object.entries(values)) fallback.set(prefix + key, String(value));
  lender = lend;
}

function open() {
  try {
    localStorage.setItem(`${prefix}probe`, "1");
    localStorage.removeItem(`${prefix}probe`);
    return localStorage;
  } catch {
    return null; // blocked, or full: the chat works until the tab is closed
  }
}

export function read(key) {
  return (store ? store.getItem(prefix + key) : null) ?? fallback.get(prefix + key) ?? null;
}

export function write(key, value) {
  try {
    if (store) store.setItem(prefix + key, value);
    else lent(key, value);
  } catch {
    fallback.set(prefix + key, value);
  }
}

function lent(key, value) {
  fallback.set(prefix + key, value);
  lender?.(key, value);
}

export function forget(key) {
  fallback.delete(prefix + key);
  if (store) store.removeItem(prefix + key);
  else lender?.(key, null);
}

/** Messages on their way, oldest first. */
export function waiting() {
  const keys = [...fallback.keys(), ...(store ? Object.keys(store) : [])].filter((key) => key.startsWith(`${prefix}out:`));
  const entries = keys.map((key) => parse(store?.getItem(key) ?? fallback.get(key))).filter(Boolean);
  return entries.sort((a, b) => a.at - b.at);
}

function parse(raw) {
  try {
    return JSON.parse(raw);
  } catch {
    return null;
  }
}

export function keep(entry) {
  write(`out:${entry.id}`, JSON.stringify(entry));
}

export function drop(id) {
  forget(`out:${id}`);
}

/** A random id: the idempotency key of a message. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(15));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_");
}

/** Calls back with key, new and old value when another tab changes something (null: nothing is there). */
export function onChange(callback) {
  addEventListener("storage", (event) => {
    if (event.key?.startsWith(prefix)) callback(event.key.slice(prefix.length), event.newValue, event.oldValue);
  });
}

/** Does the work in one tab at a time; where browsers refuse locks (frames without storage) there is no other tab to meet. */
export async function alone(name, work) {
  let ran = false;
  try {
    return await navigator.locks.request(prefix + name, () => ((ran = true), work()));
  } catch (error) {
    if (ran) throw error;
    return work();
  }
}
