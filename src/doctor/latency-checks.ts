/** Judges the times of handshake and message against the sender's timeout. */
import {
  type Check,
  check,
  count,
  fail,
  type Judgement,
  milliseconds,
  notJudged,
  pass,
  unknown,
  warn,
} from './check.ts';
import { cutAdvice, cutReason } from './failure.ts';
import type { Try } from './latency.ts';

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** With fewer tries the 99th percentile is the slowest one, which may be a coincidence. */
const triesForP99 = 100;

export function latencyChecks(
  tries: readonly Try[],
  { budgetMs, hasIdentity }: { readonly budgetMs: number; readonly hasIdentity: boolean },
): Check[] {
  const failures = tries.flatMap(({ failure }) => failure ?? []);
  const judgeTimes = (times: readonly (number | null)[], advice: string) =>
    judge(
      times.filter((ms) => ms !== null),
      { budgetMs, failures, advice },
    );
  const handshake = judgeTimes(
    tries.map(({ handshakeMs }) => handshakeMs),
    handshakeAdvice,
  );
  if (!hasIdentity)
    return [
      check('latency-handshake', handshake),
      check('latency-message', noMessages),
      check('latency-total', noMessages),
    ];
  const message = judgeTimes(
    tries.map(({ messageMs }) => messageMs),
    messageAdvice,
  );
  const totals = tries.map(({ handshakeMs, messageMs }) =>
    handshakeMs === null || messageMs === null ? null : handshakeMs + messageMs,
  );
  const partFailed = [handshake, message].some(({ outcome }) => outcome === 'fail' || outcome === 'unknown');
  return [
    check('latency-handshake', handshake),
    check('latency-message', message),
    check('latency-total', partFailed ? notJudged('a part of it failed') : judgeTimes(totals, totalAdvice)),
  ];
}

const noMessages = unknown(
  'no message was sent',
  'give a client certificate that the endpoint accepts: --cert and --key, or --p12',
);

const handshakeAdvice =
  'measure from a machine near the sender; then look for slow name lookups, OCSP or CRL fetches within the handshake, RSA-4096 keys, or a busy processor';
const messageAdvice =
  'look for the time in the host behind the endpoint: audit record or access log, `upstream` time';
const totalAdvice =
  'a sender that opens a connection for each message will time out: make the handshake shorter (P-256 or RSA-2048, a short chain), or the answer of the host';

function judge(
  times: readonly number[],
  options: { readonly budgetMs: number; readonly failures: readonly string[]; readonly advice: string },
): Judgement {
  const { budgetMs, failures, advice } = options;
  if (times.length === 0) return { outcome: 'unknown', fact: `not measured: ${failures[0] ?? 'no try'}` };
  const { p50, p99 } = percentilesOf(times);
  const tries = count(times.length, 'try').replace('trys', 'tries');
  const failed = failures.length === 0 ? '' : `; ${failures.length} more failed: ${failures[0]}`;
  const fact = `p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)} of ${budgetMs} ms, in ${tries}${failed}`;
  if (p50 > budgetMs || (p99 > budgetMs && times.length >= triesForP99)) return fail(fact, advice);
  if (failures.includes(cutReason)) return warn(fact, cutAdvice);
  if (p99 > budgetMs || failures.length > 0)
    return warn(fact, `repeat with --count ${triesForP99} to see whether that is a coincidence`);
  return pass(fact);
}

/** Nearest rank. `times`: not empty. */
export function percentilesOf(times: readonly number[]): Percentiles {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}
