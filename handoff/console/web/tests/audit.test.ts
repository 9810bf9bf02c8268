// What the audit tells, in words.
import { describe, expect, it } from "vitest";
import { accountOf, type Say, told } from "@/audit";

const say: Say = { key: (name) => name.toUpperCase(), value: (key, name) => `${key}=${name}`, line: (id) => `«${id}»` };

describe("what a row tells", () => {
  it.each([
    [{ role: "operator", lines: { support: "supervisor" } }, ["ROLE: role=operator", "LINES: «support» (role=supervisor)"]],
    [{ lines: {} }, ["LINES: —"]],
    [{ lines: { b: "operator", a: "operator" }, name: "anna" }, ["NAME: name=anna", "LINES: «a» (role=operator), «b» (role=operator)"]],
    [{ changed: ["password", "role"], role: "admin" }, ["ROLE: role=admin", "CHANGED: PASSWORD"]],
    [{ changed: ["active"], active: false }, ["active=false"]],
    [{ max_sessions: 2, today: true }, ["MAX_SESSIONS: max_sessions=2", "today=true"]],
    [{ max_sessions: 0, today: false }, ["MAX_SESSIONS: max_sessions=0"]],
    [{ name: "CRM", scopes: ["me:read"] }, ["NAME: name=CRM", "SCOPES: scopes=me:read"]],
    [{ new: { a: 1 } }, ['NEW: {"a":1}']],
    [{}, []],
  ])("%j", (detail, words) => expect(told(detail, say)).toEqual(words));
  it.each([["user:12", 12], ["user:1x", null], ["channel:telegram", null], ["", null]])("%s is about", (object, id) => expect(accountOf(object)).toBe(id));
});
