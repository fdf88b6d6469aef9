/** The header sets for all kinds of certificates: each in its own format, in printable ASCII only. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requestFields } from '../../src/message/field-forwarding.ts';
import { type Certificate, parseCertificate } from '../../src/pki/certificate.ts';
import { compileIdentityFields, IdentityFields } from '../../src/relay/compiled-header-sets.ts';
import { type CertificateSet, certificateFields } from '../../src/relay/identity-header-sets.ts';
import { authority, type IssueOptions } from '../support/pki/authority.ts';

const pki = authority();
const sets = Object.keys(certificateFields) as CertificateSet[];
const [root, issuing] = [pki.root, pki.issuing].map(({ der }) => parseCertificate(der)) as [
  Certificate,
  Certificate,
];

function issue(options: Partial<IssueOptions> = {}): Certificate {
  return parseCertificate(pki.issueClient(options).der);
}

function fieldsOf(
  set: CertificateSet,
  leaf: Certificate,
  by: string[] = [],
): Readonly<Record<string, string>> {
  return certificateFields[set]({ leaf, between: [], by });
}

const leaf = issue({ notBefore: Date.UTC(2026, 0, 2), notAfter: Date.UTC(2046, 10, 12, 13, 14, 15) });
const names = {
  subject: 'CN=Example client,OU=Example organisation,O=Example,C=GB',
  issuer: 'CN=Example Issuing CA,OU=Example Directory,O=Example Limited,C=GB',
};
const pem = leaf.x509.toString();
const openssl = (...options: string[]) =>
  execFileSync('openssl', ['x509', '-noout', ...options], { input: pem })
    .toString()
    .trim()
    .replace(/^[^=]*=/, '');

describe('the set', () => {
  it('rfc9440 has the leaf as a byte sequence', () => {
    expect(fieldsOf('rfc9440', leaf)).toEqual({ 'Client-Cert': `:${leaf.der.toString('base64')}:` });
  });

  it('nginx has the values of its variables', () => {
    const fields = fieldsOf('nginx', leaf);
    expect(decodeURIComponent(fields['X-SSL-Client-Cert'] ?? '')).toBe(pem);
    expect(fields).toEqual({
      'X-SSL-Client-Verify': 'SUCCESS',
      'X-SSL-Client-Cert': expect.stringMatching(
        /^-----BEGIN%20CERTIFICATE-----%0AMII[A-Za-z0-9%]+-----END%20CERTIFICATE-----%0A$/,
      ),
      'X-SSL-Client-S-DN': names.subject,
      'X-SSL-Client-I-DN': names.issuer,
      'X-SSL-Client-Serial': openssl('-serial'),
      'X-SSL-Client-Fingerprint': openssl('-fingerprint', '-sha1').replaceAll(':', '').toLowerCase(),
    });
  });

  it('ingress-nginx has its four fields', () => {
    expect(fieldsOf('ingress-nginx', leaf)).toEqual({
      'ssl-client-verify': 'SUCCESS',
      'ssl-client-cert': encodeURIComponent(pem),
      'ssl-client-subject-dn': names.subject,
      'ssl-client-issuer-dn': names.issuer,
    });
  });

  it('aws has ALB’s five fields, with +, = and / unescaped in the certificate', () => {
    const fields = fieldsOf('aws', leaf);
    expect(fields).toEqual({
      'X-Amzn-Mtls-Clientcert-Serial-Number': openssl('-serial'),
      'X-Amzn-Mtls-Clientcert-Issuer': names.issuer,
      'X-Amzn-Mtls-Clientcert-Subject': names.subject,
      'X-Amzn-Mtls-Clientcert-Validity': 'NotBefore=2026-01-02T00:00:00Z;NotAfter=2046-11-12T13:14:15Z',
      'X-Amzn-Mtls-Clientcert-Leaf': pem.replaceAll(' ', '%20').replaceAll('\n', '%0A'),
    });
  });

  it('envoy has one element, in which values with a separator are quoted', () => {
    const sans = [
      ...[
        'URI:spiffe://a/b',
        'DNS:a.example',
        'URI:https://a/?b=c;d,e',
        'DNS:*.b.example',
        'email:a@b.example',
      ],
      ...['URI:https://a/";By=forged', 'URI:urn:ü', 'DNS:a";By=forged', 'DNS:a,b', 'URI:no uri'],
    ];
    const named = issue({ sans });
    expect(fieldsOf('envoy', named, ['spiffe://gateway', 'https://g/?a=b', 'urn:"'])).toEqual({
      'X-Forwarded-Client-Cert':
        `By=spiffe://gateway;By="https://g/?a=b";Hash=${named.sha256}` +
        `;Cert="${encodeURIComponent(named.x509.toString())}";Subject="${names.subject}"` +
        ';URI=spiffe://a/b;URI="https://a/?b=c;d,e";DNS=a.example;DNS=*.b.example',
    });
  });

  it.each(sets)('%s uses only names that are removed from the client’s fields', (set) => {
    const fields = certificateFields[set]({ leaf, between: [issuing], by: [] });
    expect(Object.keys(fields).map(requestFields.rule)).toEqual(Object.keys(fields).map(() => 'drop'));
  });
});

describe('a name', () => {
  const strange = 'Zoë "Q" \\ 日本 \u0000\r\nX-Forwarded-For: 1 😀,+<>;=#';

  it('is written in OpenSSL’s RFC 2253 form', () => {
    const named = issue({ subject: { C: 'GB', O: 'a,b', OU: ' both ', CN: 'Zoë "Q" \\ 日本 😀+<>;=#' } });
    const printed = execFileSync('openssl', ['x509', '-noout', '-subject', '-nameopt', 'RFC2253'], {
      input: named.x509.toString(),
    });
    const subject = fieldsOf('nginx', named)['X-SSL-Client-S-DN'];
    expect(`subject=${subject}\n`).toBe(printed.toString());
  });

  it('keeps a trailing space, which would be removed from a field value', () => {
    const { 'X-SSL-Client-S-DN': subject } = fieldsOf('nginx', issue({ subject: { O: 'ends ', CN: 'x' } }));
    expect(subject).toBe('CN=x,O=ends\\20');
  });

  it('can neither end a quoted XFCC value nor hide its end', () => {
    const element = fieldsOf('envoy', issue({ subject: { O: 'a\\', CN: strange } }))[
      'X-Forwarded-Client-Cert'
    ];
    expect(element).toMatch(/;Subject="[^"]*\\5C"$/);
    expect(element).toContain(
      'CN=Zo\\C3\\AB \\22Q\\22 \\5C \\E6\\97\\A5\\E6\\9C\\AC \\00\\0d\\0aX-Forwarded-For: 1 ',
    );
  });
});

it('contains only printable ASCII, without a space at either end, whatever the names are', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(text, text, fc.string({ maxLength: 20 }), (o, cn, san) => {
      // GeneralName holds ASCII only; the test authority writes any text.
      const named = issue({ subject: { O: o, CN: cn }, sans: [`URI:${san}`, `DNS:${san}`] });
      const values = sets.flatMap((set) => Object.values(fieldsOf(set, named, [san])));
      for (const value of values) expect(value).toMatch(/^(?! )[\x20-\x7e]*(?<! )$/);
    }),
    { numRuns: 40 },
  );
});

describe('the chosen sets', () => {
  const path = [leaf, issuing, root] as const;
  const choice = (sets: readonly (CertificateSet | 'forwarded')[], chain = false) =>
    new IdentityFields({ sets, chain, by: [] });

  it('are sent in the configured order', () => {
    const text = choice(['aws', 'forwarded', 'rfc9440']).ofCertificate({ leaf, path });
    expect(text.match(/^[^:\r\n]+/gm)).toEqual([
      'X-Amzn-Mtls-Clientcert-Serial-Number',
      'X-Amzn-Mtls-Clientcert-Issuer',
      'X-Amzn-Mtls-Clientcert-Subject',
      'X-Amzn-Mtls-Clientcert-Validity',
      'X-Amzn-Mtls-Clientcert-Leaf',
      'Client-Cert',
    ]);
  });

  it('contain the CAs between the leaf and the root only if the chain is to be sent', () => {
    const text = choice(['rfc9440'], true).ofCertificate({ leaf, path });
    expect(text.split('\r\n')[1]).toBe(`Client-Cert-Chain: :${issuing.der.toString('base64')}:`);
    expect(choice(['rfc9440'], true).ofCertificate({ leaf, path: [leaf, root] })).not.toContain('Chain');
    expect(choice(['rfc9440']).ofCertificate({ leaf, path })).not.toContain('Chain');
  });

  it('are made once for a leaf, and again only when the configured sets change', () => {
    const { chainPem, keyPem } = pki.issueServer({ sans: ['URI:spiffe://gateway'] });
    const certificates = [{ chain: chainPem, key: keyPem }];
    const compile = (sets: readonly CertificateSet[], last: IdentityFields | null = null) =>
      compileIdentityFields({ identityHeaders: { sets, chain: false, remove: [] }, certificates }, last);
    const first = compile(['envoy']);
    expect(first.choice.by).toEqual(['spiffe://gateway']);
    expect(first.ofCertificate({ leaf, path })).toContain(
      'X-Forwarded-Client-Cert: By=spiffe://gateway;Hash=',
    );
    expect(compile(['envoy'], first)).toBe(first);
    expect(compile(['rfc9440'], first)).not.toBe(first);
    expect(compile(['rfc9440']).choice.by).toEqual([]);
  });
});
