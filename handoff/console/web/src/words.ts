// What went wrong, in the words of the person who reads it.
import type { Composer } from "vue-i18n";
import { Problem } from "@/api/client";

/** A refusal as a sentence. Its detail is the server's, where it says more than the title. */
export function explain(problem: unknown, { t, te }: Pick<Composer, "t" | "te">): string {
  if (!(problem instanceof Problem)) return t("problem.failed");
  const key = `problem.${problem.name}`;
  const said = te(key) ? t(key, { after: problem.after }) : problem.title || t("problem.failed");
  return problem.detail ? `${said}. ${problem.detail}` : said;
}

/** A moment as people write it: today only the hour. */
export function moment(at: string | null, locale: string, now = new Date()): string {
  if (at === null) return "—";
  const when = new Date(at);
  const sameDay = when.toDateString() === now.toDateString();
  const day: Intl.DateTimeFormatOptions = sameDay ? {} : { day: "2-digit", month: "2-digit", year: "numeric" };
  return when.toLocaleString(locale, { ...day, hour: "2-digit", minute: "2-digit" });
}
