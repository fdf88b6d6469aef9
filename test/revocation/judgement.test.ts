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

const ocspResult = ({ tbsSha256 }: Certificate, changes: Partial<OcspResult> = {}): OcspResult => {
  const good = { status: 'good', freshUntil: now + hour, detail: '', responder: null } as const;
  return { certificate: tbsSha256, address: ocspUrl, problem: null, ...good, ...changes };
};

interface Known extends Partial<Omit<RevocationMaterial, 'policy'>> {
  readonly policy?: Partial<RevocationPolicy>;
}

function checkWith({ policy = {}, ...known }: Known): RevocationCheck {
  const nothing = { crls: [], revokeOnly: [], crlSources: [], ocsp: [], leaves: [] };
  const material = { ...nothing, ...known, policy: { ...revocationPolicy, ...policy } };
  return new RevocationCheck(material, certificates);
}

const resultOf = (leaf: Certificate, known: Known, at = now) =>
  checkWith(known).resultOf([leaf, issuing, root], at);

describe('the detail of a denial names the source, its address and its failure:', () => {
  const leafOnly = { scope: 'leaf' } as const;
  const origin = (changes: Partial<CrlSourceStatus> = {}): CrlSourceStatus => {
    return { address: crlUrl, crl: null, problem: null, ...changes };
  };
  const over = ended();
  const spaced = leafWith(distributionPoints([{ urls: ['http://h/my ca.crl', 'ldap://h/', crlUrl] }]));
  it.each<[string, Certificate, Known, string]>([
    [
      'a CRL that cannot be fetched',
      leaves.crl,
      { crlSources: [origin({ problem: 'the server answered 404' })] },
      `no CRL covers this certificate: ${crlUrl}: the server answered 404`,
    ],
    ['a CRL that was not fetched yet', leaves.crl, {}, `${crlUrl} was not fetched yet`],
    ['a CRL that is being fetched', leaves.crl, { crlSources: [origin()] }, `${crlUrl}: no response yet`],
    [
      'addresses that are not fetched',
      spaced,
      { crlSources: [origin({ problem: 'not signed by CN=CA' })] },
      `http://h/my ca.crl is not fetched: the URL contains a space, a control character or a non-ASCII character that is not percent-encoded; ldap://h/ is not fetched: only http and https URLs are supported, not ldap; ${crlUrl}: not signed by CN=CA`,
    ],
    [
      'a CRL that has expired, and why the last attempt failed',
      leaves.crl,
      {
        crls: [over],
        crlSources: [origin({ crl: over.sha256, problem: 'ECONNREFUSED' })],
        policy: { ...leafOnly, grace: 0 },
      },
      `: ${crlUrl}: CRL ${over.sha256.slice(0, 12)}, number 1, until 2026-01-15T11:00:00.000Z, and the last attempt failed: ECONNREFUSED`,
    ],
    [
      'a configured CRL that covers other certificates',
      leaves.crl,
      {
        crls: [rootsCrl({ number: 3 })],
        crlSources: [origin({ address: '/etc/root.crl', crl: rootsCrl({ number: 3 }).sha256 })],
        policy: { ...leafOnly, crl: ['/etc/root.crl'] },
      },
      'no CRL covers this certificate: /etc/root.crl: ',
    ],
    [
      'a CRL that lists the certificate',
      leaves.crl,
      (() => {
        const revoked = revoking(leaves.crl);
        return { crls: [revoked], crlSources: [origin({ crl: revoked.sha256 }), origin({ address: '/b' })] };
      })(),
      ` (number 1) of ${crlUrl}`,
    ],
    ['a responder that was not queried yet', leaves.ocsp, {}, `no OCSP response yet from ${ocspUrl}`],
    [
      'a responder that fails',
      leaves.ocsp,
      {
        ocsp: [ocspResult(leaves.ocsp, { status: 'failed', detail: `${ocspUrl}: the server answered 500` })],
      },
      `no usable OCSP response: ${ocspUrl}: the server answered 500`,
    ],
    [
      'a responder that does not know the certificate',
      leaves.ocsp,
      { ocsp: [ocspResult(leaves.ocsp, { status: 'unknown' })] },
      `the OCSP responder ${ocspUrl} does not know the certificate`,
    ],
    [
      'an answer that has expired, and why the last attempt failed',
      leaves.ocsp,
      {
        ocsp: [ocspResult(leaves.ocsp, { freshUntil: now - hour, problem: `${ocspUrl}: ECONNREFUSED` })],
        policy: { ...leafOnly, grace: 0 },
      },
      `the OCSP response of ${ocspUrl} expired at 2026-01-15T11:00:00.000Z, and fetching a newer one failed: ${ocspUrl}: ECONNREFUSED`,
    ],
    [
      'a responder that reports it as revoked',
      leaves.ocsp,
      { ocsp: [ocspResult(leaves.ocsp, { status: 'revoked', detail: 'at noon' })] },
      `according to its OCSP responder ${ocspUrl}: at noon`,
    ],
  ])('%s', (_, leaf, known, detail) => {
    expect(resultOf(leaf, { policy: leafOnly, ...known }).detail).toContain(detail);
    expect(resultOf(leaf, { policy: leafOnly, ...known }).detail).toContain(leaf.subject);
  });

  it('of many addresses the first ones', () => {
    const urls = Array.from({ length: 5 }, (_, index) => `http://h/${index}.crl`);
    const leaf = leafWith(distributionPoints([{ urls }]));
    expect(resultOf(leaf, { crls: [], policy: leafOnly }).detail).toMatch(
      /2\.crl was not fetched yet; and 2 more$/,
    );
  });
});

