// Words in Russian and English. The account's language counts; before anybody is signed in, the browser's.
import { createI18n } from "vue-i18n";

type Words = Record<string, unknown>;
// One file for each area of the console and language: `<area>.<language>.json`. Their top-level names are disjoint.
const files = import.meta.glob<Words>("./locales/*.json", { eager: true, import: "default" });

function wordsOf(language: string): Words {
  const found = Object.entries(files).filter(([name]) => name.endsWith(`.${language}.json`));
  return Object.assign({}, ...found.map(([, words]) => words)) as Words;
}

export const LANGUAGES = ["ru", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Russian has three forms for numbers: 1 заявка, 2 заявки, 5 заявок. */
export function russianForm(count: number, choices: number): number {
  const last = count % 10;
  const teen = count % 100 > 10 && count % 100 < 20;
  if (choices < 3) return count === 1 ? 0 : 1;
  if (last === 1 && !teen) return 0;
  return last >= 2 && last <= 4 && !teen ? 1 : 2;
}

/** The language of somebody of whom only the browser's wishes are known. */
export function browserLanguage(wishes: readonly string[]): Language {
  return wishes.some((wish) => wish.toLowerCase().startsWith("ru")) ? "ru" : wishes.length ? "en" : "ru";
}

export const i18n = createI18n({
  legacy: false,
  locale: browserLanguage(navigator.languages),
  fallbackLocale: "en",
  messages: { ru: wordsOf("ru"), en: wordsOf("en") } as never,
  pluralRules: { ru: russianForm },
});

export function speak(language: string): void {
  const chosen = LANGUAGES.find((one) => one === language) ?? browserLanguage(navigator.languages);
  i18n.global.locale.value = chosen;
  document.documentElement.lang = chosen;
}
