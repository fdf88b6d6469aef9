import { describe, expect, it } from 'vitest';
import { type Certificate, parseCertificate } from '../../../src/pki/certificate.ts';
import type { CrlSnapshot } from '../../../src/revocation/crl/crl.ts';
import { readCrl } from '../../../src/revocation/crl/reader.ts';
import { type CrlStatus, type CrlStatusQuery, crlStatus } from '../../../src/revocation/crl/status.ts';
import { authority, type Issued } from '../../support/pki/authority.ts';
import {
  type CrlOptions,
  distributionPoints,
  type PointOptions,
  type ScopeOptions,
} from '../../support/revocation/crl.ts';

const now = Date.UTC(2026, 0, 15, 12);
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const pki = authority({ now });
const issuing = parseCertificate(pki.issuing.der);
const other = authority({ now, name: 'Elsewhere' });

type Points = Parameters<typeof distributionPoints>[0];
const leafWith = (...points: Points): Certificate =>
  parseCertificate(
    pki.issueClient(points.length === 0 ? {} : { extensions: [distributionPoints(points)] }).der,
  );
const leaf = leafWith();

function crl(options: Partial<CrlOptions> = {}): CrlSnapshot {
  const { der } = pki.crl(options);
  const issuers = [pki.issuing, other.issuing].map((issuer) => parseCertificate(issuer.der));
  const reading = readCrl({ bytes: Uint8Array.from(der), issuers });
  if (!reading.ok) throw new Error(reading.detail);
  return reading.crl;
}

const revoking = (certificate: Certificate, options: Partial<CrlOptions> = {}) =>
  crl({
    revoked: [{ serial: certificate.serialOctets, at: now - day, reason: 'keyCompromise' }],
    ...options,
  });

const ask = (crls: readonly CrlSnapshot[], options: Partial<CrlStatusQuery> = {}): CrlStatus =>
  crlStatus({ certificate: leaf, issuer: issuing, crls, now, grace: 0, ...options });
const outcome = (status: CrlStatus): string => (status.status === 'unknown' ? status.reason : status.status);

describe('a complete CRL', () => {
  it('gives good until it expires if it does not list the certificate', () => {
    expect(ask([crl()])).toEqual({ status: 'good', freshUntil: now + day, stale: false });
    expect(ask([revoking(leafWith())])).toMatchObject({ status: 'good' });
  });

  it('gives revoked with reason, time and the CRL’s digest if it lists the certificate', () => {
    const list = revoking(leaf);
    expect(ask([list])).toEqual({
      status: 'revoked',
      reason: 'keyCompromise',
      revokedAt: now - day,
      crl: list.sha256,
    });
  });

  it.each(['4d', '00ff', '7f80', '00a1', '80', 'ff7f'])(
    'finds a serial number that starts with %s, octet for octet as the certificate has it',
    (start) => {
      const { der } = pki.issueClient();
      const serialAt = der.indexOf(Buffer.from('02104d', 'hex')) + 2;
      const renumbered = Buffer.from(der);
      renumbered.set(Buffer.from(start, 'hex'), serialAt);
      const serial = Uint8Array.from(renumbered.subarray(serialAt, serialAt + 16));
      const certificate = parseCertificate(renumbered);
      expect(outcome(ask([crl({ revoked: [{ serial }] })], { certificate }))).toBe('revoked');
      serial[15] = (serial[15] as number) ^ 1;
      expect(outcome(ask([crl({ revoked: [{ serial }] })], { certificate }))).toBe('good');
    },
  );

  it('gives revoked for certificateHold', () => {
    const list = crl({ revoked: [{ serial: leaf.serialOctets, reason: 'certificateHold' }] });
    expect(ask([list])).toMatchObject({ status: 'revoked', reason: 'certificateHold' });
  });

  it('does not cover certificates of another CA, even with the same serial number', () => {
    const list = revoking(leaf, { issuer: other.issuing });
    expect(outcome(ask([list], { mayDelegate: () => true }))).toBe('no_crl');
    expect(outcome(ask([]))).toBe('no_crl');
  });

  it('is not used if another key signed it in the issuer’s name, unless that key is authorized', () => {
    const issuer = { spkiPin: parseCertificate(pki.root.der).spkiPin };
    for (const list of [crl(), revoking(leaf)]) {
      expect(outcome(ask([list], { issuer }))).toBe('wrong_signer');
      expect(outcome(ask([list], { issuer, mayDelegate: () => false }))).toBe('wrong_signer');
      expect(outcome(ask([list], { issuer, mayDelegate: ({ sha256 }) => sha256 === list.sha256 }))).not.toBe(
        'wrong_signer',
      );
    }
  });
});

