/** The configuration of a thousand: real entries, of which only the bench's own lets its client in. */
import { expect, test } from 'vitest';
import { makeCertificates } from '../../bench/certificates.ts';
import { manyPins, manyRanges, manyRoutes } from '../../bench/peers/many.ts';
import { readCertificates } from '../../src/pki/pem.ts';
import { compileAllowlist } from '../../src/source/allowlist.ts';

test('of a thousand different ranges one holds loopback', () => {
  const ranges = manyRanges();
  const others = ranges.filter((range) => range !== '127.0.0.0/8');
  expect(new Set(ranges).size).toBe(1_000);
  expect(others).toHaveLength(999);
  expect(compileAllowlist(ranges).contains('127.0.0.1')).toBe(true);
  expect(compileAllowlist(others).contains('127.0.0.1')).toBe(false);
});

test('of a thousand different pins one is of the client’s key', () => {
  const { chain } = makeCertificates().client;
  const [leaf] = readCertificates(Buffer.from(chain));
  const pins = manyPins(chain);
  expect(new Set(pins).size).toBe(1_000);
  expect(pins).toContain(`sha256/${leaf?.spkiPin}`);
});

test('of a thousand different routes one leads from the message’s path to the host', () => {
  const routes = manyRoutes('/ehi/messages', 8_080);
  expect(new Set(routes.map(({ path }) => path)).size).toBe(1_000);
  expect(routes.filter(({ path }) => '/ehi/messages'.startsWith(path))).toEqual([
    { path: '/ehi/messages', upstream: 'http://127.0.0.1:8080' },
  ]);
});
