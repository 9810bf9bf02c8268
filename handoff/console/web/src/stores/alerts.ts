// Sound and notification: looks at one's own sessions when something may be new, and tells of it as was chosen on this device.
import { defineStore } from "pinia";
import { ref, watch } from "vue";
import { type Choices, type Kind, type Look, loudest, type News, newsOf, readChoices, telling, unreadOf } from "@/alerts";
import { ask, type Page } from "@/api/client";
import type { components } from "@/api/schema";
import { showCount } from "@/badge";
import { i18n } from "@/i18n";
import type { Incoming } from "@/live";
import { play } from "@/sounds";
import type { Counts, Row } from "@/stores/work";

type Mentions = components["schemas"]["Mentions"];
const HERE = "alerts";
const TOLD = "alerts.told."; // which window told of it, so that of several only one does
const SETTLE_MS = 400;
const EVERY_MS = 20_000; // deadlines come near without any change
const YIELD_MS = 300; // a window that nobody looks at lets the one that is looked at be first
const KEEP_MS = 600_000;
const HELD_MS = 10_000; // by then every window reads that it was told
const { t } = i18n.global as unknown as { t: (key: string) => string };

export const useAlerts = defineStore("alerts", () => {
  const choices = ref<Choices>(readChoices(localStorage.getItem(HERE)));
  const counts = ref<Counts | null>(null);
  const unread = ref(0);
  const talks = ref(0); // of them, talks of one's own
  const permission = ref<NotificationPermission | "none">("Notification" in window ? Notification.permission : "none");
  let before: Look | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let clockwork: ReturnType<typeof setInterval> | undefined;
  let open: (conversation: number) => void = () => undefined;

  watch(choices, (now) => localStorage.setItem(HERE, JSON.stringify(now)), { deep: true });
  watch(unread, (now) => void showCount(now));

  async function look(): Promise<void> {
    const [mine, mentions, numbers] = await Promise.all([
      ask<Page<Row>>("GET", "/conversations?view=mine&sort=due&limit=200"),
      ask<Mentions>("GET", "/me/mentions?unread=true&limit=1"),
      ask<Counts>("GET", "/conversations/counts"),
    ]);
    const now: Look = { rows: mine.items, mentions: mentions.unread, newest: mentions.items[0] ?? null };
    [counts.value, unread.value, talks.value] = [numbers, unreadOf(now), unreadOf({ ...now, mentions: 0 })];
    const news = newsOf(before, now);
    before = { ...now, newest: now.newest ?? before?.newest ?? null };
    if (news.length) await tell(news);
  }

  const looked = (): boolean => document.visibilityState === "visible" && document.hasFocus();

  /** One window claims each piece of news: the one that is looked at, which stays quiet, or else the first. */
  async function tell(news: News[]): Promise<void> {
    if (!looked()) await new Promise((done) => setTimeout(done, YIELD_MS));
    const claimed = await Promise.all(news.map((one) => claim(one.key)));
    const mine = news.filter((_, at) => claimed[at]);
    const heard = mine.filter((one) => telling(one, choices.value, looked()).sound);
    const kind = loudest(heard);
    if (kind) void play(kind, choices.value.volume);
    for (const one of mine) if (telling(one, choices.value, looked()).notify) notify(one);
  }

  async function claim(key: string): Promise<boolean> {
    const name = TOLD + key;
    if (localStorage.getItem(name) || !(await first(name))) return false;
    const old = Object.keys(localStorage).filter((one) => one.startsWith(TOLD) && Date.now() - Number(localStorage.getItem(one)) > KEEP_MS);
    for (const one of old) localStorage.removeItem(one);
    localStorage.setItem(name, String(Date.now()));
    return true;
  }

  /** Whether no other window asks at the same time: what one writes into the storage another may read a moment later. */
  function first(name: string): Promise<boolean> {
    if (!navigator.locks) return Promise.resolve(true); // an address without TLS
    const held = (lock: Lock | null): Promise<void> | null => lock && new Promise((over) => setTimeout(over, HELD_MS));
    return new Promise((done) => void navigator.locks.request(name, { ifAvailable: true }, (lock) => (done(lock !== null), held(lock))));
  }

  /** Says what happened; who wrote and what only where that was chosen. */
  function notify(news: Pick<News, "kind" | "key" | "conversation" | "client" | "text">): boolean {
    if (!("Notification" in window) || Notification.permission !== "granted") return false;
    const { words } = choices.value;
    const title = words && news.client ? `${t(`alerts.news.${news.kind}`)}: ${news.client}` : t(`alerts.news.${news.kind}`);
    try {
      const made = new Notification(title, { body: words ? news.text : t("alerts.body"), tag: news.key, silent: true });
      made.onclick = () => {
        window.focus();
        if (news.conversation) open(news.conversation);
        made.close();
      };
      return true;
    } catch {
      return false; // some phones let only installed pages do it
    }
  }

  /** Asks the browser, which asks the person. */
  async function allow(): Promise<boolean> {
    if (!("Notification" in window)) return false;
    permission.value = await Notification.requestPermission();
    return permission.value === "granted";
  }

  const tryOut = (kind: Kind): Promise<boolean> => play(kind, choices.value.volume);
  const sample = (): boolean => notify({ kind: "message", key: `sample:${Date.now()}`, conversation: 0, client: t("alerts.sampleClient"), text: t("alerts.sampleText") });

  function hear(message: Incoming): void {
    if (["change", "gone", "ready", "reset"].includes(message.type)) settle();
  }

  function settle(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void look().catch(() => undefined), SETTLE_MS);
  }

  /** The page itself comes first; when the line is there by then, one look is for both. */
  function start(go: (conversation: number) => void): void {
    stop();
    open = go;
    clockwork = setInterval(() => void look().catch(() => undefined), EVERY_MS);
    settle();
  }

  function stop(): void {
    clearTimeout(timer);
    clearInterval(clockwork);
    [before, counts.value, unread.value, talks.value] = [null, null, 0, 0];
  }

  return { choices, counts, unread, talks, permission, hear, start, stop, allow, tryOut, sample };
});
