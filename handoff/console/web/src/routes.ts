// Places of the console as data: also read by what runs before the router is there.
import type { RouteRecordRaw } from "vue-router";
import type { Me } from "@/api/client";

declare module "vue-router" {
  interface RouteMeta {
    also?: () => Promise<unknown>; // what the page will load when it is there
    bare?: boolean;
    inner?: boolean; // a page of its own, but no place at the edge
    roles?: readonly Me["role"][];
  }
}

const ADMIN = ["admin"] as const;
const NUMBERS = ["supervisor", "analyst", "admin"] as const;
const SUPERVISORS = ["supervisor", "admin"] as const;
const WORKERS = ["operator", "supervisor", "admin"] as const;

export const routes: RouteRecordRaw[] = [
  { path: "/", redirect: () => "/work" },
  { path: "/sign-in", name: "sign-in", component: () => import("./pages/SignIn.vue"), meta: { bare: true } },
  { path: "/work/:id(\\d+)?", name: "work", component: () => import("./pages/Work.vue"), meta: { roles: WORKERS } },
  { path: "/tickets", name: "tickets", component: () => import("./pages/Tickets.vue"), meta: { roles: WORKERS } },
  { path: "/tickets/board", name: "board", component: () => import("./pages/Board.vue"), meta: { roles: WORKERS, inner: true } },
  { path: "/tickets/:number(\\d+)", name: "ticket", component: () => import("./pages/Ticket.vue"), meta: { roles: WORKERS, inner: true } },
  { path: "/clients", name: "clients", component: () => import("./pages/Clients.vue"), meta: { roles: WORKERS } },
  { path: "/clients/:id(\\d+)", name: "client", component: () => import("./pages/Client.vue"), meta: { roles: WORKERS, inner: true } },
  { path: "/search", name: "search", component: () => import("./pages/Search.vue"), meta: { roles: WORKERS } },
  { path: "/mentions", name: "mentions", component: () => import("./pages/Mentions.vue"), meta: { roles: WORKERS } },
  { path: "/lines", name: "lines", component: () => import("./pages/Lines.vue"), meta: { roles: SUPERVISORS } },
  { path: "/reports/:name?", name: "reports", component: () => import("./pages/Reports.vue"), meta: { roles: NUMBERS, also: () => import("./parts/Chart.vue") } },
  { path: "/flows", name: "flows", component: () => import("./pages/Flows.vue"), meta: { roles: NUMBERS } },
  { path: "/flows/:id", name: "flow", component: () => import("./pages/Flow.vue"), meta: { roles: NUMBERS, inner: true } },
  { path: "/profile", name: "profile", component: () => import("./pages/Profile.vue") },
  { path: "/channels", name: "channels", component: () => import("./pages/Channels.vue"), meta: { roles: ADMIN } },
  { path: "/hooks", name: "hooks", component: () => import("./pages/Hooks.vue"), meta: { roles: ADMIN } },
  { path: "/tokens", name: "tokens", component: () => import("./pages/Tokens.vue"), meta: { roles: ADMIN } },
  { path: "/users", name: "users", component: () => import("./pages/Users.vue"), meta: { roles: ADMIN } },
  { path: "/audit", name: "audit", component: () => import("./pages/Audit.vue"), meta: { roles: ADMIN } },
  { path: "/:rest(.*)*", name: "nowhere", component: () => import("./pages/Nowhere.vue") },
];

/** The place that a path leads to, by the same rules as the router's. */
export function placeOf(path: string): RouteRecordRaw | undefined {
  const wanted = path === "/" ? "/work" : path;
  return routes.find((one) => shapeOf(one.path).test(wanted));
}

const shapeOf = (path: string): RegExp =>
  new RegExp(`^${path.replace(/\/:\w+(?:\((.*)\))?([?*]?)/g, (_, shape: string | undefined, often: string) => `(?:/(${shape ?? "[^/]+"}))${often}`)}/?$`);
