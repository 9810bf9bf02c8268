// All words in English: one file for each area of the console. Their top-level names are disjoint.
import type { Words } from "@/languages";

const files = import.meta.glob<Words>("./*.en.json", { eager: true, import: "default" });
export default Object.assign({}, ...Object.values(files)) as Words;
