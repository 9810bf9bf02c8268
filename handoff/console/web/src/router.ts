// Places of the console. The address is the state: what is shown can be opened again, or sent to a colleague.
import { createRouter, createWebHistory, type Router } from "vue-router";
import { openAnew, stayHere } from "@/again";
import type { Me } from "@/api/client";
import { routes } from "./routes";

export { routes };

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
  // Only the code of a page can be missing here: after an upgrade its file has another name.
  router.onError((_, to) => openAnew(router.resolve(to.fullPath).href));
  router.afterEach((to) => {
    stayHere();
    const name = typeof to.name === "string" ? to.name : "";
    document.body.dataset.page = name;
  });
  return router;
}
