import { describe, expect, it } from "vitest";

import { operationClassSchema } from "../../src/protocol/limits.ts";
import { ROUTES } from "../../src/rest/app.ts";
import { classOf } from "../../src/rest/operation-class.ts";

function classById(id: string) {
  const found = ROUTES.find((route) => route.id === id);
  if (found === undefined) throw new Error(`no route ${id}`);
  return classOf(found);
}

describe("the class of a route", () => {
  it.each([
    ["submit_task", "execute"],
    ["command_task", "execute"],
    ["create_webhook", "execute"],
    ["claim_tasks", "notify"],
    ["notify", "notify"],
    ["beat_heart", "notify"],
    ["connect_agent", "notify"],
    ["get_task", "status"],
    ["list_tasks", "status"],
    ["create_key", "admin"],
    ["list_keys", "admin"],
    ["get_health", null],
  ])("of %s is %s", (id, expected) => {
    expect(classById(id)).toBe(expected);
  });

  it.each(operationClassSchema.options)("is %s for some route", (operation) => {
    expect(ROUTES.map(classOf)).toContain(operation);
  });
});
