import * as z from "zod";

/**
 * Classes of operations, each with a budget of its own, so that a flood of one leaves the others usable: `execute`
 * orders work, `notify` is what executors do about theirs, `status` reads, `admin` governs.
 */
export const operationClassSchema = z
  .enum(["execute", "notify", "status", "admin"])
  .meta({ id: "OperationClass", title: "Class of operations" });
export type OperationClass = z.infer<typeof operationClassSchema>;
