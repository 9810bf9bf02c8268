// Durations and deadlines as an operator reads them at a glance.

/** `40 с`, `12 мин`, `3 ч`, `2 дн`: one unit is enough in a list. */
export function short(seconds: number, unit: (name: "s" | "m" | "h" | "d", count: number) => string): string {
  const whole = Math.abs(seconds);
  if (whole < 60) return unit("s", Math.floor(whole));
  if (whole < 3600) return unit("m", Math.floor(whole / 60));
  if (whole < 48 * 3600) return unit("h", Math.floor(whole / 3600));
  return unit("d", Math.floor(whole / 86_400));
}

/** The hour of today, else the day. */
export function clock(at: string, locale: string, now = new Date()): string {
  const when = new Date(at);
  if (when.toDateString() === now.toDateString()) return when.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
  return when.toLocaleDateString(locale, { day: "2-digit", month: "2-digit" });
}

/** What is left of a promise, `passed` seconds after the server said so; by this page's stopwatch, so a wrong wall clock does no harm. */
export function lefter<Due extends { state: string; left: number }>(due: Due, passed: number): Due {
  if (due.state === "paused") return due;
  const left = due.left - passed;
  return { ...due, left, state: left < 0 ? "late" : due.state };
}
