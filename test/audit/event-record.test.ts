import { expect, it } from 'vitest';
import { configLine, keysLine, revocationLine } from '../../src/audit/event-record.ts';

const time = Date.UTC(2026, 0, 2, 3, 4, 5, 67);
const at = ['time', '2026-01-02T03:04:05.067Z'];

it('a revocation record has the fields of the contract, in their order', () => {
  const line = revocationLine({
    time,
    event: 'crl_refused',
    anchor: 'own',
    address: 'http://crl.example/ca.crl',
    certificate: null,
    detail: 'not a CRL: <html>\n4111111111111111',
  });
  expect(line.indexOf('\n')).toBe(line.length - 1);
  expect(Object.entries(JSON.parse(line))).toEqual([
    ['type', 'revocation'],
    at,
    ['event', 'crl_refused'],
    ['anchor', 'own'],
    ['address', 'http://crl.example/ca.crl'],
    ['certificate', null],
    ['detail', expect.not.stringContaining('4111111111111111')],
  ]);
});

it('a record of a key set names each key by kid and thumbprints, which are not masked', () => {
  const key = {
    kid: 'pan 4111111111111111',
    thumbprint: `4111111111111111${'a'.repeat(27)}`,
    certificate: null,
  };
  const line = keysLine({ time, event: 'changed', source: '/keys', detail: null, added: [key], removed: [] });
  expect(Object.entries(JSON.parse(line))).toEqual([
    ['type', 'keys'],
    at,
    ['event', 'changed'],
    ['source', '/keys'],
    ['detail', null],
    ['added', [{ ...key, kid: expect.not.stringContaining('4111111111111111') }]],
    ['removed', []],
  ]);
});

it('a config record contains the paths of changed fields, and no values', () => {
  const facts = { time, generation: 7, changed: ['clients.pins'], fixed: ['listen.port'], problems: 0 };
  expect(Object.entries(JSON.parse(configLine({ ...facts, event: 'reloaded' })))).toEqual([
    ['type', 'config'],
    at,
    ['event', 'reloaded'],
    ['generation', 7],
    ['changed', ['clients.pins']],
    ['fixed', ['listen.port']],
    ['problems', 0],
  ]);
});