describe('a certificate without a revocation source', () => {
  it('is not checked if none is configured', () => {
    expect(resultOf(leaves.silent, {})).toEqual({
      status: 'not_checked',
      until: Number.POSITIVE_INFINITY,
      detail: expect.stringContaining(leaves.silent.subject),
    });
  });

  it.each([
    ['a CRL', { crl: [crlUrl] }],
    ['a responder', { ocsp: ocspUrl }],
  ])('is unknown if %s is configured that has no status for it', (_, policy) => {
    expect(resultOf(leaves.silent, { policy }).status).toBe('unknown');
  });

  it('is revoked by a CRL that was fetched for other certificates', () => {
    expect(resultOf(leaves.silent, { crls: [revoking(leaves.silent)] }).status).toBe('revoked');
  });
});

describe('the sources of one certificate', () => {
  const leafOnly = { scope: 'leaf' } as const;
  const good = [crl()];

  it('count as the policy says: off does not count', () => {
    const revoked = { crls: [revoking(leaves.both)], ocsp: [ocspResult(leaves.both)] };
    expect(resultOf(leaves.both, { ...revoked, policy: leafOnly }).status).toBe('revoked');
    expect(resultOf(leaves.both, { ...revoked, policy: { ...leafOnly, crl: 'off' } }).status).toBe('good');
    const off = { ...leafOnly, crl: 'off', ocsp: 'off' } as const;
    expect(resultOf(leaves.both, { ...revoked, policy: off }).status).toBe('not_checked');
  });

  it('are sufficient with one good answer', () => {
    expect(resultOf(leaves.both, { crls: good, policy: leafOnly }).status).toBe('good');
    expect(resultOf(leaves.both, { ocsp: [ocspResult(leaves.both)], policy: leafOnly }).status).toBe('good');
  });

  it.each(['unknown', 'failed'] as const)(
    'make it unknown if OCSP is %s and there is no other source',
    (status) => {
      const ocsp = [ocspResult(leaves.ocsp, { status, detail: 'the responder is down' })];
      expect(resultOf(leaves.ocsp, { ocsp, policy: leafOnly })).toMatchObject({
        status: 'unknown',
        until: now + 1000,
        detail: expect.stringContaining(leaves.ocsp.subject),
      });
    },
  );

  it('make it revoked if one of them does, whatever the others say', () => {
    const ocsp = [ocspResult(leaves.both, { status: 'revoked', detail: 'at noon' })];
    expect(resultOf(leaves.both, { crls: good, ocsp, policy: leafOnly })).toMatchObject({
      status: 'revoked',
      detail: expect.stringContaining('at noon'),
    });
  });

  it('make it stale during the grace period, and unknown after it', () => {
    const ocsp = [ocspResult(leaves.ocsp, { freshUntil: now })];
    const policy = { ...leafOnly, grace: day };
    expect(resultOf(leaves.ocsp, { ocsp, policy })).toMatchObject({ status: 'good', until: now });
    expect(resultOf(leaves.ocsp, { ocsp, policy }, now + 1)).toMatchObject({
      status: 'stale',
      until: now + day,
    });
    expect(resultOf(leaves.ocsp, { ocsp, policy }, now + day)).toMatchObject({ status: 'stale' });
    expect(resultOf(leaves.ocsp, { ocsp, policy }, now + day + 1)).toMatchObject({ status: 'unknown' });
    const ended = crl({ nextUpdate: now });
    expect(resultOf(leaves.crl, { crls: [ended], policy }, now + 1).status).toBe('stale');
    expect(resultOf(leaves.crl, { crls: [ended], policy }, now + day + 1).status).toBe('unknown');
  });

  it('make it good as long as one of them is fresh', () => {
    const known = { crls: [ended()], ocsp: [ocspResult(leaves.both)], policy: leafOnly };
    expect(resultOf(leaves.both, known).status).toBe('good');
  });
});

