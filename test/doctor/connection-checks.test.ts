/** What is said about connections: without a certificate, with a wrong one, with a message; and about their times. */
import { expect, it } from 'vitest';
import { admissionChecks } from '../../src/doctor/admission-checks.ts';
import type { Attempt } from '../../src/doctor/attempt.ts';
import type { Check } from '../../src/doctor/check.ts';
import type { Answer } from '../../src/doctor/exchange.ts';
import type { Failure } from '../../src/doctor/failure.ts';
import { latencyChecks, percentilesOf } from '../../src/doctor/latency-checks.ts';
import { messageChecks } from '../../src/doctor/message-checks.ts';

const handshake = { ms: 5, protocol: 'TLSv1.3', cipher: 'A', resumed: false, verifyError: null };

function answered(status: number, changes: Partial<Answer> = {}): Attempt {
  const answer = {
    ...{
      status,
      contentType: 'application/json',
      contentLength: '2',
      chunked: false,
      bodyBytes: 2,
      challenge: null,
    },
    ...{ bodySha256: 'ab'.repeat(32), acknowledgement: null, ms: 1, continueMs: null },
    ...changes,
  };
  return { handshake, answer, failure: null, session: null };
}

function failed(kind: Failure['kind'], stage: Failure['stage'] = 'response'): Attempt {
  return {
    handshake,
    answer: null,
    failure: { stage, kind, reason: 'a reason', status: null },
    session: null,
  };
}

/** The head of a response came, and not the whole body. */
function cut(kind: Failure['kind'], status: number): Attempt {
  const failure = { stage: 'response', kind, reason: 'a reason', status } as const;
  return { handshake, answer: null, failure, session: null };
}

function outcomesOf(checks: readonly Check[]): Record<string, string> {
  return Object.fromEntries(checks.map(({ id, outcome }) => [id, outcome]));
}

function admission(changes: { without?: Attempt; stranger?: Attempt; resumed?: Attempt | null }) {
  const { without = answered(400), stranger = answered(400), resumed = answered(400) } = changes;
  const facts = {
    without,
    strangers: [{ issuer: 'unknown name' as const, attempt: stranger }],
    resumed: [{ version: 'TLSv1.3' as const, attempt: resumed }],
  };
  return outcomesOf(admissionChecks(facts, true));
}

it.each([
  [answered(400), 'pass'],
  [answered(403), 'pass'],
  [answered(401), 'fail'],
  [answered(200), 'fail'],
  [answered(302), 'fail'],
  [answered(502), 'fail'],
  [failed('alert', 'handshake'), 'fail'],
  [failed('closed'), 'fail'],
  [failed('silent'), 'fail'],
  [failed('other'), 'fail'],
  [cut('other', 200), 'fail'],
  [failed('other', 'handshake'), 'unknown'],
])('judges the answer to no certificate: %#', (without, outcome) => {
  expect(admission({ without })).toMatchObject({ 'no-certificate': outcome, 'wrong-certificate': 'pass' });
});

it.each([
  [answered(400), 'pass'],
  [failed('alert', 'handshake'), 'pass'],
  [failed('closed'), 'pass'],
  [answered(200), 'fail'],
  [answered(502), 'fail'],
  [failed('silent'), 'fail'],
  [failed('other'), 'unknown'],
  [cut('other', 200), 'fail'],
  [cut('closed', 200), 'fail'],
])('judges the answer to a certificate of a wrong CA: %#', (stranger, outcome) => {
  expect(admission({ stranger })['wrong-certificate']).toBe(outcome);
});

it.each([
  [null, 'pass'],
  [answered(403), 'pass'],
  [failed('closed'), 'pass'],
  [failed('silent'), 'unknown'],
  [failed('other'), 'unknown'],
  [answered(200), 'fail'],
  [cut('silent', 200), 'fail'],
  [cut('other', 200), 'fail'],
])('judges the answer on a resumed session: %#', (resumed, outcome) => {
  expect(admission({ resumed })['no-certificate-resumed']).toBe(outcome);
});

it('judges no client as let in or refused where no certificate is asked for', () => {
  const facts = { without: answered(200), strangers: [], resumed: [] };
  const checks = admissionChecks(facts, false);
  expect(new Set(checks.map(({ outcome }) => outcome))).toEqual(new Set(['unknown']));
  expect(checks[0]?.fact).toContain('200');
});

function message(plain: Attempt, continued: Attempt = answered(200, { continueMs: 3 })) {
  return outcomesOf(messageChecks({ plain, continued: [continued] }, 1));
}

const allPass = {
  ...{ 'message-status': 'pass', 'message-length': 'pass' },
  ...{ 'message-type': 'pass', 'message-continue': 'pass' },
};

