// Places of the console. The address is the state: what is shown can be opened again, or sent to a colleague.
import { createRouter, createWebHistory, type RouteRecordRaw, type Router } from "vue-router";
import type { Me } from "@/api/client";

declare module "vue-router" {
  interface RouteMeta {
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
  { path: "/reports/:name?", name: "reports", component: () => import("./pages/Reports.vue"), meta: { roles: NUMBERS } },
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

/** Whether an account of this role may see a page. The API decides again; this only spares a refusal. */
export function mayOpen(roles: readonly Me["role"][] | undefined, me: Me | null): boolean {
  return me !== null && (roles === undefined || roles.includes(me.role));
}

/** A path of our own to go to after signing in; anything else leads home. */
export function safeNext(next: unknown): string {
  return typeof next === "string" && /^\/(?![/\\])/.test(next) ? next : "/";
}

export function makeRouter(who: () => Me | null): Router {
  const router = createRouter({ history: createWebHistory("/console/"), routes });
  router.beforeEach((to) => {
    const me = who();
    if (to.name === "sign-in") return me === null ? true : safeNext(to.query.next);
    if (me === null) return { name: "sign-in", query: { next: to.fullPath } };
    if (to.path === "/work" && !mayOpen(to.meta.roles, me)) return { name: "reports" };
    return mayOpen(to.meta.roles, me) || { name: "nowhere", params: { rest: to.path.slice(1).split("/") } };
  });
  router.afterEach((to) => {
    const name = typeof to.name === "string" ? to.name : "";
    document.body.dataset.page = name;
  });
  return router;
}

/** Begin to load the page of a path; what cannot be had now is asked for again when it is opened. */
export function prefetch(router: Router, path: string): void {
  const place = router.resolve(path.replace(/^\/console/, "") || "/");
  const wanted = place.matched[0]?.redirect === undefined ? place : router.resolve("/work");
  const load = wanted.matched[0]?.components?.default as (() => Promise<unknown>) | undefined;
  load?.().catch(() => undefined);
}
