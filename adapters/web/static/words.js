// The page's settings and texts, as the server wrote them into <body>.
const data = document.body.dataset;
const texts = JSON.parse(data.words);

export const settings = {
  channel: data.channel,
  title: data.title,
  greeting: data.greeting,
  color: data.color,
  fileSize: Number(data.fileSize),
  language: document.documentElement.lang,
  base: location.pathname.replace(/\/+$/, ""),
};

/** The text of a key, its {places} filled. */
export function word(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A size in bytes for people. */
export function size(bytes) {
  const [unit, by, digits] = bytes < 1024 ? ["byte", 1, 0] : bytes < 1024 ** 2 ? ["kilobyte", 1024, 0] : ["megabyte", 1024 ** 2, 1];
  return new Intl.NumberFormat(settings.language, { style: "unit", unit, maximumFractionDigits: digits }).format(bytes / by);
}

/** A time to wait, for people. */
export function seconds(n) {
  const [unit, by] = n < 100 ? ["second", 1] : ["minute", 60];
  return new Intl.NumberFormat(settings.language, { style: "unit", unit, unitDisplay: "short" }).format(Math.ceil(n / by));
}

// British and American clocks differ: of the visitor's own languages, the one that the page speaks.
const locale = navigator.languages.find((tag) => tag.startsWith(settings.language)) ?? settings.language;
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const thisYear = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long" });
const anyYear = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });

/** Hours and minutes of a time in seconds. */
export function time(at) {
  return clock.format(new Date(at * 1000));
}

/** The day of a time in seconds, as people say it. */
export function day(at) {
  const date = new Date(at * 1000);
  const now = new Date();
  const ago = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86400000);
  if (ago === 0) return word("today");
  if (ago === 1) return word("yesterday");
  return (date.getFullYear() === now.getFullYear() ? thisYear : anyYear).format(date);
}