describe('the age of a CRL', () => {
  it.each([
    ['at nextUpdate', 2 * hour, 0, 0, { status: 'good', stale: false }],
    ['right after nextUpdate', 2 * hour, 0, -1, { status: 'unknown', reason: 'stale' }],
    ['inside the grace period', 2 * hour, hour, -1, { status: 'good', stale: true }],
    ['at the end of the grace period', 2 * hour, hour, -hour, { status: 'good', stale: true }],
    ['after the grace period', 2 * hour, hour, -hour - 1, { status: 'unknown', reason: 'stale' }],
  ])('is judged %s', (_, since, grace, left, expected) => {
    const list = crl({ thisUpdate: now - since, nextUpdate: now });
    expect(ask([list], { now: now - left, grace })).toMatchObject(expected);
  });

  it('is limited to the grace period if there is no nextUpdate', () => {
    const list = crl({ thisUpdate: now - hour, nextUpdate: null });
    expect(outcome(ask([list]))).toBe('stale');
    expect(ask([list], { grace: 2 * hour })).toEqual({ status: 'good', freshUntil: now - hour, stale: true });
  });

  it('may be negative by five minutes at most', () => {
    expect(outcome(ask([crl({ thisUpdate: now + 5 * minute })]))).toBe('good');
    expect(outcome(ask([crl({ thisUpdate: now + 6 * minute })]))).toBe('not_yet_valid');
  });

  it('does not matter for a revoked certificate', () => {
    expect(outcome(ask([revoking(leaf, { thisUpdate: now - 9 * day, nextUpdate: now - 8 * day })]))).toBe(
      'revoked',
    );
    expect(outcome(ask([revoking(leaf, { thisUpdate: now + day, nextUpdate: now + 2 * day })]))).toBe(
      'revoked',
    );
  });

  it('is that of the newest of several', () => {
    const stale = crl({ thisUpdate: now - day, nextUpdate: now - hour });
    expect(ask([stale, crl({ number: 2 })])).toEqual({ status: 'good', freshUntil: now + day, stale: false });
    expect(outcome(ask([crl(), revoking(leaf, { thisUpdate: now - day, nextUpdate: now - hour })]))).toBe(
      'revoked',
    );
  });
});

describe('the scope of a CRL', () => {
  const ca = { ...leaf, isCa: true };
  const urls = ['http://crl.example/1.crl'];
  const relative = Buffer.from('300b0603550403130463726c31', 'hex');

  it.each<[string, ScopeOptions, string, string]>([
    ['user certificates only', { only: 'user' }, 'good', 'no_crl'],
    ['CA certificates only', { only: 'ca' }, 'no_crl', 'good'],
    ['attribute certificates only', { only: 'attribute' }, 'no_crl', 'no_crl'],
    ['nothing in particular', {}, 'good', 'good'],
    ['its own issuer’s name', { directory: pki.issuing.subject }, 'good', 'good'],
    ['another distribution point', { urls }, 'no_crl', 'no_crl'],
  ])('limited to %s', (_, scope, ofLeaf, ofCa) => {
    expect(outcome(ask([crl({ scope })]))).toBe(ofLeaf);
    expect(outcome(ask([crl({ scope })], { certificate: ca }))).toBe(ofCa);
    // Outside of its scope even an entry does not count: the serial number may be of another CRL.
    const listed = outcome(ask([revoking(leaf, { scope })]));
    expect(listed).toBe(ofLeaf === 'good' ? 'revoked' : 'no_crl');
  });

  it.each<[string, PointOptions, ScopeOptions, boolean]>([
    ['the same URL', { urls }, { urls }, true],
    ['one URL of several', { urls: ['http://a/', ...urls] }, { urls: [...urls, 'http://b/'] }, true],
    ['another URL', { urls: ['http://crl.example/2.crl'] }, { urls }, false],
    ['a URL in another case', { urls: ['http://crl.example/1.CRL'] }, { urls }, false],
    ['no name in the CRL', { urls }, {}, true],
    ['the same relative name', { relative }, { relative }, true],
    ['a relative name and a URL', { relative }, { urls }, false],
  ])('matches a distribution point by %s', (_, point, scope, fits) => {
    expect(outcome(ask([crl({ scope })], { certificate: leafWith(point) }))).toBe(fits ? 'good' : 'no_crl');
  });

  it('matches any one of several distribution points', () => {
    const certificate = leafWith({ urls: ['http://a/'] }, { urls });
    expect(outcome(ask([crl({ scope: { urls } })], { certificate }))).toBe('good');
    expect(outcome(ask([revoking(certificate, { scope: { urls } })], { certificate }))).toBe('revoked');
  });
});

