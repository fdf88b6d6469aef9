import { expect, it } from 'vitest';
import { type LimitReason, limitDetail } from '../../src/gateway/limit-details.ts';
import { denyReasons } from '../../src/identity/deny-reasons.ts';
import { explainDenial } from '../../src/identity/verdict.ts';
import { authority } from '../support/pki/authority.ts';
import { snapshotOf } from '../support/process/snapshot.ts';

const { limits } = snapshotOf(authority());
const changed = {
  ...limits,
  ...{ connections: 901, unfinishedHandshakes: 902, connectionsPerAddress: 903 },
  ...{ unfinishedHandshakesPerAddress: 904, handshakeRate: 905, delay: 906 },
};

it.each<[LimitReason, string]>([
  ['too_many_connections', 'limits.connections is 901, '],
  ['too_many_handshakes', 'limits.unfinishedHandshakes is 902, '],
  ['connections_per_address', 'limits.connectionsPerAddress is 903, '],
  ['handshakes_per_address', 'limits.unfinishedHandshakesPerAddress is 904, '],
  ['handshake_rate', 'limits.handshakeRate is 905, '],
  ['overloaded', 'limits.delay is 906 ms, '],
])('names the option that decided %s, its value and what to do, within a record', (reason, begin) => {
  const detail = explainDenial({ reason, detail: limitDetail(reason, changed) });
  expect(detail.startsWith(begin)).toBe(true);
  expect(detail.endsWith(denyReasons[reason].advice)).toBe(true);
  expect(detail).not.toContain('one relay thread');
  expect(Buffer.byteLength(detail)).toBeLessThanOrEqual(1024);
});
