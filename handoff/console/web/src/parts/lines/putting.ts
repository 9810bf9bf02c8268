// What the parts of the page ask of it: put a session somewhere, or open what can be done with it.
import type { InjectionKey } from "vue";
import type { Target } from "@/floor";
import type { Row } from "@/stores/work";

export type Wish = "menu" | "move" | "whisper" | "take" | "open";
export const PUT: InjectionKey<(row: Row, target: Target) => void> = Symbol("put");
export const WISH: InjectionKey<(row: Row, wish: Wish) => void> = Symbol("wish");
/** Keys on a session, by their place. */
export const WISHES: Record<string, Wish> = { KeyM: "move", KeyT: "move", KeyW: "whisper", KeyA: "take", KeyO: "open" };