describe('reasons', () => {
  const some = ['keyCompromise', 'cACompromise'] as const;
  const rest = [
    ...(['affiliationChanged', 'superseded', 'cessationOfOperation'] as const),
    ...(['certificateHold', 'privilegeWithdrawn', 'aACompromise'] as const),
  ];

  it('must all be covered for good', () => {
    const [first, second] = [crl({ scope: { reasons: some } }), crl({ scope: { reasons: rest } })];
    expect(outcome(ask([first]))).toBe('some_reasons');
    expect(outcome(ask([second]))).toBe('some_reasons');
    expect(outcome(ask([first, second]))).toBe('good');
    expect(outcome(ask([revoking(leaf, { scope: { reasons: some } })]))).toBe('revoked');
  });

  it('of several CRLs are covered until the first CRL expires', () => {
    const first = crl({ scope: { reasons: some }, nextUpdate: now + hour });
    const second = crl({ scope: { reasons: rest } });
    expect(ask([first, second])).toMatchObject({ freshUntil: now + hour });
    expect(ask([first, second, crl({ scope: { reasons: some } })])).toMatchObject({ freshUntil: now + day });
    expect(outcome(ask([first, second], { now: now + 2 * hour }))).toBe('stale');
  });

  it('are limited to those of the distribution point', () => {
    const urls = ['http://a/'];
    const list = crl({ scope: { urls } });
    const half = leafWith({ urls, reasons: some });
    const both = leafWith({ urls, reasons: some }, { urls, reasons: rest });
    expect(outcome(ask([list], { certificate: half }))).toBe('some_reasons');
    expect(outcome(ask([list], { certificate: both }))).toBe('good');
  });

  it('are not covered by a CRL that is not used', () => {
    const future = crl({ scope: { reasons: rest }, thisUpdate: now + hour });
    expect(outcome(ask([crl({ scope: { reasons: some } }), future]))).toBe('some_reasons');
  });
});

