/** A CRL or an OCSP responder named in client certificates, each with six kinds of failure. */

import { ocspResponders } from '../../../src/issuing/revocation-sources.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import type { RawExtension } from '../../../src/pki/der-writer.ts';
import type { RevocationAction } from '../../../src/revocation/event.ts';
import { type Authority, authority, type Issued } from '../pki/authority.ts';
import { openDirectory } from '../trust/directory.ts';
import { distributionPoints, issueCrl } from './crl.ts';
import { certId } from './ocsp-answer.ts';
import { delegate, ocspMisbehaviours, openOcspResponder } from './ocsp-responder.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

export interface RevocationSource extends AsyncDisposable {
  readonly kind: 'crl' | 'ocsp';
  readonly address: string;
  /** For the certificates that it covers. */
  readonly extensions: readonly RawExtension[];
  revoke(leaf: Issued): void;
  /** Sets the nextUpdate of its data from now on: milliseconds since the epoch, whole seconds. */
  endAt(end: number): void;
  /** Starts the failure. */
  trouble(): Promise<void>;
  /** Ends the failure; a source that is down stays down. */
  recover(): Promise<void>;
  /** What the gateway reports about the failure. */
  readonly reported: { readonly action: RevocationAction; readonly detail: RegExp };
  /** Resolves when the CRL was requested, or the status of this leaf. */
  asked(leaf: Issued): Promise<void>;
}

export const crlTroubles = ['down', 'HTML', 'truncated', 'another key', 'rolled back', 'expired'] as const;
export type CrlTrouble = (typeof crlTroubles)[number];

/** A CRL at a URL, with increasing CRL numbers. */
export async function openCrlSource(pki: Authority, trouble: CrlTrouble): Promise<RevocationSource> {
  const directory = await openDirectory({}, { secure: false });
  const path = '/ca.crl';
  const revoked: { serial: Issued }[] = [];
  let number = 10;
  let nextUpdate = Date.now() + 24 * hour;
  const crl = (options = {}) =>
    pki.crl({ number, revoked, thisUpdate: Date.now() - minute, nextUpdate, ...options }).der;
  const publish = () => directory.files.set(path, crl());
  publish();
  // The same names, but other keys.
  const impostor = authority();
  const troubles: Record<CrlTrouble, readonly [() => unknown, RevocationAction, RegExp]> = {
    // Fetches that are under way end first: they would fail with another cause.
    down: [() => directory.stop(), 'crl_fetch_failed', /ECONNREFUSED/],
    HTML: [
      () => directory.files.set(path, '<!DOCTYPE html><html><body>Sign in</body></html>'),
      'crl_refused',
      /neither DER nor PEM/,
    ],
    truncated: [
      () => directory.files.set(path, crl({ number: number + 1 }).subarray(0, -40)),
      'crl_refused',
      /not a CRL/,
    ],
    'another key': [
      () =>
        directory.files.set(
          path,
          issueCrl({
            issuer: { ...pki.issuing, privateKey: impostor.issuing.privateKey },
            number: number + 1,
            thisUpdate: Date.now() - minute,
            nextUpdate: Date.now() + hour,
          }).der,
        ),
      'crl_refused',
      /not signed by/,
    ],
    'rolled back': [
      () =>
        directory.files.set(path, crl({ number: number - 1, revoked: [], nextUpdate: Date.now() + hour })),
      'crl_refused',
      /rolled back/,
    ],
    expired: [
      () => directory.files.set(path, crl({ number: number + 1, nextUpdate: Date.now() - 30 * second })),
      'crl_refused',
      /expired/,
    ],
  };
  const [put, action, detail] = troubles[trouble];
  return {
    kind: 'crl',
    address: `${directory.origin}${path}`,
    extensions: [distributionPoints([{ urls: [`${directory.origin}${path}`] }])],
    revoke: (leaf) => {
      revoked.push({ serial: leaf });
      number++;
      publish();
    },
    endAt: (end) => {
      nextUpdate = end;
      number++;
      publish();
    },
    trouble: async () => void (await put()),
    recover: async () => {
      nextUpdate = Date.now() + 24 * hour;
      number += 2;
      publish();
    },
    reported: { action, detail },
    asked: () => until(() => directory.requests.length > 0),
    [Symbol.asyncDispose]: () => directory.close(),
  };
}

export const ocspTroubles = [
  'slow',
  'down',
  'another certID',
  'expired',
  'unauthorised signer',
  'unknown',
] as const;
export type OcspTrouble = (typeof ocspTroubles)[number];

/** An OCSP responder; `slow`: requests get no response until `recover`. */
export async function openOcspSource(pki: Authority, trouble: OcspTrouble): Promise<RevocationSource> {
  const responder = await openOcspResponder({ issuers: [pki.issuing, pki.root] });
  const other = pki.issueClient();
  // Issued by the CA, but without the extended key usage for OCSP.
  const unauthorised = delegate(pki.issuing, { extendedKeyUsage: null });
  let lie: typeof responder.lie = {};
  const laid = (more: typeof responder.lie) => () => {
    responder.lie = { ...lie, ...more };
  };
  const troubles: Record<OcspTrouble, readonly [() => unknown, RevocationAction, RegExp]> = {
    slow: [
      () => {
        responder.misbehaviour = ocspMisbehaviours.hang;
      },
      'ocsp_fetch_failed',
      /no answer within/,
    ],
    down: [() => responder.stop(), 'ocsp_fetch_failed', /ECONNREFUSED/],
    'another certID': [laid({ certId: certId(other, pki.issuing) }), 'ocsp_refused', /^wrong certificate: /],
    expired: [
      () => laid({ thisUpdate: Date.now() - 2 * hour, nextUpdate: Date.now() - hour })(),
      'ocsp_refused',
      /^expired: /,
    ],
    'unauthorised signer': [
      laid({ signer: unauthorised, certificates: [unauthorised.der] }),
      'ocsp_refused',
      /^unauthorized responder: /,
    ],
    unknown: [laid({ status: 'unknown' }), 'ocsp_fetched', /does not know/],
  };
  const [put, action, detail] = troubles[trouble];
  return {
    kind: 'ocsp',
    address: responder.url,
    extensions: [ocspResponders([responder.url])],
    revoke: (leaf) => {
      responder.statuses.set(parseCertificate(leaf.der).serial, { revokedAt: Date.now() - minute });
    },
    endAt: (end) => {
      lie = { nextUpdate: end, ...(end < Date.now() && { thisUpdate: end - minute }) };
      responder.lie = lie;
    },
    trouble: async () => void (await put()),
    recover: async () => {
      responder.misbehaviour = null;
      responder.lie = {};
      // Pending requests fail and are sent again.
      for (const socket of responder.sockets) socket.destroy();
    },
    reported: { action, detail },
    asked: ({ der }) => until(() => responder.asked.includes(parseCertificate(der).serial)),
    [Symbol.asyncDispose]: () => responder.close(),
  };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}
