/** Measures handshakes and messages one after the other, each on a connection of its own, as a sender without keep-alive. */
import { type AttemptOptions, attempt } from './attempt.ts';

export interface Try {
  /** From the start of the TCP connection to the end of the TLS handshake, ms; null: it failed. */
  readonly handshakeMs: number | null;
  /** From the request to the last byte of its response; null: there was none, or no message was to be measured. */
  readonly messageMs: number | null;
  /** Why there was no response. */
  readonly failure: string | null;
}

/** After so many failures at the start the endpoint answers nothing, and each further try would take the whole timeout. */
const maxFailures = 3;

interface LatencyOptions {
  readonly count: number;
  /** The endpoint may let the client in; else the request is refused, so that only the handshake is kept. */
  readonly isMessage: boolean;
  readonly onTry: (index: number) => void;
}

export async function measureLatency(
  options: AttemptOptions,
  { count, isMessage, onTry }: LatencyOptions,
): Promise<Try[]> {
  const tries: Try[] = [];
  for (let index = 0; index < count; index++) {
    onTry(index);
    const { handshake, answer, failure } = await attempt(options);
    const counts = isMessage || handshake === null || failure?.kind === 'cut';
    tries.push({
      handshakeMs: handshake?.ms ?? null,
      messageMs: isMessage ? (answer?.ms ?? null) : null,
      failure: counts ? (failure?.reason ?? null) : null,
    });
    if (failure?.kind === 'cut') break;
    if (tries.length === maxFailures && tries.every(({ failure }) => failure !== null)) break;
  }
  return tries;
}
