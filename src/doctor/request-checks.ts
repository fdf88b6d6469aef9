/** Judges the request for a client certificate: whether there is one, which CAs it names, which signatures it accepts. */
import type { CaName } from './ca-name.ts';
import { type Check, check, fail, type Judgement, notJudged, pass, unknown, warn } from './check.ts';

/** What the server asks for. */
export interface CertificateRequest {
  /** Where that was read: `TLS 1.2`, or `TLS 1.3, by openssl s_client`. */
  readonly source: string;
  readonly caNames: readonly CaName[];
  /** IANA names, such as `rsa_pkcs1_sha256`. */
  readonly signatureAlgorithms: readonly string[];
}

export interface RequestFacts {
  /** null: none is asked for; a string: why that is not known. */
  readonly request: CertificateRequest | null | string;
  /** In the expected order; null: nothing is expected. */
  readonly expected: readonly CaName[] | null;
}

export function requestChecks({ request, expected }: RequestFacts): Check[] {
  if (request === null) return requestAbsent();
  if (typeof request === 'string') {
    const hint = 'install openssl on this machine, or examine the endpoint from another one';
    const here = unknown(`not possible here: ${request}`, hint);
    return [check('certificate-request', here), check('ca-names', here), check('signature-algorithms', here)];
  }
  return [
    check('certificate-request', pass(`in the handshake of ${request.source}`)),
    check('ca-names', judgeNames(request.caNames, expected)),
    check('signature-algorithms', judgeAlgorithms(request.signatureAlgorithms)),
  ];
}

function requestAbsent(): Check[] {
  const first = notJudged('no certificate is asked for');
  return [
    check(
      'certificate-request',
      fail(
        'the handshake has no CertificateRequest: every client is anonymous',
        'turn on client certificates (nginx: ssl_verify_client on; IIS: clientcertnegotiation=enable; a load balancer in front must pass TCP through instead of ending TLS itself)',
      ),
    ),
    check('ca-names', first),
    check('signature-algorithms', first),
  ];
}

function judgeNames(names: readonly CaName[], expected: readonly CaName[] | null): Judgement {
  const fact = names.length === 0 ? 'none' : names.map(({ text }) => text).join('; ');
  if (names.length === 0) {
    return fail(
      'the list is empty',
      'advertise the root and the issuing CA of the clients (nginx: ssl_client_certificate instead of ssl_trusted_certificate; ehi-gateway: advertiseCaNames: true)',
    );
  }
  if (expected === null) return pass(fact);
  const has = (list: readonly CaName[], name: CaName) =>
    list.some(({ canonical }) => canonical === name.canonical);
  const missing = expected.filter((name) => !has(names, name));
  if (missing.length > 0) {
    return fail(
      `${fact}; expected and absent: ${missing.map(({ text }) => text).join('; ')}`,
      'trust the CAs of the sender: its root and its issuing CA, of the environment that this endpoint is for',
    );
  }
  return judgeOrder({ names: names.filter((name) => has(expected, name)), expected, fact });
}

/** The order has no meaning in TLS, but the guide shows one, and a reviewer compares. Names beside the expected ones may stay. */
function judgeOrder(options: {
  readonly names: readonly CaName[];
  readonly expected: readonly CaName[];
  readonly fact: string;
}): Judgement {
  const { names, expected, fact } = options;
  if (names.every(({ canonical }, index) => canonical === expected[index]?.canonical)) return pass(fact);
  return warn(
    `${fact}; in another order than expected`,
    `list them as expected: ${expected.map(({ text }) => text).join('; ')}`,
  );
}

/** Thredd's certificates have RSA keys: one of these must be accepted. */
const forRsa: readonly string[] = [
  ...['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha512'],
  ...['rsa_pkcs1_sha256', 'rsa_pkcs1_sha384', 'rsa_pkcs1_sha512'],
];
const obsolete = /sha1$|sha224$|md5$|^dsa_/;

function judgeAlgorithms(algorithms: readonly string[]): Judgement {
  const fact = algorithms.join(', ');
  if (!algorithms.some((each) => forRsa.includes(each))) {
    return fail(
      algorithms.length === 0 ? 'none' : fact,
      "accept RSA with SHA-256 (rsa_pss_rsae_sha256, rsa_pkcs1_sha256): Thredd's certificates have RSA keys",
    );
  }
  const weak = algorithms.filter((each) => obsolete.test(each));
  if (weak.length === 0) return pass(fact);
  return warn(
    `${fact}; obsolete: ${weak.join(', ')}`,
    'accept only signatures with SHA-256 or better (RFC 9155)',
  );
}