describe('the path', () => {
  it('is checked with its CAs, without the root, and without CAs with scope leaf', () => {
    const crls = [crl(), rootsCrl({ revoked: [{ serial: issuing.serialOctets }] })];
    expect(resultOf(leaves.crl, { crls })).toMatchObject({
      status: 'revoked',
      detail: expect.stringContaining(issuing.subject),
    });
    expect(resultOf(leaves.crl, { crls, policy: { scope: 'leaf' } }).status).toBe('good');
    const ofRoot = [crl(), rootsCrl({ revoked: [{ serial: root.serialOctets }] })];
    expect(resultOf(leaves.crl, { crls: ofRoot }).status).toBe('good');
  });

  it('has the status of its worst certificate, until the first result expires', () => {
    expect(resultOf(leaves.crl, { crls: [crl()] }).status).toBe('not_checked');
    const crls = [crl({ nextUpdate: now + day }), rootsCrl({ nextUpdate: now + hour })];
    expect(resultOf(leaves.crl, { crls })).toEqual({ status: 'good', until: now + hour, detail: '' });
    const policy = { crl: [crlUrl] };
    expect(resultOf(leaves.crl, { crls: [crl()], policy })).toMatchObject({
      status: 'unknown',
      detail: expect.stringContaining(issuing.subject),
    });
  });
});

describe('a leaf that is not tracked, and', () => {
  it.each([
    ['names a CRL', leaves.crl, {}, true],
    ['names a responder', leaves.ocsp, {}, true],
    ['names nothing', leaves.silent, {}, false],
    ['names a CRL, and other CRLs are configured', leaves.crl, { crl: ['/crl'] }, false],
    ['names a CRL, and CRLs are off', leaves.crl, { crl: 'off' }, false],
    ['names a responder, and OCSP is off', leaves.ocsp, { ocsp: 'off' }, false],
    ['names nothing, and a responder is configured', leaves.silent, { ocsp: ocspUrl }, true],
  ] as const)('%s', (_, leaf, policy, unseen) => {
    expect(checkWith({ policy }).isFirstContact(leaf)).toBe(unseen);
    expect(checkWith({ policy, leaves: [leaf.tbsSha256] }).isFirstContact(leaf)).toBe(false);
  });
});

it('checks again when the clock is put back, although the result was valid for longer', () => {
  const check = checkWith({ ocsp: [ocspResult(leaves.ocsp)], policy: { scope: 'leaf', grace: 0 } });
  const path = [leaves.ocsp, issuing, root] as const;
  expect(check.resultOf(path, now + 8 * hour).status).toBe('unknown');
  expect(check.resultOf(path, now).status).toBe('good');
});

it('reuses a result only while it is valid', () => {
  const check = checkWith({ ocsp: [ocspResult(leaves.ocsp)], policy: { scope: 'leaf', grace: 0 } });
  const path = [leaves.ocsp, issuing, root] as const;
  const first = check.resultOf(path, now);
  expect(check.resultOf(path, now + hour - 1)).toBe(first);
  expect(check.resultOf(path, now + hour + 1).status).toBe('unknown');
});

it('gives good only if one source does and none reports revoked', () => {
  const statuses = fc.constantFrom('good', 'revoked', 'unknown', 'failed', null);
  const lists = fc.constantFrom('good', 'revoked', 'ended', null);
  fc.assert(
    fc.property(statuses, lists, (ocsp, list) => {
      const known = {
        policy: { scope: 'leaf', grace: 0 } as const,
        ocsp: ocsp === null ? [] : [ocspResult(leaves.both, { status: ocsp })],
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
      expect(resultOf(leaves.both, known).status).toBe(expected);
    }),
    { numRuns: 60 },
  );
});