describe('a delta CRL', () => {
  const base = { number: 10 };
  const delta = { baseNumber: 10, number: 12 };
  const entry = (reason: 'keyCompromise' | 'certificateHold' | 'removeFromCRL') => ({
    revoked: [{ serial: leaf.serialOctets, reason }],
  });
  const held = crl({ ...base, ...entry('certificateHold') });

  it('is not used alone', () => {
    expect(outcome(ask([crl(delta)]))).toBe('no_crl');
    expect(outcome(ask([crl({ ...delta, ...entry('keyCompromise') })]))).toBe('no_crl');
  });

  it('adds a revocation and cancels one', () => {
    expect(ask([crl(base), crl({ ...delta, ...entry('keyCompromise') })])).toMatchObject({
      status: 'revoked',
      reason: 'keyCompromise',
    });
    expect(outcome(ask([held]))).toBe('revoked');
    expect(outcome(ask([held, crl(delta)]))).toBe('revoked');
    expect(outcome(ask([held, crl({ ...delta, ...entry('removeFromCRL') })]))).toBe('good');
  });

  it('cancels nothing when it has expired or is not yet valid', () => {
    const removal = { ...delta, ...entry('removeFromCRL') };
    const ended = crl({ ...removal, thisUpdate: now - day, nextUpdate: now - hour });
    expect(outcome(ask([held, ended]))).toBe('revoked');
    expect(outcome(ask([held, ended], { grace: 2 * hour }))).toBe('good');
    expect(outcome(ask([held, crl({ ...removal, thisUpdate: now + hour })]))).toBe('revoked');
  });

  it('extends the validity of its complete CRL', () => {
    const old = crl({ ...base, thisUpdate: now - 2 * day, nextUpdate: now - day });
    expect(outcome(ask([old]))).toBe('stale');
    expect(ask([old, crl(delta)])).toEqual({ status: 'good', freshUntil: now + day, stale: false });
    expect(outcome(ask([old, crl({ ...delta, thisUpdate: now + hour })]))).toBe('stale');
  });

  it.each<[string, Partial<CrlOptions>]>([
    ['the complete CRL is older than its base', { baseNumber: 11, number: 12 }],
    ['the complete CRL is as new as itself', { baseNumber: 9, number: 10 }],
    ['it has no number', { baseNumber: 10, number: null }],
    ['its scope is another', { ...delta, scope: { only: 'user' } }],
  ])('is ignored when %s', (_, options) => {
    expect(outcome(ask([held, crl({ ...options, ...entry('removeFromCRL') })]))).toBe('revoked');
    expect(outcome(ask([crl(base), crl({ ...options, ...entry('keyCompromise') })]))).toBe('good');
  });

  it('is ignored when another key signed it, or the same key in another name', () => {
    const removal = crl({ ...delta, ...entry('removeFromCRL') });
    const foreign = { ...removal, signer: { ...removal.signer, spkiPin: 'another' } };
    expect(outcome(ask([held, foreign], { mayDelegate: () => true }))).toBe('revoked');
    expect(outcome(ask([held, { ...removal, issuer: 'another' }]))).toBe('revoked');
  });

  it('is replaced by a later one, whatever the order', () => {
    const [earlier, later] = [
      crl({ ...delta, ...entry('removeFromCRL') }),
      crl({ ...delta, number: 13, ...entry('keyCompromise') }),
    ];
    for (const deltas of [
      [earlier, later],
      [later, earlier],
    ])
      expect(ask([held, ...deltas])).toMatchObject({ status: 'revoked', reason: 'keyCompromise' });
  });
});

describe('an indirect CRL', () => {
  const mayDelegate = () => true;
  const crlIssuer = other.issuing.subject;
  const certificate = leafWith({ crlIssuer });
  const indirect = (options: Partial<CrlOptions> = {}) =>
    crl({ issuer: other.issuing, scope: { indirect: true }, ...options });
  const asked = (list: CrlSnapshot, who: Certificate = certificate) =>
    outcome(ask([list], { certificate: who, mayDelegate }));
  const entry = (issuer?: Issued) => ({
    revoked: [
      { serial: certificate.serialOctets, ...(issuer === undefined ? {} : { issuer: issuer.subject }) },
    ],
  });

  it('covers the certificates whose distribution point names its issuer', () => {
    expect(asked(indirect())).toBe('good');
    expect(asked(indirect(), leaf)).toBe('no_crl');
    expect(asked(indirect({ scope: {} }))).toBe('no_crl');
    expect(asked(indirect({ scope: { indirect: true, directory: crlIssuer } }))).toBe('good');
    expect(asked(indirect({ scope: { indirect: true, urls: ['http://a/'] } }))).toBe('no_crl');
  });

  it('revokes the certificate of the issuer that the entry names', () => {
    expect(asked(indirect(entry(pki.issuing)))).toBe('revoked');
    expect(asked(indirect(entry(pki.root)))).toBe('good');
    expect(asked(indirect(entry()))).toBe('good');
  });

  it('is not used if its signer is not authorized', () => {
    expect(outcome(ask([indirect()], { certificate }))).toBe('wrong_signer');
    expect(outcome(ask([indirect(entry(pki.issuing))], { certificate }))).toBe('wrong_signer');
  });
});

it('gives the same decision after a structured clone to another thread', () => {
  const list = structuredClone(revoking(leaf));
  expect(outcome(ask([list]))).toBe('revoked');
});
