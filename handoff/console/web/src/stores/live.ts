// One live line for the whole page; parts say what they want to hear.
import { defineStore } from "pinia";
import { ref } from "vue";
import { type Incoming, Live, openSocket, type Outgoing } from "@/live";

type Listener = (message: Incoming) => void;

export const useLive = defineStore("live", () => {
  const online = ref(false);
  const listeners = new Set<Listener>();
  const line = new Live(
    openSocket,
    (message) => {
      for (const listener of listeners) listener(message);
    },
    (now) => (online.value = now),
  );

  /** Hear everything until the answer is called. */
  function hear(listener: Listener): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  return { online, hear, say: (message: Outgoing) => line.say(message), start: () => line.start(), stop: () => line.stop() };
});