it('passes a message that is answered as Thredd demands', () => {
  expect(message(answered(200))).toEqual(allPass);
  expect(message(answered(202))).toEqual(allPass);
});

it.each([
  [answered(200, { contentLength: null, chunked: true }), { 'message-length': 'fail' }],
  [answered(200, { contentType: null }), { 'message-type': 'fail' }],
])('fails what is absent: %#', (plain, changes) => {
  expect(message(plain)).toEqual({ ...allPass, ...changes });
});

it.each([answered(403), answered(404), answered(502), failed('alert', 'handshake')])(
  'fails the status alone if there is no 2xx: %#',
  (plain) => {
    expect(message(plain)).toEqual({
      ...{ 'message-status': 'fail', 'message-length': 'unknown' },
      ...{ 'message-type': 'unknown', 'message-continue': 'unknown' },
    });
  },
);

it('says what a 401 demands, and nothing else of its challenge', () => {
  const plain = answered(401, { challenge: 'Bearer error="invalid_token", error_description="secret"' });
  const [status] = messageChecks({ plain, continued: [plain] }, 1);
  expect(status).toMatchObject({
    outcome: 'fail',
    fact: '401, Bearer, error invalid_token',
    hint: expect.stringContaining('--token-file'),
  });
});

it.each([
  [null, 'fail'],
  [90, 'pass'],
  [110, 'fail'],
])('judges 100 Continue after %s ms: %s', (continueMs, outcome) => {
  expect(message(answered(200), answered(200, { continueMs }))['message-continue']).toBe(outcome);
});

it('takes the time of the network from that of 100 Continue', () => {
  const facts = { plain: answered(200), continued: [answered(200, { continueMs: 180 })] };
  expect(outcomesOf(messageChecks(facts, 90))['message-continue']).toBe('pass');
});

it('judges the fastest 100 Continue', () => {
  const continued = [failed('silent'), answered(200, { continueMs: 200 }), answered(200, { continueMs: 5 })];
  const judged = (attempts: readonly Attempt[]) =>
    outcomesOf(messageChecks({ plain: answered(200), continued: attempts }, 1))['message-continue'];
  expect(judged(continued)).toBe('pass');
  expect(judged(continued.slice(0, 2))).toBe('fail');
  expect(judged(continued.slice(0, 1))).toBe('fail');
});

it('never passes a message that was not sent', () => {
  const outcomes = Object.values(outcomesOf(messageChecks(null, 1)));
  expect(new Set(outcomes)).toEqual(new Set(['unknown']));
});

function latency(pairs: readonly (readonly [number | null, number | null])[], hasIdentity = true) {
  const tries = pairs.map(([handshakeMs, messageMs]) => ({
    ...{ handshakeMs, messageMs },
    failure: handshakeMs === null ? 'the connection was reset' : null,
  }));
  return outcomesOf(latencyChecks(tries, { budgetMs: 200, hasIdentity }));
}

it.each<[string, [number | null, number | null][], [string, string, string]]>([
  ['within the budget', [[10, 20]], ['pass', 'pass', 'pass']],
  ['a slow handshake', [[250, 20]], ['fail', 'pass', 'unknown']],
  ['a slow host', [[10, 300]], ['pass', 'fail', 'unknown']],
  ['a sum that is too slow', [[150, 150]], ['pass', 'pass', 'fail']],
  [
    'one slow try of few',
    [
      [10, 20],
      [10, 20],
      [10, 250],
    ],
    ['pass', 'warn', 'warn'],
  ],
  ['no connection', [[null, null]], ['unknown', 'unknown', 'unknown']],
  [
    'a failed try',
    [
      [10, 20],
      [null, null],
    ],
    ['warn', 'warn', 'warn'],
  ],
])('judges times: %s', (_, pairs, [handshakes, messages, total]) => {
  expect(latency(pairs)).toEqual({
    ...{ 'latency-handshake': handshakes, 'latency-message': messages, 'latency-total': total },
  });
});

it('fails the 99th percentile of a hundred tries', () => {
  const pairs = Array.from({ length: 100 }, (_, index) => [10, index < 2 ? 250 : 20] as const);
  expect(latency(pairs)).toMatchObject({ 'latency-handshake': 'pass', 'latency-message': 'fail' });
  expect(latency(pairs.slice(1))['latency-message']).toBe('warn');
});

it('judges handshakes alone without a client certificate', () => {
  expect(latency([[10, null]], false)).toMatchObject({
    'latency-handshake': 'pass',
    'latency-message': 'unknown',
    'latency-total': 'unknown',
  });
});

it('takes percentiles by nearest rank', () => {
  const times = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentilesOf(times)).toEqual({ p50: 50, p99: 99 });
  expect(percentilesOf([7])).toEqual({ p50: 7, p99: 7 });
});
