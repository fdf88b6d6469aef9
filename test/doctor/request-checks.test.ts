/** What is said about the request for a client certificate. */
import { expect, it } from 'vitest';
import { type CaName, presetNames, readCaName } from '../../src/doctor/ca-name.ts';
import { type CertificateRequest, requestChecks } from '../../src/doctor/request-checks.ts';
import { issueCertificate } from '../../src/issuing/certificate.ts';
import { readCertificateStructure } from '../../src/pki/certificate-der.ts';

const [root, issuing] = presetNames.production;
const algorithms = ['rsa_pss_rsae_sha256', 'rsa_pkcs1_sha256'];

function judge(request: CertificateRequest | null | string, expected: readonly CaName[] | null = null) {
  return Object.fromEntries(requestChecks({ request, expected }).map((check) => [check.id, check]));
}

function judgeNames(caNames: readonly CaName[], expected: readonly CaName[] | null = [root, issuing]) {
  return judge({ source: 'TLS 1.2', caNames, signatureAlgorithms: algorithms }, expected)['ca-names'];
}

it('reads a name as the preset has it, whatever its string types', () => {
  const { der } = issueCertificate({
    subject: { C: 'GB', O: 'Thredd UK Limited', OU: 'Thredd Directory', CN: 'Thredd Root CA - G1' },
    notBefore: 0,
    notAfter: 1,
  });
  expect(readCaName(readCertificateStructure(der).subject)).toEqual(root);
});

it('shows bytes that are no name', () => {
  expect(readCaName(Buffer.from('zz')).text).toBe('(not a name: 7a7a…)');
});

it('fails an endpoint that asks for no certificate, and leaves the rest unjudged', () => {
  const checks = judge(null);
  expect(checks['certificate-request']?.outcome).toBe('fail');
  expect(checks['ca-names']?.outcome).toBe('unknown');
  expect(checks['signature-algorithms']?.outcome).toBe('unknown');
});

it('marks what cannot be read here as not possible, and never as passed', () => {
  for (const { outcome, fact } of Object.values(judge('openssl is not installed')))
    expect({ outcome, fact }).toEqual({
      outcome: 'unknown',
      fact: 'not possible here: openssl is not installed',
    });
});

it('passes the expected names in their order, also beside the names of other anchors', () => {
  const other = presetNames.sandbox[0];
  expect(judgeNames([root, issuing])?.outcome).toBe('pass');
  expect(judgeNames([other, root, issuing])?.outcome).toBe('pass');
  expect(judgeNames([root], null)?.outcome).toBe('pass');
});

it('warns if their order is another', () => {
  expect(judgeNames([issuing, root])?.outcome).toBe('warn');
});

it('fails an empty list, and names that are absent', () => {
  expect(judgeNames([], null)?.outcome).toBe('fail');
  expect(judgeNames(presetNames.sandbox)).toMatchObject({
    outcome: 'fail',
    fact: expect.stringMatching(
      /CN=Thredd Sandbox Root CA.*absent: CN=Thredd Root CA.*; CN=Thredd Issuing CA/,
    ),
  });
});

it.each([
  [['ecdsa_secp256r1_sha256'], 'fail'],
  [[], 'fail'],
  [['rsa_pkcs1_sha256'], 'pass'],
  [['rsa_pkcs1_sha256', 'rsa_pkcs1_sha1'], 'warn'],
  [['rsa_pkcs1_sha256', 'ecdsa_sha224'], 'warn'],
  [['rsa_pkcs1_sha256', 'dsa_sha256'], 'warn'],
])('judges the signature algorithms %j: %s', (signatureAlgorithms, outcome) => {
  const checks = judge({ source: 'TLS 1.2', caNames: [root], signatureAlgorithms });
  expect(checks['signature-algorithms']?.outcome).toBe(outcome);
});
