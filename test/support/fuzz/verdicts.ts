/** Verdicts of OpenSSL and the gateway on one chain under one set of anchors. */
import { type CompiledPolicy, compilePolicy } from '../../../src/gateway/compiled-policy.ts';
import type { Peer } from '../../../src/handshake/tls-parameters.ts';
import { authorizeClient } from '../../../src/identity/authorize.ts';
import type { Verdict } from '../../../src/identity/verdict.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import type { AnchorMaterial, PolicySnapshot } from '../../../src/policy/snapshot.ts';
import { Meter } from '../../../src/telemetry/meter.ts';
import { Pools } from '../../../src/upstream/pools.ts';
import { authority } from '../pki/authority.ts';
import type { Presented } from '../pki/openssl-verdict.ts';
import { rawPem } from '../pki/raw-certificate.ts';
import { snapshotOf } from '../process/snapshot.ts';
import { revocationPolicy } from '../revocation/revocation.ts';
import type { Chain, Hierarchy } from './chains.ts';

export const base = snapshotOf(authority(), { ticketKeys: Buffer.alloc(48, 'fuzz') });
const revocation = {
  policy: { ...revocationPolicy, crl: 'off', ocsp: 'off', onUnknown: 'allow' },
  crls: [],
  revokeOnly: [],
  crlSources: [],
  ocsp: [],
  leaves: [],
} as const;
const meter = new Meter();
const pools = new Pools({ meter, audit: () => {}, span: () => {}, log: () => {}, logFailure: () => {} });

export function verdictOn(
  peer: Pick<Peer, 'leaf' | 'opensslCode'>,
  policy: CompiledPolicy,
): Verdict<unknown> {
  return authorizeClient({ source: { allowed: true }, peer, now: Date.now() }, policy.identity).verdict;
}

export function textOf(verdict: Verdict<unknown>): string {
  return verdict.allow ? 'allow' : `${verdict.reason} (${verdict.detail})`;
}

/** Without certificates that cannot be parsed, since trust/ refuses them; without anchors whose root it refuses. */
export function anchorsOf({ roots, below }: Hierarchy): AnchorMaterial[] {
  const issuing = below.filter(isReadable).map(({ der }) => der);
  return roots
    .filter(isReadable)
    .map(({ der }, index) => ({ ...anchorOf(der, issuing), name: `fuzz ${index}` }));
}

export function anchorOf(root: Uint8Array, issuing: readonly Uint8Array[]): AnchorMaterial {
  return { name: 'fuzz', root, issuing, revocation };
}

function isReadable({ der }: { readonly der: Uint8Array }): boolean {
  try {
    parseCertificate(der);
    return true;
  } catch {
    return false;
  }
}

/** `last`: a policy whose parsed anchors are used again. */
export function policyOf(snapshot: PolicySnapshot, last: CompiledPolicy | null): CompiledPolicy {
  return compilePolicy(snapshot, { pools, meter, ask: async () => null, last });
}

const keyPems = new WeakMap<Chain['key'], string>();

export function present({ leaf, along, key, version }: Chain): Presented {
  const pem = keyPems.get(key) ?? key.export({ type: 'pkcs8', format: 'pem' }).toString();
  keyPems.set(key, pem);
  return { chain: [leaf, ...along].map((der) => rawPem(der)).join(''), key: pem, version };
}
