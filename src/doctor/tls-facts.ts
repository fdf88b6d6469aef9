/** Probes what the endpoint sends and accepts on TLS, one question after the other. */

import type { Endpoint } from '../probe/endpoint.ts';
import { type GroupSupport, probeGroups } from '../probe/groups.ts';
import type { FlightFailure } from '../probe/outcome.ts';
import { type ProtocolSupport, probeProtocols } from '../probe/protocols.ts';
import { probeRenegotiation, type Renegotiation } from '../probe/renegotiation.ts';
import { readSentFacts, type SentFacts } from '../probe/sent-facts.ts';
import { probeSuites, type SuiteSupport } from '../probe/suites.ts';
import { versionNames } from '../probe/versions.ts';

export interface TlsFacts {
  readonly sent: Exclude<SentFacts, { readonly kind: 'failed' }>;
  /** Without SNI; null: none is sent anyway. */
  readonly sentWithoutName: SentFacts | null;
  readonly protocols: ProtocolSupport;
  readonly suites: readonly SuiteSupport[];
  readonly groups: readonly GroupSupport[];
  /** null: the endpoint only offers TLS 1.3, which has none. */
  readonly renegotiation: Renegotiation | null;
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
  return { sent, sentWithoutName, protocols, suites, groups, renegotiation };
}
