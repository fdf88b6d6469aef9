/** Decides at accept whether a connection may begin a handshake: from its source address alone, before any TLS work. */
import { type FailureReasonName, failure } from '../handshake/failure-reasons.ts';
import { type Inbound, unjudged } from '../handshake/inbound.ts';
import type { DenyReasonName } from '../identity/deny-reasons.ts';
import { deny, explainDenial } from '../identity/verdict.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { parseRange } from '../source/address.ts';
import type { AddressShares } from '../source/address-counts.ts';
import { type Allowlist, compileAllowlist } from '../source/allowlist.ts';
import type { HandshakeCosts } from '../source/handshake-cost.ts';
import type { HandshakeRate } from '../source/handshake-rate.ts';
import { readProxyHeader } from '../source/proxy-reader.ts';
import { limitDetail } from './limit-details.ts';

export interface AdmissionPolicy {
  readonly allowlist: Allowlist | null;
  /** The allowlist without its /0 ranges. Addresses in it are exempt from the limits on handshakes and on single addresses. */
  readonly exempt: Allowlist;
  readonly proxyTrusted: Allowlist | null;
  readonly snapshot: PolicySnapshot;
}

export function compileAdmissionPolicy(snapshot: PolicySnapshot): AdmissionPolicy {
  return {
    exempt: compileAllowlist((snapshot.allowlist ?? []).filter((range) => parseRange(range)?.prefix !== 0)),
    allowlist: snapshot.allowlist === null ? null : compileAllowlist(snapshot.allowlist),
    proxyTrusted: snapshot.proxyTrusted.length === 0 ? null : compileAllowlist(snapshot.proxyTrusted),
    snapshot,
  };
}

/** State of the relay thread. Read through a function, because it may change while a PROXY header is awaited. */
export interface Load {
  readonly connections: number;
  /** Connections whose handshake has not ended. */
  readonly unfinished: number;
  /** Event-loop delay of a message, ms (loop-delay.ts). */
  readonly delay: number;
  readonly handshakes: HandshakeRate;
  readonly costs: HandshakeCosts;
  readonly shares: AddressShares;
}

/** True: the handshake may begin. False: the connection was recorded as refused or failed, and its socket destroyed. */
export function admit(
  inbound: Inbound,
  admission: AdmissionPolicy,
  load: () => Load,
): boolean | Promise<boolean> {
  const { connections, delay } = load();
  const { limits } = admission.snapshot;
  // A connection that was reset before it was accepted has no peer address.
  if (inbound.address === '')
    return fail(
      inbound,
      failure('closed_silent', 'the client reset the connection before the gateway accepted it'),
    );
  if (connections > limits.connections)
    return refuse(inbound, 'too_many_connections', limitDetail('too_many_connections', limits));
  // Messages on open connections take precedence over new connections.
  if (delay > limits.delay) return refuse(inbound, 'overloaded', limitDetail('overloaded', limits));
  if (admission.proxyTrusted?.contains(inbound.address)) return admitProxied(inbound, admission, load);
  return checkLimits(inbound, admission, load);
}

async function admitProxied(
  inbound: Inbound,
  admission: AdmissionPolicy,
  load: () => Load,
): Promise<boolean> {
  const reading = await readProxyHeader(inbound.transport, {
    timeout: admission.snapshot.timeouts.handshake,
  });
  if (reading.kind === 'failed') {
    // A TCP health check of a load balancer: neither logged nor counted as a PROXY header error.
    const silent = reading.why === 'closed' && inbound.transport.bytesRead === 0;
    return fail(
      inbound,
      silent ? failure('closed_silent') : failure('proxy_header', describePeer(reading.detail)),
    );
  }
  inbound.headerBytes = reading.length;
  if (reading.source !== null) {
    inbound.proxyAddress = inbound.address;
    inbound.address = reading.source.address;
    inbound.port = reading.source.port;
  }
  return checkLimits(inbound, admission, load);
}

function checkLimits(
  inbound: Inbound,
  { allowlist, exempt, snapshot }: AdmissionPolicy,
  load: () => Load,
): boolean {
  // The connection closed while its PROXY header was read: what it reserved below would never be released.
  if (inbound.recorded) return false;
  // Thredd sends all of its traffic from one address, so limits per address would refuse its calls. The limit on
  // unfinished handshakes would refuse them, too, while other addresses flood the gateway.
  if (exempt.contains(inbound.address)) return true;
  // With refuseAt: http the address is checked after the handshake instead (isSourceAllowed).
  if (allowlist !== null && snapshot.refuseAt === 'accept' && !allowlist.contains(inbound.address))
    return refuse(inbound, 'address_refused');
  const { unfinished, handshakes, costs, shares } = load();
  const { limits } = snapshot;
  const perSecond = limits.handshakeRate;
  if (unfinished > limits.unfinishedHandshakes)
    return refuse(inbound, 'too_many_handshakes', limitDetail('too_many_handshakes', limits));
  if (costs.mustWait(inbound.address, inbound.acceptedAt)) return refuse(inbound, 'handshake_cost');
  if (!handshakes.take(inbound.address, { perSecond, now: inbound.acceptedAt }))
    return refuse(inbound, 'handshake_rate', limitDetail('handshake_rate', limits));
  const share = shares.reserve(inbound.address, {
    connections: limits.connectionsPerAddress,
    unfinished: limits.unfinishedHandshakesPerAddress,
  });
  if (share === 'connections')
    return refuse(inbound, 'connections_per_address', limitDetail('connections_per_address', limits));
  if (share === 'unfinished')
    return refuse(inbound, 'handshakes_per_address', limitDetail('handshakes_per_address', limits));
  inbound.share = share;
  return true;
}

/**
 * Whether the current policy allows the source address. An address from a PROXY header is allowed only while the proxy
 * that sent the header is trusted.
 */
export function isSourceAllowed(
  { address, proxyAddress }: Pick<Inbound, 'address' | 'proxyAddress'>,
  { allowlist, proxyTrusted }: AdmissionPolicy,
): boolean {
  if (proxyAddress !== null && !proxyTrusted?.contains(proxyAddress)) return false;
  return allowlist === null || allowlist.contains(address);
}

/** `problem`: what is wrong with the PROXY header. */
function describePeer(problem: string): string {
  return `a connection from a network in listen.proxyProtocol.trusted has no valid PROXY header (${problem})`;
}

/** `detail`: by default what the table of reasons says. */
function refuse(inbound: Inbound, reason: DenyReasonName, detail?: string): false {
  return end(inbound, { verdict: 'deny', reason, detail: explainDenial(deny(reason, detail)) });
}

function fail(inbound: Inbound, why: { reason: FailureReasonName; detail: string }): false {
  return end(inbound, { verdict: 'failed', ...why });
}

function end(
  inbound: Inbound,
  result: { verdict: 'deny' | 'failed'; reason: DenyReasonName | FailureReasonName; detail: string },
): false {
  inbound.record({ ...unjudged, ...result });
  inbound.transport.destroy();
  return false;
}
