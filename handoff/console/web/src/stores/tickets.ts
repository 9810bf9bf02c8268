// Tickets as lists and pages ask for them; the desks they belong to.
import { defineStore } from "pinia";
import { ref } from "vue";
import { ask } from "@/api/client";
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Ticket = Schemas["TicketItem"];
export type TicketPage = Schemas["TicketPageView"];
export type Desk = Schemas["DeskView"];
export const GROUPS = ["open", "waiting", "done"] as const;

export const useTickets = defineStore("tickets", () => {
  const desks = ref<Desk[]>([]);

  async function load(): Promise<void> {
    if (!desks.value.length) desks.value = (await ask<{ items: Desk[] }>("GET", "/desks")).items;
  }

  const of = (desk: string): Desk | undefined => desks.value.find((one) => one.desk === desk);
  return { desks, load, of };
});
