import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { type Certificate, parseCertificate } from '../../src/pki/certificate.ts';
import type { CrlSnapshot } from '../../src/revocation/crl/crl.ts';
import { readCrl } from '../../src/revocation/crl/reader.ts';
import { RevocationCheck } from '../../src/revocation/judgement.ts';
import type {
  CrlSourceStatus,
  OcspResult,
  RevocationMaterial,
  RevocationPolicy,
} from '../../src/revocation/state.ts';
import { authority } from '../support/pki/authority.ts';
import { type CrlOptions, distributionPoints } from '../support/revocation/crl.ts';
import { revocationPolicy } from '../support/revocation/revocation.ts';

const now = Date.UTC(2026, 0, 15, 12);
const hour = 3_600_000;
const day = 24 * hour;
const pki = authority({ now });
const root = parseCertificate(pki.root.der);
const issuing = parseCertificate(pki.issuing.der);
const certificates = [root, issuing];
const crlUrl = 'http://crl.example/issuing.crl';
const ocspUrl = 'http://ocsp.example/';

const leafWith = (...extensions: ReturnType<typeof distributionPoints>[]): Certificate =>
  parseCertificate(pki.issueClient({ extensions }).der);
const leaves = {
  silent: leafWith(),
  crl: leafWith(distributionPoints([{ urls: [crlUrl] }])),
  ocsp: leafWith(ocspResponders([ocspUrl])),
  both: leafWith(distributionPoints([{ urls: [crlUrl] }]), ocspResponders([ocspUrl])),
};

function crl(options: Partial<CrlOptions> = {}): CrlSnapshot {
  const reading = readCrl({ bytes: Uint8Array.from(pki.crl(options).der), issuers: certificates });
  if (!reading.ok) throw new Error(reading.detail);
  return reading.crl;
}
const ended = () => crl({ thisUpdate: now - day, nextUpdate: now - hour });
const revoking = ({ serialOctets }: Certificate) => crl({ revoked: [{ serial: serialOctets }] });
const rootsCrl = (options: Partial<CrlOptions> = {}) => crl({ issuer: pki.root, ...options });

const fact = ({ tbsSha256 }: Certificate, changes: Partial<OcspResult> = {}): OcspResult => {
  const word = { status: 'good', freshUntil: now + hour, detail: '', responder: null } as const;
  return { certificate: tbsSha256, address: ocspUrl, problem: null, ...word, ...changes };
};

interface Known extends Partial<Omit<RevocationMaterial, 'policy'>> {
  readonly policy?: Partial<RevocationPolicy>;
}

function checkWith({ policy = {}, ...known }: Known): RevocationCheck {
  const nothing = { crls: [], revokeOnly: [], crlSources: [], ocsp: [], leaves: [] };
  const material = { ...nothing, ...known, policy: { ...revocationPolicy, ...policy } };
  return new RevocationCheck(material, certificates);
}

const word = (leaf: Certificate, known: Known, at = now) =>
  checkWith(known).resultOf([leaf, issuing, root], at);

