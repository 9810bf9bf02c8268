// A form of a deed: carried out once, with its refusal in words; closed when it is done.
import { type Ref, ref } from "vue";
import { useI18n } from "vue-i18n";
import { newKey } from "@/api/client";
import { useTalk } from "@/stores/talk";
import { explain } from "@/words";

export type Acting = { wrong: Ref<string>; busy: Ref<boolean>; problem: Ref<unknown>; run: (more?: Record<string, unknown>) => Promise<void> };

export function useAct(name: string, done: () => void): Acting {
  const talk = useTalk();
  const words = useI18n();
  const [wrong, busy, problem] = [ref(""), ref(false), ref<unknown>(null)];
  let key = newKey();

  async function run(more: Record<string, unknown> = {}): Promise<void> {
    [wrong.value, problem.value, busy.value] = ["", null, true];
    try {
      await talk.act(name, more, key);
      done();
    } catch (refused) {
      key = newKey(); // what was refused may be asked again, in other words
      [wrong.value, problem.value] = [explain(refused, words), refused];
    } finally {
      busy.value = false;
    }
  }

  return { wrong, busy, problem, run };
}
