// What there is around the open talk: the client's other channels, their tickets, how the sessions moved.
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { ask } from "@/api/client";
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Way = Schemas["WayView"];
export type Ticket = Schemas["TicketItem"];
export type Move = Schemas["Move"];

const TICKETS = 20;
const MOVES = 30;

export const useAround = defineStore("around", () => {
  const home = ref(0);
  const ways = ref<Way[]>([]);
  const tickets = ref<Ticket[]>([]);
  const moves = ref<Move[]>([]);

  /** The talks that one stream is made of; those of others are not seen. */
  const homes = computed(() => [home.value, ...ways.value.filter((way) => way.epoch !== null).map((way) => way.conversation)]);

  const hidden = computed(() => ways.value.filter((way) => way.epoch === null).length);

  function forget(conversation: number): void {
    if (conversation === home.value) return;
    [home.value, ways.value, tickets.value, moves.value] = [conversation, [], [], []];
  }

  async function loadWays(): Promise<void> {
    const wanted = home.value;
    const found = await ask<{ items: Way[] }>("GET", `/conversations/${wanted}/ways`);
    if (wanted === home.value) ways.value = found.items;
  }

  async function loadTickets(client: number): Promise<void> {
    const wanted = home.value;
    const found = await ask<{ items: Ticket[] }>("GET", `/tickets?client=${client}&sort=updated&limit=${TICKETS}`);
    if (wanted === home.value) tickets.value = found.items;
  }

  async function loadMoves(): Promise<void> {
    const wanted = home.value;
    const found = await ask<{ items: Move[] }>("GET", `/conversations/${wanted}/history?limit=${MOVES}`);
    if (wanted === home.value) moves.value = found.items;
  }

  return { home, ways, tickets, moves, homes, hidden, forget, loadWays, loadTickets, loadMoves };
});
