/**
 * What a server sends unasked: its certificates as sent, and its request for a client certificate. Reads the flight of
 * TLS 1.2, or of what the server has instead; where that is a TLS 1.3 that our reader shares no group with, it asks
 * `openssl s_client`, where that is installed.
 */
import type { Endpoint } from './endpoint.ts';
import { type KeyType, keyTypeOf, offerFor } from './key-type.ts';
import { type FlightFailure, type FlightOutcome, failureIn } from './outcome.ts';
import { askServerHello, isRefusal } from './protocols.ts';
import { readServerFlight } from './read-flight.ts';
import { readWithSClient } from './s-client.ts';
import type { CertificateRequest } from './server-flight.ts';
import type { VersionName } from './versions.ts';

export interface SentFactsOptions extends Endpoint {
  /** The program; default `openssl` of the PATH. */
  readonly openssl?: string;
}

export type SentFacts =
  | {
      readonly kind: 'sent';
      readonly version: VersionName;
      /** `flight`: our own reader. */
      readonly source: 'flight' | 'openssl';
      /** DER, in the order sent. */
      readonly certificates: readonly Buffer[];
      /** null: no client certificate is asked for. */
      readonly certificateRequest: CertificateRequest | null;
    }
  /** The server speaks TLS 1.3, but neither reader can read it here. `reason`: a clause for a report. */
  | { readonly kind: 'not-possible'; readonly reason: string }
  | { readonly kind: 'failed'; readonly failure: FlightFailure };

/** Never rejects for what the server does. */
export async function readSentFacts(options: SentFactsOptions): Promise<SentFacts> {
  const first = await readServerFlight({ ...options, version: 'TLS 1.2' });
  if (first.kind === 'flight') return sentIn(first);
  if (first.kind === 'other-version') {
    const older = await readServerFlight({ ...options, version: first.version });
    return older.kind === 'flight' ? sentIn(older) : { kind: 'failed', failure: failureIn(older) };
  }
  const failed: SentFacts = { kind: 'failed', failure: failureIn(first) };
  if (first.kind !== 'alert' && first.kind !== 'closed' && first.kind !== 'reset') return failed;
  const newer = await readServerFlight({ ...options, version: 'TLS 1.3' });
  if (newer.kind === 'flight') return sentIn(newer);
  const hello = await askServerHello({ ...options, version: 'TLS 1.3' });
  if (hello.kind !== 'flight') return failed;
  const { openssl = 'openssl' } = options;
  const facts = await readWithSClient(options, openssl);
  return facts.kind === 'sent' ? { ...facts, version: 'TLS 1.3', source: 'openssl' } : facts;
}

/**
 * The same for a client that can only verify the other kind of key, RSA or EC. null: the server has no certificate of that
 * kind. `version`: of the flight in which it sent the first kind; in TLS 1.3 it may have others.
 */
export async function readOtherFacts(
  endpoint: Endpoint,
  { keyType, version }: { readonly keyType: KeyType; readonly version: VersionName },
): Promise<SentFacts | null> {
  for (const each of new Set<VersionName>([version, 'TLS 1.3'])) {
    const outcome = await readServerFlight({ ...endpoint, version: each, ...offerFor(keyType, each) });
    // Some servers send what they have, whatever is offered (RFC 8446 §4.4.2.2).
    if (outcome.kind === 'flight' && keyTypeOf(outcome.flight.certificates[0]) === keyType)
      return sentIn(outcome);
    if (outcome.kind !== 'flight' && !refusesOffer(outcome))
      return { kind: 'failed', failure: failureIn(outcome) };
  }
  return null;
}

/** Some servers end the connection instead of an alert. */
function refusesOffer(failure: FlightFailure): boolean {
  return isRefusal(failure) || failure.kind === 'closed' || failure.kind === 'reset';
}

function sentIn({ flight }: Extract<FlightOutcome, { kind: 'flight' }>): SentFacts {
  const { version, certificates, certificateRequest } = flight;
  return { kind: 'sent', version, source: 'flight', certificates, certificateRequest };
}
