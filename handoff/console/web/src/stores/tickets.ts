// The desks that tickets belong to, read once.
import { defineStore } from "pinia";
import { ref } from "vue";
import { ask } from "@/api/client";
import { DESKS } from "@/first";
import type { Desk } from "@/tickets";

export { GROUPS, type Desk, type Ticket, type TicketPage } from "@/tickets";

export const useTickets = defineStore("tickets", () => {
  const desks = ref<Desk[]>([]);

  async function load(): Promise<void> {
    if (!desks.value.length) desks.value = (await ask<{ items: Desk[] }>("GET", DESKS)).items;
  }

  const of = (desk: string): Desk | undefined => desks.value.find((one) => one.desk === desk);
  return { desks, load, of };
});