describe('the detail of a denial names the source, its address and what is wrong with it', () => {
  const leafOnly = { scope: 'leaf' } as const;
  const origin = (changes: Partial<CrlSourceStatus> = {}): CrlSourceStatus => {
    return { address: crlUrl, crl: null, problem: null, ...changes };
  };
  const over = ended();
  const spaced = leafWith(distributionPoints([{ urls: ['http://h/my ca.crl', 'ldap://h/', crlUrl] }]));
  it.each<[string, Certificate, Known, string]>([
    [
      'a CRL that cannot be had',
      leaves.crl,
      { crlSources: [origin({ problem: 'the server answered 404' })] },
      `no CRL covers this certificate: ${crlUrl}: the server answered 404`,
    ],
    ['a CRL that was not asked for yet', leaves.crl, {}, `${crlUrl} was not fetched yet`],
    ['a CRL that has not come yet', leaves.crl, { crlSources: [origin()] }, `${crlUrl}: no response yet`],
    [
      'addresses that are not followed',
      spaced,
      { crlSources: [origin({ problem: 'signed by nobody' })] },
      `http://h/my ca.crl is not fetched: the URL contains a space, a control character or a non-ASCII character that is not percent-encoded; ldap://h/ is not fetched: only http and https URLs are supported, not ldap; ${crlUrl}: signed by nobody`,
    ],
    [
      'a CRL that has ended, and why no newer one came',
      leaves.crl,
      {
        crls: [over],
        crlSources: [origin({ crl: over.sha256, problem: 'ECONNREFUSED' })],
        policy: { ...leafOnly, grace: 0 },
      },
      `: ${crlUrl}: CRL ${over.sha256.slice(0, 12)}, number 1, until 2026-01-15T11:00:00.000Z, and the last attempt failed: ECONNREFUSED`,
    ],
    [
      'a configured list that is about others',
      leaves.crl,
      {
        crls: [rootsCrl({ number: 3 })],
        crlSources: [origin({ address: '/etc/root.crl', crl: rootsCrl({ number: 3 }).sha256 })],
        policy: { ...leafOnly, crl: ['/etc/root.crl'] },
      },
      'no CRL covers this certificate: /etc/root.crl: ',
    ],
    [
      'a CRL that says revoked',
      leaves.crl,
      (() => {
        const revoked = revoking(leaves.crl);
        return { crls: [revoked], crlSources: [origin({ crl: revoked.sha256 }), origin({ address: '/b' })] };
      })(),
      ` (number 1) of ${crlUrl}`,
    ],
    ['a responder that was not fetched yet', leaves.ocsp, {}, `no OCSP response yet from ${ocspUrl}`],
    [
      'a responder that fails',
      leaves.ocsp,
      { ocsp: [fact(leaves.ocsp, { status: 'failed', detail: `${ocspUrl}: the server answered 500` })] },
      `no usable OCSP response: ${ocspUrl}: the server answered 500`,
    ],
    [
      'a responder that does not know it',
      leaves.ocsp,
      { ocsp: [fact(leaves.ocsp, { status: 'unknown' })] },
      `the OCSP responder ${ocspUrl} does not know the certificate`,
    ],
    [
      'an answer that has ended, and why no newer one came',
      leaves.ocsp,
      {
        ocsp: [fact(leaves.ocsp, { freshUntil: now - hour, problem: `${ocspUrl}: ECONNREFUSED` })],
        policy: { ...leafOnly, grace: 0 },
      },
      `the OCSP response of ${ocspUrl} expired at 2026-01-15T11:00:00.000Z, and fetching a newer one failed: ${ocspUrl}: ECONNREFUSED`,
    ],
    [
      'a responder that says revoked',
      leaves.ocsp,
      { ocsp: [fact(leaves.ocsp, { status: 'revoked', detail: 'at noon' })] },
      `according to its OCSP responder ${ocspUrl}: at noon`,
    ],
  ])('%s', (_, leaf, known, detail) => {
    expect(word(leaf, { policy: leafOnly, ...known }).detail).toContain(detail);
    expect(word(leaf, { policy: leafOnly, ...known }).detail).toContain(leaf.subject);
  });

  it('and of many addresses the first ones', () => {
    const urls = Array.from({ length: 5 }, (_, index) => `http://h/${index}.crl`);
    const leaf = leafWith(distributionPoints([{ urls }]));
    expect(word(leaf, { crls: [], policy: leafOnly }).detail).toMatch(
      /2\.crl was not fetched yet; and 2 more$/,
    );
  });
});

describe('a certificate that names no source', () => {
  it('is not checked, where none is configured', () => {
    expect(word(leaves.silent, {})).toEqual({
      status: 'not_checked',
      until: Number.POSITIVE_INFINITY,
      detail: expect.stringContaining(leaves.silent.subject),
    });
  });

  it.each([
    ['a CRL', { crl: [crlUrl] }],
    ['a responder', { ocsp: ocspUrl }],
  ])('is unknown where %s is configured that says nothing', (_, policy) => {
    expect(word(leaves.silent, { policy }).status).toBe('unknown');
  });

  it('is revoked all the same by a CRL that is here for others', () => {
    expect(word(leaves.silent, { crls: [revoking(leaves.silent)] }).status).toBe('revoked');
  });
});

describe('the sources of one certificate', () => {
  const leafOnly = { scope: 'leaf' } as const;
  const good = [crl()];

  it('are asked as the policy says: off is not asked', () => {
    const revoked = { crls: [revoking(leaves.both)], ocsp: [fact(leaves.both)] };
    expect(word(leaves.both, { ...revoked, policy: leafOnly }).status).toBe('revoked');
    expect(word(leaves.both, { ...revoked, policy: { ...leafOnly, crl: 'off' } }).status).toBe('good');
    const off = { ...leafOnly, crl: 'off', ocsp: 'off' } as const;
    expect(word(leaves.both, { ...revoked, policy: off }).status).toBe('not_checked');
  });

  it('are enough with one good answer', () => {
    expect(word(leaves.both, { crls: good, policy: leafOnly }).status).toBe('good');
    expect(word(leaves.both, { ocsp: [fact(leaves.both)], policy: leafOnly }).status).toBe('good');
  });

  it.each(['unknown', 'failed'] as const)(
    'leave it unknown where OCSP is %s and nothing else is named',
    (status) => {
      const ocsp = [fact(leaves.ocsp, { status, detail: 'the responder is down' })];
      expect(word(leaves.ocsp, { ocsp, policy: leafOnly })).toMatchObject({
        status: 'unknown',
        until: now + 1000,
        detail: expect.stringContaining(leaves.ocsp.subject),
      });
    },
  );

  it('are believed by any that says revoked, however good the others are', () => {
    const ocsp = [fact(leaves.both, { status: 'revoked', detail: 'at noon' })];
    expect(word(leaves.both, { crls: good, ocsp, policy: leafOnly })).toMatchObject({
      status: 'revoked',
      detail: expect.stringContaining('at noon'),
    });
  });

  it('serve on in their grace, stale, and are unknown after it', () => {
    const ocsp = [fact(leaves.ocsp, { freshUntil: now })];
    const policy = { ...leafOnly, grace: day };
    expect(word(leaves.ocsp, { ocsp, policy })).toMatchObject({ status: 'good', until: now });
    expect(word(leaves.ocsp, { ocsp, policy }, now + 1)).toMatchObject({ status: 'stale', until: now + day });
    expect(word(leaves.ocsp, { ocsp, policy }, now + day)).toMatchObject({ status: 'stale' });
    expect(word(leaves.ocsp, { ocsp, policy }, now + day + 1)).toMatchObject({ status: 'unknown' });
    const ended = crl({ nextUpdate: now });
    expect(word(leaves.crl, { crls: [ended], policy }, now + 1).status).toBe('stale');
    expect(word(leaves.crl, { crls: [ended], policy }, now + day + 1).status).toBe('unknown');
  });

  it('count as fresh as long as one of them is', () => {
    const known = { crls: [ended()], ocsp: [fact(leaves.both)], policy: leafOnly };
    expect(word(leaves.both, known).status).toBe('good');
  });
});

