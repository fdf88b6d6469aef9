/** Probes what the endpoint sends and accepts on TLS, one question after the other. */

import type { Endpoint } from '../probe/endpoint.ts';
import { type GroupSupport, probeGroups } from '../probe/groups.ts';
import { type KeyType, keyTypeOf, otherKeyType } from '../probe/key-type.ts';
import type { FlightFailure } from '../probe/outcome.ts';
import { type ProtocolSupport, probeProtocols } from '../probe/protocols.ts';
import { probeRenegotiation, type Renegotiation } from '../probe/renegotiation.ts';
import { readOtherFacts, readSentFacts, type SentFacts } from '../probe/sent-facts.ts';
import { probeSuites, type SuiteSupport } from '../probe/suites.ts';
import { versionNames } from '../probe/versions.ts';

export interface TlsFacts {
  readonly sent: Exclude<SentFacts, { readonly kind: 'failed' }>;
  /** Without SNI; null: none is sent anyway. */
  readonly sentWithoutName: SentFacts | null;
  /** What is sent to a client that can only verify the other kind of key; null: the server has no such certificate. */
  readonly otherSent: OtherFacts | null;
  readonly protocols: ProtocolSupport;
  readonly suites: readonly SuiteSupport[];
  readonly groups: readonly GroupSupport[];
  /** null: the endpoint only offers TLS 1.3, which has none. */
  readonly renegotiation: Renegotiation | null;
}

export interface OtherFacts {
  readonly keyType: KeyType;
  readonly sent: SentFacts;
  /** Without SNI; null: none is sent anyway. */
  readonly sentWithoutName: SentFacts | null;
}

export interface TlsOptions {
  readonly endpoint: Endpoint;
  readonly onStep: (text: string) => void;
}

/** Resolves with the failure if the endpoint speaks no TLS. */
export async function measureTls({ endpoint, onStep }: TlsOptions): Promise<TlsFacts | FlightFailure> {
  onStep('reading the certificates that the server sends');
  const sent = await readSentFacts(endpoint);
  if (sent.kind === 'failed') return sent.failure;
  const sentWithoutName =
    endpoint.servername === null ? null : await readSentFacts({ ...endpoint, servername: null });
  const otherSent = await readOther(endpoint, sent);
  onStep('trying protocol versions');
  const protocols = await probeProtocols(endpoint);
  const offered = versionNames.filter((name) => protocols[name].offered);
  const suites: SuiteSupport[] = [];
  const groups: GroupSupport[] = [];
  for (const version of offered) {
    onStep(`trying cipher suites of ${version}`);
    suites.push(await probeSuites({ ...endpoint, version }));
    if (version === 'SSL 3.0') continue;
    onStep(`trying key exchanges of ${version}`);
    groups.push(await probeGroups({ ...endpoint, version }));
  }
  onStep('trying renegotiation');
  const onlyLatest = offered.every((version) => version === 'TLS 1.3');
  const renegotiation = onlyLatest ? null : await probeRenegotiation(endpoint);
  return { sent, sentWithoutName, otherSent, protocols, suites, groups, renegotiation };
}

async function readOther(endpoint: Endpoint, first: SentFacts): Promise<OtherFacts | null> {
  // What only openssl could read, our reader cannot read with another offer.
  if (first.kind !== 'sent' || first.source === 'openssl') return null;
  const known = keyTypeOf(first.certificates[0]);
  if (known === null) return null;
  const keyType = otherKeyType(known);
  const { version } = first;
  const sent = await readOtherFacts(endpoint, { keyType, version });
  if (sent === null) return null;
  if (endpoint.servername === null || sent.kind !== 'sent') return { keyType, sent, sentWithoutName: null };
  const sentWithoutName = await readOtherFacts({ ...endpoint, servername: null }, { keyType, version });
  return { keyType, sent, sentWithoutName: sentWithoutName ?? { ...sent, certificates: [] } };
}
