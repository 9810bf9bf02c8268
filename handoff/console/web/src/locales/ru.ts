// All words in Russian: one file for each area of the console. Their top-level names are disjoint.
import type { Words } from "@/languages";

const files = import.meta.glob<Words>("./*.ru.json", { eager: true, import: "default" });
export default Object.assign({}, ...Object.values(files)) as Words;
