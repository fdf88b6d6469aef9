/** Who may begin a handshake: decided at accept, from the address alone, before any TLS work. */
import { type FailureReasonName, failure } from '../handshake/failure-reasons.ts';
import { type Inbound, unjudged } from '../handshake/inbound.ts';
import { type DenyReasonName, denyReasons } from '../identity/deny-reasons.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { parseRange } from '../source/address.ts';
import type { AddressShares } from '../source/address-share.ts';
import { type Allowlist, compileAllowlist } from '../source/allowlist.ts';
import type { HandshakeCosts } from '../source/handshake-cost.ts';
import type { HandshakeRate } from '../source/handshake-rate.ts';
import { readProxyHeader } from '../source/proxy-reader.ts';

export interface Admission {
  readonly allowlist: Allowlist | null;
  /** The networks of the allowlist that name a caller: a range of length /0 lets everybody in and names none. */
  readonly named: Allowlist;
  readonly proxyTrusted: Allowlist | null;
  readonly snapshot: PolicySnapshot;
}

export function compileAdmission(snapshot: PolicySnapshot): Admission {
  return {
    named: compileAllowlist((snapshot.allowlist ?? []).filter((range) => parseRange(range)?.prefix !== 0)),
    allowlist: snapshot.allowlist === null ? null : compileAllowlist(snapshot.allowlist),
    proxyTrusted: snapshot.proxyTrusted.length === 0 ? null : compileAllowlist(snapshot.proxyTrusted),
    snapshot,
  };
}

/** Read when it is asked for: a PROXY header may take its time. */
export interface Load {
  readonly connections: number;
  readonly unfinished: number;
  /** How long work has to wait for its turn, ms (loop-delay.ts). */
  readonly delay: number;
  readonly handshakes: HandshakeRate;
  readonly costs: HandshakeCosts;
  readonly shares: AddressShares;
}

/** True: shake hands. The refused are recorded and their sockets destroyed here. */
export function admit(inbound: Inbound, admission: Admission, load: () => Load): boolean | Promise<boolean> {
  const { connections, delay } = load();
  const { limits } = admission.snapshot;
  // The system no longer knows the peer of a connection that was reset before it was accepted.
  if (inbound.address === '')
    return fail(
      inbound,
      failure('closed_silent', 'the client reset the connection before the gateway accepted it'),
    );
  if (connections > limits.connections) return refuse(inbound, 'too_many_connections');
  // Those who are in already have been promised an answer: they come before whoever wants to come in.
  if (delay > limits.delay) return refuse(inbound, 'overloaded');
  if (admission.proxyTrusted?.contains(inbound.address)) return admitProxied(inbound, admission, load);
  return judge(inbound, admission, load);
}

async function admitProxied(inbound: Inbound, admission: Admission, load: () => Load): Promise<boolean> {
  const reading = await readProxyHeader(inbound.transport, {
    timeout: admission.snapshot.timeouts.handshake,
  });
  if (reading.kind === 'failed') {
    // A load balancer's TCP health check: no news, and no fault of a PROXY header.
    const silent = reading.why === 'closed' && inbound.transport.bytesRead === 0;
    return fail(
      inbound,
      silent ? failure('closed_silent') : { reason: 'proxy_header', detail: reading.detail },
    );
  }
  inbound.headerBytes = reading.length;
  if (reading.source !== null) {
    inbound.proxyAddress = inbound.address;
    inbound.address = reading.source.address;
    inbound.port = reading.source.port;
  }
  return judge(inbound, admission, load);
}

function judge(inbound: Inbound, { allowlist, named, snapshot }: Admission, load: () => Load): boolean {
  // It has closed while its PROXY header was read: nothing would take back what it counts as.
  if (inbound.recorded) return false;
  // All of Thredd's traffic comes from one address: a flood from elsewhere must not use up what is meant for it.
  if (named.contains(inbound.address)) return true;
  // With refuseAt: http the address is left to the verdict, which asks for it again (mayCall).
  if (allowlist !== null && snapshot.refuseAt === 'accept' && !allowlist.contains(inbound.address))
    return refuse(inbound, 'address_refused');
  const { unfinished, handshakes, costs, shares } = load();
  const { limits } = snapshot;
  const perSecond = limits.handshakeRate;
  if (unfinished > limits.unfinishedHandshakes) return refuse(inbound, 'too_many_handshakes');
  if (costs.waits(inbound.address, inbound.acceptedAt)) return refuse(inbound, 'handshake_cost');
  if (!handshakes.take(inbound.address, { perSecond, now: inbound.acceptedAt }))
    return refuse(inbound, 'handshake_rate');
  const share = shares.enter(inbound.address, {
    connections: limits.connectionsPerAddress,
    unfinished: limits.unfinishedHandshakesPerAddress,
  });
  if (share === 'connections') return refuse(inbound, 'connections_per_address');
  if (share === 'unfinished') return refuse(inbound, 'handshakes_per_address');
  inbound.share = share;
  return true;
}

/** Whether the address may call, at the handshake and later; who stated it in a PROXY header must still be trusted to. */
export function mayCall(
  { address, proxyAddress }: Pick<Inbound, 'address' | 'proxyAddress'>,
  { allowlist, proxyTrusted }: Admission,
): boolean {
  if (proxyAddress !== null && !proxyTrusted?.contains(proxyAddress)) return false;
  return allowlist === null || allowlist.contains(address);
}

function refuse(inbound: Inbound, reason: DenyReasonName): false {
  return end(inbound, { verdict: 'deny', reason, detail: denyReasons[reason].says });
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
