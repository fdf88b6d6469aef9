import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gateway } from '../../src/gateway/gateway.ts';
import { validatePath } from '../../src/identity/path.ts';
import { type Certificate, parseCertificate } from '../../src/pki/certificate.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import type { CrlSnapshot } from '../../src/revocation/crl/crl.ts';
import { readCrl } from '../../src/revocation/crl/reader.ts';
import type { RevocationPolicy } from '../../src/revocation/state.ts';
import { Meter } from '../../src/telemetry/meter.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import {
  exceptions,
  needsCrls,
  outcomes,
  type PkitsCase,
  passphrase,
  pkitsCases,
  trustAnchor,
} from '../support/pki/pkits.ts';
import { connect, post } from '../support/process/client.ts';
import { endpointAt } from '../support/process/endpoint.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { type Host, openHost } from '../support/process/host.ts';
import { answers, snapshotOf } from '../support/process/snapshot.ts';
import { nothingToAsk, revocationPolicy } from '../support/revocation/revocation.ts';

const pki = authority();
const base = snapshotOf(pki);
const records: AuditRecord[] = [];
let host: Host;
let gateway: Gateway;
let port: number;
let generation = 0;

type Material = Pick<PkitsCase, 'certificates' | 'crls'>;

/** A certificate without a CRL is unknown: PKITS gives the CRLs beside the certificates, which do not name them. */
const policy: RevocationPolicy = { ...revocationPolicy, crl: ['pkits'] };

/** CRLs that cannot be used are left out, as in the revocation service. */
function readable(certificates: readonly Buffer[], crls: readonly Buffer[]): CrlSnapshot[] {
  const issuers = [trustAnchor, ...certificates].map(parseCertificate);
  const readings = crls.map((bytes) => readCrl({ bytes: Uint8Array.from(bytes), issuers }));
  return readings.flatMap((reading) => (reading.ok ? reading.crl : []));
}

/** The anchor holds the case's CAs unchecked: trust/ would refuse the malformed ones. */
function caseSnapshot({ certificates, crls }: Material, advertiseCaNames: boolean): PolicySnapshot {
  const revocation = { ...nothingToAsk, policy, crls: readable(certificates, crls) };
  return {
    ...base,
    generation: ++generation,
    anchors: [{ name: 'pkits', root: trustAnchor, issuing: certificates, revocation }],
    advertiseCaNames,
    routes: [{ ...answers, path: '/', endpoints: [endpointAt(host.port)] }],
  };
}

beforeAll(async () => {
  host = await openHost();
  gateway = new Gateway({
    snapshot: caseSnapshot({ certificates: [], crls: [] }, true),
    listen: { address: '127.0.0.1', port: 0, reusePort: false },
    recorder: {
      meter: new Meter(),
      audit: (line) => records.push(JSON.parse(line)),
      span: () => {},
      log: () => {},
      logFailure: () => {},
    },
    onUnseen: () => {},
    onQuestion: () => {},
  });
  ({ port } = await gateway.listen());
});
afterAll(async () => {
  await gateway.drain();
  await host[Symbol.asyncDispose]();
});

/** `valid` if the message reached the host, else the reason. */
async function drive(pkitsCase: PkitsCase, mode: (typeof modes)[number]): Promise<string> {
  gateway.update(caseSnapshot(pkitsCase, mode.advertiseCaNames));
  records.length = 0;
  const secureContext = loadKey(pkitsCase);
  if (secureContext === null) return 'unusable_key';
  await using client = await connect({ port, ca: pki.root.pem, secureContext, maxVersion: mode.version });
  const status = statusOf(await client.exchange(post()));
  const { verdict, reason } = records.find(({ type }) => type === 'handshake') ?? {};
  expect({ verdict, status }).toEqual(
    verdict === 'allow'
      ? { verdict: 'allow', status: 200 }
      : { verdict: 'deny', status: reason === 'no_certificate' ? 400 : 403 },
  );
  return verdict === 'allow' ? 'valid' : reason;
}

/** Null: OpenSSL cannot use the key. Security level 0, so that the gateway and not the client rejects a weak key. */
function loadKey({ endEntity }: PkitsCase): SecureContext | null {
  const options = { ca: pki.root.pem, ciphers: 'DEFAULT:@SECLEVEL=0' };
  try {
    return createSecureContext({ ...options, pfx: endEntity.pfx, passphrase });
  } catch {
    return null;
  }
}

/** In the first OpenSSL verifies with the anchors too; without CA names only the gateway's own validation decides. */
const modes = [
  { advertiseCaNames: true, version: 'TLSv1.3' },
  { advertiseCaNames: false, version: 'TLSv1.2' },
] as const;

describe.each(modes)('PKITS over $version, with CA names: $advertiseCaNames', (mode) => {
  it.each(pkitsCases)('$number $title: $expected', async (pkitsCase) => {
    const { number, expected } = pkitsCase;
    const reason = exceptions[number]?.reason;
    const allowed: readonly string[] = reason
      ? [reason]
      : expected === 'valid'
        ? ['valid']
        : outcomes[expected];
    expect(allowed).toContain(await drive(pkitsCase, mode));
  });
});

describe('the exceptions', () => {
  const judge = ({ certificates }: PkitsCase, leaf: Certificate) => {
    const anchor = { name: 'pkits', certificates: [trustAnchor, ...certificates].map(parseCertificate) };
    const verdict = validatePath(leaf, { anchors: [anchor], now: Date.now() });
    return verdict.allow ? 'valid' : verdict.reason;
  };
  const because = (wanted: string) => pkitsCases.filter(({ number }) => exceptions[number]?.why === wanted);

  it.each(because('ca'))('$number would be $expected if the end entity were not a CA', (pkitsCase) => {
    const leaf = parseCertificate(pkitsCase.endEntity.certificate);
    expect(leaf.isCa).toBe(true);
    const allowed =
      needsCrls(pkitsCase) || pkitsCase.expected === 'valid' ? ['valid'] : outcomes[pkitsCase.expected];
    expect(allowed).toContain(judge(pkitsCase, { ...leaf, isCa: false, keyUsage: null }));
  });

  it.each(because('dsa'))('$number would be refused if TLS could transmit it', (pkitsCase) => {
    expect(judge(pkitsCase, parseCertificate(pkitsCase.endEntity.certificate))).toMatch(
      /^(untrusted|weak_key)$/,
    );
  });

  it('are those that docs/conformance.md lists, and no others', () => {
    const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| (4\.\d+\.\d+) .*\| (valid|invalid) \| `(\w+)` \|/gm)];
    const documented = rows.map(([, number, expected, reason]) => [number, expected, reason]);
    const actual = pkitsCases
      .filter(({ number }) => number in exceptions)
      .map(({ number, expected }) => [
        number,
        expected === 'valid' ? 'valid' : 'invalid',
        exceptions[number]?.reason,
      ]);
    expect(documented).toEqual(actual);
  });
});

it('PKITS has 161 cases besides certificate policies, of which the gateway refuses five valid ones', () => {
  expect(pkitsCases).toHaveLength(161);
  expect(new Set(pkitsCases.map(({ number }) => number)).size).toBe(161);
  const refused = pkitsCases.filter(({ number, expected }) => number in exceptions && expected === 'valid');
  expect(refused.map(({ number }) => number)).toEqual(['4.1.4', '4.1.5', '4.6.8', '4.6.14', '4.14.13']);
});
