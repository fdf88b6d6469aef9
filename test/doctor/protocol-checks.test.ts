/** What is said about versions, cipher suites, key exchange and renegotiation, and the grade that follows. */
import { expect, it } from 'vitest';
import { gradeOf } from '../../src/doctor/grade.ts';
import { protocolChecks } from '../../src/doctor/protocol-checks.ts';
import type { OfferedSuite, ProtocolFacts } from '../../src/doctor/protocol-facts.ts';

const gcm: OfferedSuite = {
  ...{ code: 0xc02f, name: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', keyExchange: 'ECDHE_RSA' },
  ...{ forwardSecrecy: true, aead: true, bits: 128, insecure: null, version: 'TLS 1.2' },
};
const latest: OfferedSuite = {
  ...gcm,
  code: 0x1302,
  name: 'TLS_AES_256_GCM_SHA384',
  bits: 256,
  version: 'TLS 1.3',
};
const cbc: OfferedSuite = { ...gcm, name: 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', aead: false };
const rsa: OfferedSuite = { ...gcm, name: 'TLS_RSA_WITH_AES_128_GCM_SHA256', forwardSecrecy: false };

const off = { 'SSL 3.0': false, 'TLS 1.0': false, 'TLS 1.1': false, 'TLS 1.2': true, 'TLS 1.3': true };
const good: ProtocolFacts = {
  ...{ offered: off, suites: [latest, gcm], incomplete: [], groupsIncomplete: [] },
  groups: [{ code: 29, name: 'x25519', strength: 3072 }],
  ...{ keyStrength: 3072, renegotiates: false, renegotiationUnknown: null, secureRenegotiation: true },
};

function judge(changes: Partial<ProtocolFacts>) {
  const protocol = { ...good, ...changes };
  const notable = protocolChecks(protocol).filter(({ outcome }) => outcome !== 'pass');
  const grade = gradeOf({
    ...{ protocol, isIncomplete: false, hasWeakSignature: false },
    ...{ isTrusted: true, isNameMatched: true, isValidToday: true },
  });
  return { checks: notable.map(({ id, outcome }) => `${id} ${outcome}`), letter: grade.letter };
}

it('passes TLS 1.2 and 1.3 with ephemeral AEAD suites, grade A', () => {
  expect(judge({})).toEqual({ checks: [], letter: 'A' });
});

const weakGroup = { code: null, name: 'dh 1024 bits', strength: 1024 };

it.each<[string, Partial<ProtocolFacts>, string[], string]>([
  ['TLS 1.0', { offered: { ...off, 'TLS 1.0': true } }, ['versions fail'], 'B'],
  ['SSL 3.0', { offered: { ...off, 'SSL 3.0': true } }, ['versions fail'], 'C'],
  ['no TLS 1.3', { offered: { ...off, 'TLS 1.3': false }, suites: [gcm] }, ['versions warn'], 'A-'],
  [
    'TLS 1.3 only',
    {
      offered: { ...off, 'TLS 1.2': false },
      suites: [latest],
      renegotiates: null,
      secureRenegotiation: null,
    },
    [],
    'A',
  ],
  [
    'a list of groups that was not completed',
    { groupsIncomplete: ['TLS 1.2: the server did not answer in time'] },
    ['key-exchange unknown'],
    'A',
  ],
  ['a version that could not be tried', { offered: { ...off, 'TLS 1.0': null } }, ['versions unknown'], 'A'],
  ['CBC beside AEAD', { suites: [latest, gcm, cbc] }, ['aead warn'], 'A'],
  ['CBC only in TLS 1.2', { suites: [latest, cbc] }, ['aead fail'], 'A'],
  ['CBC only', { suites: [cbc] }, ['aead fail'], 'B'],
  ['static RSA beside ECDHE', { suites: [latest, gcm, rsa] }, ['forward-secrecy warn'], 'A'],
  ['static RSA only', { suites: [rsa] }, ['forward-secrecy fail'], 'B'],
  ['RC4', { suites: [latest, gcm, { ...cbc, insecure: 'RC4' }] }, ['suites fail', 'aead warn'], 'C'],
  [
    'no encryption',
    { suites: [latest, gcm, { ...cbc, bits: 0, insecure: 'NULL' }] },
    ['suites fail', 'aead warn'],
    'F',
  ],
  [
    'a list that may be incomplete',
    { incomplete: ['TLS 1.2: the server closed the connection'] },
    ['suites unknown'],
    'A',
  ],
  ['a weak group', { groups: [...good.groups, weakGroup] }, ['key-exchange fail'], 'B'],
  ['no group', { groups: [] }, ['key-exchange unknown'], 'A'],
  ['renegotiation', { renegotiates: true }, ['renegotiation warn'], 'A'],
  ['insecure renegotiation', { renegotiates: true, secureRenegotiation: false }, ['renegotiation fail'], 'F'],
  ['no secure renegotiation', { secureRenegotiation: false }, ['renegotiation warn'], 'A-'],
  [
    'renegotiation that could not be tried',
    { renegotiates: null, renegotiationUnknown: 'no answer' },
    ['renegotiation unknown'],
    'A',
  ],
  ['a key of 1024 bits', { keyStrength: 1024 }, [], 'B'],
])('judges %s', (_, changes, checks, letter) => {
  expect(judge(changes)).toEqual({ checks, letter });
});

it('gives T to a chain that is not trusted, M to another name, and shows the grade without these', () => {
  const facts = {
    protocol: good,
    isIncomplete: true,
    hasWeakSignature: false,
    isNameMatched: true,
    isValidToday: true,
  };
  expect(gradeOf({ ...facts, isTrusted: false })).toMatchObject({
    letter: 'T',
    ignoringTrust: 'B',
    caps: [{ letter: 'B', reason: 'an incomplete chain' }],
  });
  expect(gradeOf({ ...facts, isTrusted: true, isNameMatched: false }).letter).toBe('M');
  expect(gradeOf({ ...facts, isTrusted: true, isValidToday: false }).letter).toBe('T');
  expect(gradeOf({ ...facts, isTrusted: true, hasWeakSignature: true }).letter).toBe('F');
});

it('rates as the guide does: 30 % protocols, 30 % key exchange, 40 % ciphers', () => {
  const facts = {
    isIncomplete: false,
    hasWeakSignature: false,
    isTrusted: true,
    isNameMatched: true,
    isValidToday: true,
  };
  const { scores } = gradeOf({ ...facts, protocol: good });
  expect(scores).toEqual({ protocol: 100, keyExchange: 90, cipher: 90 });
  expect(gradeOf({ ...facts, protocol: { ...good, suites: [{ ...gcm, bits: 0 }] } }).letter).toBe('F');
  expect(gradeOf({ ...facts, protocol: { ...good, suites: [] } }).letter).toBeNull();
});
