// The languages of the console, and where their words are.
export type Words = Record<string, unknown>;
export const LANGUAGES = ["ru", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

const LAST = "language"; // what was spoken here last, so that its words come with the next page

const FILES: Record<Language, () => Promise<{ default: Words }>> = {
  ru: () => import("./locales/ru"),
  en: () => import("./locales/en"),
};

/** All words of a language. They come once. */
export const wordsOf = (language: Language): Promise<Words> => FILES[language]().then((file) => file.default);

/** The language of somebody of whom only the browser's wishes are known. */
export function browserLanguage(wishes: readonly string[]): Language {
  return wishes.some((wish) => wish.toLowerCase().startsWith("ru")) ? "ru" : wishes.length ? "en" : "ru";
}

/** The one that will most likely be spoken. */
export function likelyLanguage(): Language {
  const last = localStorage.getItem(LAST);
  return LANGUAGES.find((one) => one === last) ?? browserLanguage(navigator.languages);
}

/** Remember what is spoken. A browser that keeps nothing is no reason to be silent. */
export function remember(language: Language): void {
  try {
    localStorage.setItem(LAST, language);
  } catch {
    return;
  }
}
