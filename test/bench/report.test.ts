/** What the bench concludes from its slices, and which slices it refuses. */
import { expect, test } from 'vitest';
import { cpuSpent } from '../../bench/cpu.ts';
import { quantile } from '../../bench/figures.ts';
import { differences } from '../../bench/measures/latency.ts';
import { whyNot } from '../../bench/measures/relays.ts';
import { modes } from '../../bench/modes.ts';
import type { Peer } from '../../bench/peers/peer.ts';
import { formatMode, type Round, ratios } from '../../bench/report.ts';
import { findFaults, type Slice } from '../../bench/slice.ts';

const resumed: Slice = {
  messages: 10,
  handshakes: { full: 0, resumed: 10 },
  negotiated: 'TLSv1.3 TLS_AES_128_GCM_SHA256 X25519',
  milliseconds: 1_000,
  cpu: 5_000,
  logged: { messages: 10, full: 0, resumed: 10 },
};

test('a ratio compares the cost per message with the reference of the same round only', () => {
  const slow: Round = { haproxy: { ...resumed, cpu: 8_000 }, gateway: { ...resumed, cpu: 4_000 } };
  const fast: Round = {
    haproxy: { ...resumed, cpu: 2_000 },
    gateway: { ...resumed, cpu: 3_000, messages: 20 },
  };
  expect(ratios({ rounds: [slow, fast], peer: 'gateway', reference: 'haproxy' })).toEqual([0.5, 0.75]);
});

test('the table shows each peer as a ratio to the reference, and to the peer node', () => {
  const round: Round = {
    haproxy: { ...resumed, cpu: 8_000 },
    node: { ...resumed, cpu: 2_000 },
    gateway: { ...resumed, cpu: 4_000 },
  };
  const peers = (['haproxy', 'node', 'gateway'] as const).map((name) => ({ name }) as Peer);
  const table = formatMode({ mode: 'resumed', rounds: [round, round] }, peers);
  const cells = table.split('\n').map((line) => line.split(/\s{2,}/).slice(1, 5));
  expect(cells.slice(1)).toEqual([
    ['CPU, × haproxy', 'quartiles', 'CPU, × node', 'quartiles'],
    ['1.00', '1.00–1.00', '4.00', '4.00–4.00'],
    ['0.25', '0.25–0.25', '1.00', '1.00–1.00'],
    ['0.50', '0.50–0.50', '2.00', '2.00–2.00'],
  ]);
});

test('a difference of times compares with the other peer of the same round only', () => {
  const times = (p50: number) => ({ p50, p99: 2 * p50 });
  const rounds = [
    { direct: times(1), haproxy: times(3), gateway: times(2) },
    { direct: times(2), haproxy: times(4) },
    { direct: times(1), haproxy: times(2), gateway: times(4) },
  ];
  expect(differences(rounds, { peer: 'gateway', than: 'haproxy', part: 'p50' })).toEqual([-1, 2]);
  expect(differences(rounds, { peer: 'haproxy', than: 'direct', part: 'p99' })).toEqual([4, 4, 2]);
});

test('two relays are measured only where four cores are free', () => {
  expect(whyNot(2, 0)).toBe('2 cores, 4 are needed');
  expect(whyNot(4, 1.5)).toBe('4 cores, load 1.5, 4 free ones are needed');
  expect(whyNot(4, 0.2)).toBeNull();
  expect(whyNot(8, 3)).toBeNull();
});

test('a quantile lies between the two nearest ranks', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([4, 1, 3, 2, 5], 0.25)).toBe(2);
  expect(quantile([7], 0.75)).toBe(7);
});

test('CPU time includes threads that began within the slice, and refuses a slice in which one ended', () => {
  const before = new Map([[1, 100]]);
  expect(cpuSpent(before, new Map([...before, [1, 150], [2, 30]]))).toBe(80);
  expect(() => cpuSpent(before, new Map([[2, 30]]))).toThrow('thread 1 ended');
});

test.each([
  ['a slice that was what its mode says has no faults', resumed, []],
  [
    'a full handshake in the resumed mode is a fault',
    { ...resumed, handshakes: { full: 1, resumed: 9 } },
    ['full handshakes: 1 instead of 0', 'resumed handshakes: 9 instead of 10'],
  ],
  [
    'a slice without messages is a fault',
    { ...resumed, messages: 0, handshakes: { full: 0, resumed: 0 }, logged: null },
    ['no message'],
  ],
  [
    'a log that tells another kind of handshake than the client saw is a fault',
    { ...resumed, logged: { messages: 10, full: 10, resumed: 0 } },
    ['full handshakes in its log: 10 instead of 0', 'resumed handshakes in its log: 0 instead of 10'],
  ],
  [
    'a log that lacks a message is a fault',
    { ...resumed, logged: { messages: 9, full: 0, resumed: 10 } },
    ['messages in its log: 9 instead of 10'],
  ],
  [
    'another TLS version than the mode names is a fault',
    { ...resumed, negotiated: 'TLSv1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256' },
    ['negotiated TLSv1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
  ],
] as const)('%s', (_title, slice, faults) => {
  expect(findFaults(slice, modes.resumed)).toEqual(faults);
});
