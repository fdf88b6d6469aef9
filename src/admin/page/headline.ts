/** The first sentence of the page: whether messages are relayed, and if not, why. */
import type { GatewayStatus, TrafficStatus } from '../status-schema.ts';

export type Level = 'good' | 'warning' | 'bad' | 'unknown';

export interface Headline {
  readonly level: Level;
  /** One or two words, for the title of the window. */
  readonly word: string;
  readonly sentence: string;
}

export function headlineOf(gateway: GatewayStatus | null, now: TrafficStatus | null): Headline {
  if (gateway === null) return { level: 'unknown', word: 'Waiting', sentence: 'Waiting for the first data.' };
  if (gateway.state === 'draining') {
    const sentence = 'Draining: open messages are finished, and no connection is accepted.';
    return { level: 'warning', word: 'Draining', sentence };
  }
  if (gateway.ready) return { level: 'good', word: 'Ready', sentence: readySentence(now) };
  const causes = gateway.reasons.filter((reason) => reason !== 'starting');
  const isStarting = gateway.state === 'starting';
  const word = isStarting ? 'Starting' : 'Not ready';
  const sentence = `${word}: ${causes.length === 0 ? defaultCause(isStarting) : causes.join('; ')}.`;
  return { level: isStarting ? 'warning' : 'bad', word, sentence };
}

function readySentence(now: TrafficStatus | null): string {
  if (now === null) return 'Ready.';
  return now.messagesPerSecond > 0 || now.inFlight > 0
    ? 'Ready: messages are relayed.'
    : 'Ready: no message arrived in the last minute.';
}

function defaultCause(isStarting: boolean): string {
  return isStarting ? 'no connection is accepted yet' : 'the gateway gives no reason';
}
