// Cards of clients as pages show them: what a change says, tags, and two cards beside each other.
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Card = Schemas["ClientView"];
export type CardField = Schemas["CardField"];
export type Preview = Schemas["JoinPreview"];
export type Edit = Schemas["EditView"];
export type Join = Schemas["JoinView"];

const TAG = "_tag:"; // how the history of a card names a tag

/** Tags with what somebody typed: several by commas, none twice, in the order of the server. */
export function withTags(tags: readonly string[], typed: string): string[] {
  const fresh = typed.split(/[,;\n]/u).map((one) => one.trim()).filter(Boolean); // prettier-ignore
  return [...new Set([...tags, ...fresh])];
}

export const withoutTag = (tags: readonly string[], tag: string): string[] => tags.filter((one) => one !== tag);

/** A value of the history as people read it. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined || value === "") return "";
  if (Array.isArray(value)) return value.map(valueText).join(", ");
  return typeof value === "object" ? Object.values(value).map(valueText).filter(Boolean).join(", ") : String(value);
}

/** The tag that a line of the history is about, empty when it is about something else. */
export const tagOf = (edit: Pick<Edit, "name">): string => (edit.name.startsWith(TAG) ? edit.name.slice(TAG.length) : "");

/** What a value of the card is called: as a flow calls it, else in our words, else by its name. */
export function labelOf(name: string, fields: readonly CardField[], ours: Record<string, string>): string {
  const label = fields.find((field) => field.name === name)?.label ?? name;
  return label === name ? (ours[name] ?? name) : label;
}

/** Our words for what every card has, and for what the flow of a solved ticket leaves there. */
export function ourLabels(t: (key: string) => string): Record<"name" | "tier" | "tags" | "phone" | "email" | "last_rating", string> {
  const contacts = { phone: t("client.contact.phone"), email: t("client.contact.email") };
  return { name: t("client.name"), tier: t("client.tier"), tags: t("merge.row.tags"), last_rating: t("client.lastRating"), ...contacts };
}

/** Fields that hold something or may be written. */
export const shownFields = (fields: readonly CardField[]): CardField[] => fields.filter((field) => field.text || field.editable);

/** A line of two cards beside each other, and of the card that they would become. */
export type Side = { key: string; label: string; one: string; other: string; both: string; differs: boolean };

type Labels = Record<"name" | "tier" | "tags", string> & Record<string, string>;
type Known = Pick<Card, "name" | "tier" | "tags" | "fields">;

/** What is known of at least one of two clients, line by line. */
export function sides(one: Known, other: Known, both: Known, labels: Labels): Side[] {
  const plain = (["name", "tier"] as const).map((key) => side(key, labels[key], one[key], other[key], both[key]));
  // Tags of both stay: there is nothing to choose between.
  const tags = { ...side("tags", labels.tags, one.tags.join(", "), other.tags.join(", "), both.tags.join(", ")), differs: false };
  const known = [...one.fields, ...other.fields];
  const names = new Map(known.map((field) => [field.name, labelOf(field.name, known, labels)]));
  const fields = [...names].map(([name, label]) => side(`field:${name}`, label, textIn(one, name), textIn(other, name), textIn(both, name)));
  return [...plain, tags, ...fields].filter((line) => line.one || line.other);
}

const textIn = (card: Known, name: string): string => card.fields.find((field) => field.name === name)?.text ?? "";

function side(key: string, label: string, one: string, other: string, both: string): Side {
  return { key, label, one, other, both, differs: Boolean(one && other && one !== other) };
}

/** The one join that can be undone now, as the server does it: the newest that stands. 0: none. */
export function undoable(joins: readonly Pick<Join, "id" | "state">[]): number {
  return Math.max(0, ...joins.filter((one) => one.state === "done").map((one) => one.id));
}
