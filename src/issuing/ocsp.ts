/** The responder's side of OCSP, for the demo and the tests: reads questions and signs answers (RFC 6960 §4). */
import { createHash } from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import type { NamedHash } from '../pki/signature.ts';
import { certIdHashes } from '../revocation/ocsp/request.ts';
import {
  BasicResponse,
  basicResponseType,
  type CertId,
  identityOf,
  OcspRequest,
  OcspResponse,
  ResponderId,
  ResponseBytes,
  ResponseData,
  RevokedInfo,
  SingleResponse,
} from '../revocation/ocsp/structure.ts';
import { algorithmOf, type Issued, signBytes } from './certificate.ts';

/** OCSPResponseStatus besides successful (§4.2.1). */
export const ocspErrors = { malformedRequest: 1, tryLater: 3, unauthorized: 6 } as const;

/** Times are milliseconds since the epoch. */
export type StatedStatus = 'good' | 'unknown' | { readonly revokedAt: number; readonly reason?: number };

export interface Statement {
  readonly certId: CertId;
  readonly status: StatedStatus;
  readonly thisUpdate: number;
  /** null: none. */
  readonly nextUpdate: number | null;
}

export interface Signing {
  readonly signer: Issued;
  /** Certificates to send along, DER: that of a delegated responder. */
  readonly certificates?: readonly Uint8Array[];
  /** Default sha256. */
  readonly hash?: NamedHash;
  /** RSA-PSS instead of PKCS#1 v1.5. */
  readonly pss?: boolean;
}

/** What a request (DER) asks about. Throws Error of no particular kind where it cannot be read. */
export function certIdsIn(request: Uint8Array): CertId[] {
  return AsnConvert.parse(request, OcspRequest).tbsRequest.requests.map(({ certId }) => certId);
}

/** Whether it is about a certificate that this CA's key has signed. */
export function isOf({ issuerKeyHash, hashAlgorithm }: CertId, issuer: Issued): boolean {
  const hash = Object.entries(certIdHashes).find(([, oid]) => oid === hashAlgorithm.algorithm)?.[0];
  if (hash === undefined) return false;
  const own = createHash(hash).update(identityOf(issuer).publicKey).digest();
  return own.equals(new Uint8Array(issuerKeyHash.buffer));
}

/** In lower hex, as `Certificate.serial` has it. */
export function serialOf({ serialNumber }: CertId): string {
  return Buffer.from(serialNumber)
    .toString('hex')
    .replace(/^(00)+(?=..)/, '');
}

export function singleResponse({ certId, status, thisUpdate, nextUpdate }: Statement): SingleResponse {
  const single = Object.assign(new SingleResponse(), {
    certId,
    certStatus: bytesOf(statusOf(status)),
    thisUpdate: secondsOf(thisUpdate),
  });
  if (nextUpdate !== null) single.nextUpdate = secondsOf(nextUpdate);
  return single;
}

/** What the signer, named by its subject, is about to sign; `producedAt`: milliseconds since the epoch. */
export function responseData(options: {
  readonly singles: readonly SingleResponse[];
  readonly producedAt: number;
  readonly signer: Issued;
}): ResponseData {
  const { singles, producedAt, signer } = options;
  const byName = bytesOf(identityOf(signer).subject);
  return Object.assign(new ResponseData(), {
    responderId: Object.assign(new ResponderId(), { byName }),
    producedAt: secondsOf(producedAt),
    responses: singles,
  });
}

/** DER of an OCSPResponse with status successful. */
export function signResponse(
  data: ResponseData,
  { signer, certificates = [], hash = 'sha256', pss = false }: Signing,
): Buffer {
  const bytes = Buffer.from(AsnConvert.serialize(data));
  const basic = Object.assign(new BasicResponse(), {
    data,
    signatureAlgorithm: algorithmOf(signer.privateKey, hash, pss),
    signature: bytesOf(signBytes(bytes, signer.privateKey, { hash, pss })),
    ...(certificates.length === 0 ? {} : { certificates: certificates.map(bytesOf) }),
  });
  return wrapResponse(AsnConvert.serialize(basic));
}

/** DER of an OCSPResponse around the DER of a response of that type. */
export function wrapResponse(response: ArrayBuffer | Uint8Array, responseType = basicResponseType): Buffer {
  const responseBytes = Object.assign(new ResponseBytes(), {
    responseType,
    response: new OctetString(response),
  });
  return Buffer.from(AsnConvert.serialize(Object.assign(new OcspResponse(), { responseBytes })));
}

/** DER of an OCSPResponse that states an error and nothing else. */
export function errorResponse(responseStatus: number): Buffer {
  return Buffer.from(AsnConvert.serialize(Object.assign(new OcspResponse(), { responseStatus })));
}

/** DER of a CertStatus, as `SingleResponse.certStatus` tells. */
function statusOf(status: StatedStatus): Buffer {
  if (status === 'good') return Buffer.of(0x80, 0);
  if (status === 'unknown') return Buffer.of(0x82, 0);
  const info = Object.assign(new RevokedInfo(), { revocationTime: secondsOf(status.revokedAt) });
  if (status.reason !== undefined) info.reason = status.reason;
  const der = Buffer.from(AsnConvert.serialize(info));
  der[0] = 0xa1;
  return der;
}

/** GeneralizedTime in DER, as RFC 5280 §4.1.2.5.2 has it, knows whole seconds only. */
function secondsOf(milliseconds: number): Date {
  return new Date(Math.floor(milliseconds / 1000) * 1000);
}

function bytesOf(buffer: Uint8Array): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
