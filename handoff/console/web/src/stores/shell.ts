// The frame of the console on this device: a narrow edge, or a phone with a bar at the bottom.
import { defineStore } from "pinia";
import { ref, watch } from "vue";

const HERE = "shell.narrow";
const PHONE = "(max-width: 720px)"; // as in the styles

export const useShell = defineStore("shell", () => {
  const narrow = ref(localStorage.getItem(HERE) === "1");
  const query = matchMedia(PHONE);
  const phone = ref(query.matches);
  const menu = ref(false);

  query.addEventListener("change", (event) => {
    phone.value = event.matches;
    menu.value = false;
  });
  watch(narrow, (now) => localStorage.setItem(HERE, now ? "1" : "0"));
  return { narrow, phone, menu };
});