describe('the path', () => {
  it('asks about the CAs between, not about the root, and about none with scope leaf', () => {
    const crls = [crl(), rootsCrl({ revoked: [{ serial: issuing.serialOctets }] })];
    expect(word(leaves.crl, { crls })).toMatchObject({
      status: 'revoked',
      detail: expect.stringContaining(issuing.subject),
    });
    expect(word(leaves.crl, { crls, policy: { scope: 'leaf' } }).status).toBe('good');
    const ofRoot = [crl(), rootsCrl({ revoked: [{ serial: root.serialOctets }] })];
    expect(word(leaves.crl, { crls: ofRoot }).status).toBe('good');
  });

  it('is as doubtful as its most doubtful certificate, and holds no longer than the first to end', () => {
    expect(word(leaves.crl, { crls: [crl()] }).status).toBe('not_checked');
    const crls = [crl({ nextUpdate: now + day }), rootsCrl({ nextUpdate: now + hour })];
    expect(word(leaves.crl, { crls })).toEqual({ status: 'good', until: now + hour, detail: '' });
    const policy = { crl: [crlUrl] };
    expect(word(leaves.crl, { crls: [crl()], policy })).toMatchObject({
      status: 'unknown',
      detail: expect.stringContaining(issuing.subject),
    });
  });
});

describe('a leaf that nobody was told of', () => {
  it.each([
    ['names a CRL', leaves.crl, {}, true],
    ['names a responder', leaves.ocsp, {}, true],
    ['names nothing', leaves.silent, {}, false],
    ['names a CRL, and other CRLs are configured', leaves.crl, { crl: ['/crl'] }, false],
    ['names a CRL, and none is to be asked', leaves.crl, { crl: 'off' }, false],
    ['names a responder, and none is to be asked', leaves.ocsp, { ocsp: 'off' }, false],
    ['names nothing, and a responder is configured', leaves.silent, { ocsp: ocspUrl }, true],
  ] as const)('%s', (_, leaf, policy, unseen) => {
    expect(checkWith({ policy }).isFirstContact(leaf)).toBe(unseen);
    expect(checkWith({ policy, leaves: [leaf.tbsSha256] }).isFirstContact(leaf)).toBe(false);
  });
});

it('judges anew when the clock is put back, though what was said then was to hold for longer', () => {
  const check = checkWith({ ocsp: [fact(leaves.ocsp)], policy: { scope: 'leaf', grace: 0 } });
  const path = [leaves.ocsp, issuing, root] as const;
  expect(check.resultOf(path, now + 8 * hour).status).toBe('unknown');
  expect(check.resultOf(path, now).status).toBe('good');
});

it('keeps its words only as long as they hold', () => {
  const check = checkWith({ ocsp: [fact(leaves.ocsp)], policy: { scope: 'leaf', grace: 0 } });
  const path = [leaves.ocsp, issuing, root] as const;
  const first = check.resultOf(path, now);
  expect(check.resultOf(path, now + hour - 1)).toBe(first);
  expect(check.resultOf(path, now + hour + 1).status).toBe('unknown');
});

it('never calls good what any source calls revoked, and never good what nobody has vouched for', () => {
  const statuses = fc.constantFrom('good', 'revoked', 'unknown', 'failed', null);
  const lists = fc.constantFrom('good', 'revoked', 'ended', null);
  fc.assert(
    fc.property(statuses, lists, (ocsp, list) => {
      const known = {
        policy: { scope: 'leaf', grace: 0 } as const,
        ocsp: ocsp === null ? [] : [fact(leaves.both, { status: ocsp })],
        crls:
          list === null
            ? []
            : [list === 'revoked' ? revoking(leaves.both) : list === 'good' ? crl() : ended()],
      };
      const expected =
        ocsp === 'revoked' || list === 'revoked'
          ? 'revoked'
          : ocsp === 'good' || list === 'good'
            ? 'good'
            : 'unknown';
      expect(word(leaves.both, known).status).toBe(expected);
    }),
    { numRuns: 60 },
  );
});
