// The address of a page of flows is its state: what it says, and how to change a part of it.
import { computed, type ComputedRef } from "vue";
import { useRoute, useRouter } from "vue-router";

export type Said = Record<string, string>;
export type Address = {
  said: ComputedRef<Said>;
  period: ComputedRef<string>;
  change: (changes: Said, replace?: boolean) => void;
};

/** A question to the API; what is empty is left out. */
export function question(said: Said): string {
  const given = Object.entries(said).filter(([, value]) => value);
  return given.length ? `?${new URLSearchParams(given).toString()}` : "";
}

export function useAddress(): Address {
  const [route, router] = [useRoute(), useRouter()];
  const said = computed<Said>(() =>
    Object.fromEntries(Object.entries(route.query).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : []))),
  );
  const period = computed(() => question({ from: said.value.from ?? "", to: said.value.to ?? "", channel: said.value.channel ?? "" }));

  function change(changes: Said, replace = false): void {
    const query = Object.fromEntries(Object.entries({ ...said.value, ...changes }).filter(([, value]) => value));
    void router[replace ? "replace" : "push"]({ query, params: route.params });
  }
  return { said, period, change };
}
