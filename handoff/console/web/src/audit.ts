// What a row of the audit tells besides who, what and about whom, in words.

/** Words for what is told: of its names, of roles, scopes and states; and the titles of lines. */
export type Say = { key: (name: string) => string; value: (key: string, name: string) => string; line: (id: string) => string };
const FIRST = ["name", "title", "role", "lines"]; // the rest as it comes
type Detail = Readonly<Record<string, unknown>>;

/** `роль: Старший`, one piece for each thing that is told. What was changed is named once, by its value where that is told. */
export function told(detail: Detail, say: Say): string[] {
  const place = (key: string): number => (FIRST.includes(key) ? FIRST.indexOf(key) : FIRST.length);
  const pieces = Object.entries(detail).sort(([one], [other]) => place(one) - place(other));
  return pieces.flatMap(([key, value]) => {
    if (key === "changed" && Array.isArray(value)) return rest(value.map(String), detail, say);
    if (value === false || value === null || value === "") return key === "active" ? [say.value(key, "false")] : [];
    if (value === true) return [say.value(key, "true")];
    return [`${say.key(key)}: ${inWords(key, value, say)}`];
  });
}

function rest(changed: readonly string[], detail: Detail, say: Say): string[] {
  const names = changed.filter((name) => !(name in detail)).map(say.key);
  return names.length ? [`${say.key("changed")}: ${names.join(", ")}`] : [];
}

function inWords(key: string, value: unknown, say: Say): string {
  if (key === "lines" && value !== null && typeof value === "object") {
    const lines = Object.entries(value as Record<string, unknown>);
    return lines.map(([id, role]) => `${say.line(id)} (${say.value("role", String(role)).toLowerCase()})`).sort().join(", ") || "—";
  }
  if (Array.isArray(value)) return value.map((one) => say.value(key, String(one))).join(", ") || "—";
  return value !== null && typeof value === "object" ? JSON.stringify(value) : say.value(key, String(value));
}

/** The number of the account that a row is about, none for anything else. */
export function accountOf(object: string): number | null {
  const found = /^user:(\d+)$/.exec(object);
  return found ? Number(found[1]) : null;
}
