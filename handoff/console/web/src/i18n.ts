// What is said, in Russian or English. The account's language counts; before anybody is signed in, the browser's.
import { createI18n } from "vue-i18n";
import { browserLanguage, type Language, LANGUAGES, likelyLanguage, remember, wordsOf } from "./languages";

/** Russian has three forms for numbers: 1 заявка, 2 заявки, 5 заявок. */
export function russianForm(count: number, choices: number): number {
  const last = count % 10;
  const teen = count % 100 > 10 && count % 100 < 20;
  if (choices < 3) return count === 1 ? 0 : 1;
  if (last === 1 && !teen) return 0;
  return last >= 2 && last <= 4 && !teen ? 1 : 2;
}

export const i18n = createI18n({
  legacy: false as const,
  locale: likelyLanguage() as string,
  fallbackLocale: false as const, // both languages have the same words, and only one of them is loaded
  messages: {} as Record<string, never>,
  pluralRules: { ru: russianForm },
});

/** The words of a language are there from now on. What did not come is asked for again by the next call. */
export async function learn(language: Language): Promise<void> {
  const { availableLocales, setLocaleMessage } = i18n.global;
  if (!availableLocales.includes(language)) setLocaleMessage(language, (await wordsOf(language)) as never);
}

/** Everything is said in this language, or in the browser's where the account has none, as soon as its words are there. */
export async function speak(language: string): Promise<void> {
  const chosen = LANGUAGES.find((one) => one === language) ?? browserLanguage(navigator.languages);
  await learn(chosen);
  i18n.global.locale.value = chosen;
  document.documentElement.lang = chosen;
  remember(chosen);
}
