import { AddressLimit } from "./access/address-limit.ts";
import { accountOfAddress } from "./access/address.ts";
import { createBlocks } from "./access/blocks.ts";
import type { OffenderDoor } from "./access/offender-door.ts";
import { Offenders } from "./access/offenders.ts";
import { addressParty, keyParty, partOf, type PartyName } from "./access/party.ts";
import { shardOf } from "./delivery/shards.ts";
import { consoleLog } from "./lib/log.ts";
import type { Caller, OutskirtPorts } from "./rest/offender-ports.ts";
import { doorsOf, now } from "./services-doors.ts";

/* What the REST face is given against floods, repeat offenders and foreign pages. */

/** Objects that share the addresses: one serves about 500 calls a second (facts/platform.md §4). */
const ADDRESS_SHARDS = 16;

/**
 * By what an installation multiplies what an address may do and what is tolerated of anybody. Tests of everything else
 * replace it: all that they send comes from one address.
 */
export const tolerance = {
  factorOf: (env: Env): number => doorsOf(env).config.limitsFactor,
};

/** The name of the object that keeps a party. */
function objectOf(name: PartyName): string {
  const { kind, tenant, subject } = partOf(name);
  return kind === "key" ? `key/${tenant}` : `address/${shardOf(subject, ADDRESS_SHARDS)}`;
}

function partyOf(caller: Caller): PartyName {
  return typeof caller === "string" ? addressParty(caller) : keyParty(caller);
}

/** The limit by address, who offends, and the blocks, of one isolate. */
export function outskirtPorts(env: Env): OutskirtPorts {
  const factor = tolerance.factorOf(env);
  const log = consoleLog("access", now);
  const limit = new AddressLimit({ limiter: env.ADDRESS_LIMIT, factor, now, log });
  const stub = (id: string): OffenderDoor => env.OFFENDER.getByName(id);
  const offenders = new Offenders({
    door: (name) => ({ id: objectOf(name), door: stub(objectOf(name)) }),
    factor,
    now,
    log,
  });
  return {
    corsOrigins: doorsOf(env).config.corsOrigins,
    page: (request) => env.ASSETS.fetch(request),
    addresses: {
      quota: limit.quota,
      window_s: limit.window_s,
      accountOf: accountOfAddress,
      take: (account) => limit.take(account),
    },
    offenders: {
      blockedFor: (caller) => offenders.blockedFor(partyOf(caller)),
      mayProve: (caller, proof) => offenders.mayProve(partyOf(caller), proof),
      commit: (caller, offence) => offenders.commit(partyOf(caller), offence),
      recheck: (caller) => offenders.recheck(partyOf(caller)),
    },
    blocks: createBlocks({
      addressDoors: () =>
        Array.from({ length: ADDRESS_SHARDS }, (_, shard) => stub(`address/${shard}`)),
      door: (name) => stub(objectOf(name)),
      forget: (name) => offenders.forget(name),
      log,
    }),
  };
}
