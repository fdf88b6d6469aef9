import { describe, expect, it } from 'vitest';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { type AddressPlanInput, isChecked, planAddresses } from '../../src/revocation/addresses.ts';
import type { RevocationPolicy } from '../../src/revocation/state.ts';
import { authority, type IssueOptions } from '../support/pki/authority.ts';
import { distributionPoints } from '../support/revocation/crl.ts';
import { policy as defaults } from '../support/revocation/stage.ts';

const own = authority();
const certify = (extensions: NonNullable<IssueOptions['extensions']>) =>
  parseCertificate(own.issueClient({ extensions }).der);
const naming = (...urls: string[]) => certify([distributionPoints([{ urls }])]);
const asking = (...urls: string[]) => certify([ocspResponders(urls)]);
const plan = ({
  policy = {},
  ...question
}: Partial<Omit<AddressPlanInput, 'policy'>> & { policy?: Partial<RevocationPolicy> }) =>
  planAddresses({
    ...{ policy: { ...defaults, ...policy }, cas: [], leaves: [], crls: [], selected: new Set<string>() },
    ...question,
  });
const addresses = (question: Parameters<typeof plan>[0]) => [
  ...new Set(plan(question).wanted.map(({ address }) => address)),
];
const many = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `http://h/${from + index}`);

describe('the addresses of a trust anchor', () => {
  const ca = certify([
    distributionPoints([{ urls: ['http://ca/crl'] }]),
    distributionPoints([{ urls: ['http://ca/delta'] }], { freshest: true }),
    ocspResponders(['http://ca/ocsp']),
  ]);
  const leaf = naming('http://leaf/crl');
  const { freshestCrl } = certify([distributionPoints([{ urls: ['http://crl/delta'] }], { freshest: true })]);
  const question = { cas: [ca], leaves: [leaf], crls: [{ freshestCrl }] };

  it.each<[string, Partial<RevocationPolicy>, string[]]>([
    [
      'those in CAs, CRLs and leaves',
      {},
      ['http://ca/crl', 'http://ca/delta', 'http://ca/ocsp', 'http://crl/delta', 'http://leaf/crl'],
    ],
    [
      'the configured CRLs and no others',
      { crl: ['http://x/crl', '/etc/x.crl'] },
      ['http://x/crl', '/etc/x.crl', 'http://ca/ocsp'],
    ],
    [
      'the configured responder and no others',
      { ocsp: 'http://x/ocsp' },
      ['http://ca/crl', 'http://ca/delta', 'http://x/ocsp', 'http://crl/delta', 'http://leaf/crl'],
    ],
    ['no CRLs if they are off', { crl: 'off' }, ['http://ca/ocsp']],
    [
      'no responders if they are off',
      { ocsp: 'off' },
      ['http://ca/crl', 'http://ca/delta', 'http://crl/delta', 'http://leaf/crl'],
    ],
    ['none if both are off', { crl: 'off', ocsp: 'off' }, []],
  ])('are %s', (_, policy, expected) => {
    expect(addresses({ ...question, policy })).toEqual(expected);
  });

  it('are one if they are the same URL in different forms', () => {
    expect(addresses({ leaves: [naming('HTTP://H:80/a', 'http://h/a', 'http://h/b/../a')] })).toEqual([
      'http://h/a',
    ]);
  });

  it.each([
    ['ldap://h/cn=x', /not ldap$/],
    ['file:///etc/passwd', /not file$/],
    ['/etc/passwd', /^not a valid URL$/],
    ['http://', /^not a valid URL$/],
    ['http://user@h/', /credentials$/],
    ['ldap://user@h/', /not ldap$/],
    ['http://user:pw@h /', /^the URL contains a space/],
    ['http://h/my ca.crl', /^the URL contains a space, a control character or a non-ASCII character/],
    ['http://h/ca.crl ', /^the URL contains a space/],
    ['http://h/ca.crl\n', /^the URL contains a space/],
    ['http://h/é.crl', /^the URL contains a space/],
    [`http://h/${'a'.repeat(3000)}`, /^the URL is longer/],
  ])('are never %j', (url, detail) => {
    const { wanted, skipped } = plan({ leaves: [naming(url), naming(url)] });
    expect(wanted).toEqual([]);
    expect(skipped).toMatchObject([{ action: 'address_skipped', detail: expect.stringMatching(detail) }]);
    expect(skipped[0]?.address.length).toBeLessThan(2050);
    expect(skipped[0]?.address).not.toContain('user');
  });
});

describe('of more than 16 addresses', () => {
  it('the first ones are used, and the others are reported', () => {
    const { selected, skipped } = plan({ leaves: [naming(...many(10)), asking(...many(10, 10))] });
    expect([...selected]).toEqual(many(16));
    expect(skipped.map(({ action, address }) => [action, address])).toEqual(
      many(4, 16).map((address) => ['too_many_addresses', address]),
    );
  });

  it('those in use stay in use', () => {
    const [first, second] = [naming(...many(10)), naming(...many(10, 10))];
    const { selected } = plan({ leaves: [first] });
    const next = plan({ leaves: [second, first], selected });
    expect([...next.selected]).toEqual([...many(10), ...many(6, 10)]);
    expect([...plan({ leaves: [second], selected: next.selected }).selected]).toEqual([
      ...many(6, 10),
      ...many(4, 16),
    ]);
  });

  it('those configured or named by CAs come before those named by leaves', () => {
    const leaves = [naming(...many(16))];
    const { selected } = plan({ leaves });
    const policy = { ocsp: 'http://x/ocsp' };
    const next = plan({ leaves, selected, policy, cas: [naming('http://ca/crl')] });
    expect([...next.selected]).toEqual(['http://ca/crl', 'http://x/ocsp', ...many(14)]);
  });
});

describe('a certificate', () => {
  const both = certify([distributionPoints([{ urls: ['http://h/'] }]), ocspResponders(['http://h/'])]);
  it.each<[string, Parameters<typeof isChecked>, boolean]>([
    ['names a CRL', [naming('http://h/'), { crl: 'auto', ocsp: 'off' }], true],
    ['names a CRL with an unsupported scheme', [naming('ldap://h/'), { crl: 'auto', ocsp: 'auto' }], true],
    ['names a responder', [asking('http://h/'), { crl: 'off', ocsp: 'auto' }], true],
    ['names only what is off', [naming('http://h/'), { crl: 'off', ocsp: 'auto' }], false],
    ['names nothing', [certify([]), { crl: 'auto', ocsp: 'auto' }], false],
    ['names nothing, and CRLs are configured', [certify([]), { crl: ['/x'], ocsp: 'off' }], true],
    ['names nothing, and no CRL is configured', [certify([]), { crl: [], ocsp: 'off' }], false],
    ['names nothing, and a responder is configured', [certify([]), { crl: 'off', ocsp: 'http://h/' }], true],
    ['names both, and both are off', [both, { crl: 'off', ocsp: 'off' }], false],
  ])('that %s', (_, question, expected) => {
    expect(isChecked(...question)).toBe(expected);
  });
});
