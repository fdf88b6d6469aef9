/** What an operator should look at, worst first: derived from the document alone. */
import type { Status } from '../status-schema.ts';
import { day, formatCount, formatDaysLeft, formatMilliseconds, formatSpan, plural } from './format.ts';
import type { Part } from './status-shape.ts';

export interface Attention {
  readonly level: 'bad' | 'warning';
  readonly sentence: string;
  /** The id of the section that shows more. */
  readonly section: string;
}

/** What is known of the document; null: never received. */
export type Known = { readonly [P in Part]: Status[P] | null };

/** A certificate is named this long before its end, ms. */
export const soon = 30 * day;
export const verySoon = 7 * day;
/** A loop delay that takes a noticeable share of the smallest budget. */
const longLoopDelayMs = 50;

/** `now`: the gateway's clock, ms. */
export function attentionOf(known: Known, now: number): readonly Attention[] {
  const found = [
    ...ofTraffic(known),
    ...ofUpstreams(known),
    ...ofAudit(known, now),
    ...ofCertificates(known, now),
    ...ofAnchors(known),
    ...ofKeySets(known),
    ...ofRevocation(known, now),
    ...ofThreads(known),
  ];
  return [...found.filter(({ level }) => level === 'bad'), ...found.filter(({ level }) => level !== 'bad')];
}

function bad(section: string, sentence: string): Attention {
  return { level: 'bad', sentence, section };
}

function warning(section: string, sentence: string): Attention {
  return { level: 'warning', sentence, section };
}

function* ofTraffic({ now }: Known): Generator<Attention> {
  if (now === null) return;
  for (const { route, budgetMs, messages, over } of now.overBudget)
    yield bad(
      'latency',
      `The p99 of route ${route} is over its budget of ${formatMilliseconds(budgetMs)}: ${formatCount(over)} of ${plural(messages, 'message')} of the last minute took longer.`,
    );
  if (now.late > 0)
    yield warning('latency', `${plural(now.late, 'message')} of the last minute had no answer in time.`);
  if (now.shed > 0)
    yield bad('now', `${plural(now.shed, 'message')} of the last minute were refused to shed load.`);
}

function* ofUpstreams({ upstreams }: Known): Generator<Attention> {
  for (const { url, state } of upstreams ?? []) {
    if (state === 'down') yield bad('upstreams', `${url} is down: no relay thread uses it.`);
    if (state === 'partly') yield warning('upstreams', `${url} is not used by some of the relay threads.`);
  }
}

function* ofAudit({ audit }: Known, now: number): Generator<Attention> {
  if (audit === null) return;
  if (audit.failingSince !== null) {
    const since = formatSpan(now - Date.parse(audit.failingSince));
    yield bad('audit', `Audit records have not been written for ${since}.`);
  }
  if (audit.lost > 0)
    yield bad(
      'audit',
      `${plural(audit.lost, 'audit record')} ${audit.lost === 1 ? 'was' : 'were'} lost since the start.`,
    );
}

function* ofCertificates({ certificates, clients }: Known, now: number): Generator<Attention> {
  const roles = { server: 'The server certificate', anchor: 'The CA' };
  for (const { role, name, notAfter } of certificates ?? []) {
    const end = Date.parse(notAfter);
    if (end - now > soon) continue;
    const sentence = `${roles[role] ?? 'The certificate'} ${name}: ${formatDaysLeft(end, now)}.`;
    yield end - now < verySoon ? bad('certificates', sentence) : warning('certificates', sentence);
  }
  const ending = (clients ?? []).filter(({ notAfter }) => Date.parse(notAfter) - now <= soon);
  const [first] = ending;
  if (first === undefined) return;
  const others = ending.length === 1 ? '' : `, and of ${plural(ending.length - 1, 'other client')}`;
  const level = Date.parse(first.notAfter) - now < verySoon ? bad : warning;
  yield level(
    'clients',
    `The certificate of ${first.subject}${others} ends within 30 days (${formatDaysLeft(Date.parse(first.notAfter), now)}).`,
  );
}

function* ofAnchors({ anchors }: Known): Generator<Attention> {
  for (const { name, source, lastError, pendingRoot } of anchors ?? []) {
    if (source === null)
      yield bad('trust', `The trust anchor ${name} is not loaded: none of its clients is authorized.`);
    if (pendingRoot) yield warning('trust', `A new root of the trust anchor ${name} waits for approval.`);
    if (lastError !== null)
      yield warning('trust', `The last refresh of the trust anchor ${name} failed: ${lastError}`);
  }
}

function* ofKeySets({ keySets }: Known): Generator<Attention> {
  for (const { source, refreshedAt, lastError } of keySets ?? []) {
    const cause = lastError === null ? '.' : `: ${lastError}`;
    if (refreshedAt === null)
      yield bad('trust', `The key set ${source} was never read: what it verifies is refused${cause}`);
    else if (lastError !== null)
      yield warning('trust', `The last refresh of the key set ${source} failed${cause}`);
  }
}

function* ofRevocation({ revocation }: Known, now: number): Generator<Attention> {
  for (const { kind, address, nextUpdate, failures, lastError } of revocation ?? []) {
    const what = `${kind === 'crl' ? 'CRL' : 'OCSP'} ${address}`;
    if (nextUpdate !== null && Date.parse(nextUpdate) < now) {
      yield bad('revocation', `${what} ended ${formatSpan(now - Date.parse(nextUpdate))} ago.`);
    } else if (failures > 0) {
      const cause = lastError === null ? '.' : `: ${lastError}`;
      yield warning('revocation', `${what} failed ${formatCount(failures)} times in a row${cause}`);
    }
  }
}

function* ofThreads({ threads }: Known): Generator<Attention> {
  for (const { thread, loopDelayMs } of threads ?? []) {
    if (loopDelayMs < longLoopDelayMs) continue;
    const delay = formatMilliseconds(loopDelayMs);
    yield warning('threads', `Messages in relay thread ${thread} wait ${delay} for the event loop.`);
  }
}
