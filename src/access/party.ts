import type { Principal } from "../protocol/access.ts";

/**
 * The name under which somebody's offences are counted: `address/<address>` or `key/<tenant>/<key_id>`.
 *
 * Neither tenants nor keys have a slash in them.
 */
export type PartyName = string;

/** An address, by its account. */
export function addressParty(account: string): PartyName {
  return `address/${account}`;
}

/** A key; an agent that signs and is bound to no key is its own. */
export function keyParty({ tenant, key_id, agent_id }: Principal): PartyName {
  return `key/${tenant}/${agent_id === undefined ? key_id : `agent:${agent_id}`}`;
}

/** The id of a block: the name without slashes, so that it fits into an address and says where it is kept. */
export function blockIdOf(name: PartyName): string {
  return name.replaceAll("/", "~");
}

/** Whose block an id means. */
export function nameOfBlock(block_id: string): PartyName {
  return block_id.replaceAll("~", "/");
}

/** What a name says. */
export function partOf(name: PartyName): {
  kind: "address" | "key";
  tenant: string | null;
  subject: string;
} {
  const [kind = "", first = "", ...rest] = name.split("/");
  return kind === "key"
    ? { kind: "key", tenant: first, subject: rest.join("/") }
    : { kind: "address", tenant: null, subject: [first, ...rest].join("/") };
}
