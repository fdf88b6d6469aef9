/** OCSP responder for the demo and the tests: reads requests and signs responses (RFC 6960 §4). */
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

/** OCSPResponseStatus of errors (§4.2.1). */
export const ocspErrors = { malformedRequest: 1, tryLater: 3, unauthorized: 6 } as const;

/** Times are milliseconds since the epoch. */
export type SingleStatus = 'good' | 'unknown' | { readonly revokedAt: number; readonly reason?: number };

export interface SingleResponseOptions {
  readonly certId: CertId;
  readonly status: SingleStatus;
  readonly thisUpdate: number;
  /** null: absent. */
  readonly nextUpdate: number | null;
}

export interface SigningOptions {
  readonly signer: Issued;
  /** DER of the certificates in the response: that of a delegated responder. */
  readonly certificates?: readonly Uint8Array[];
  /** Default sha256. */
  readonly hash?: NamedHash;
  /** RSA-PSS instead of PKCS#1 v1.5. */
  readonly pss?: boolean;
}

/** The CertIDs of a request (DER). Throws a plain Error if it cannot be parsed. */
export function certIdsIn(request: Uint8Array): CertId[] {
  return AsnConvert.parse(request, OcspRequest).tbsRequest.requests.map(({ certId }) => certId);
}

/** Whether the CertID is of a certificate that this CA's key has signed. */
export function isAbout({ issuerKeyHash, hashAlgorithm }: CertId, issuer: Issued): boolean {
  const hash = Object.entries(certIdHashes).find(([, oid]) => oid === hashAlgorithm.algorithm)?.[0];
  if (hash === undefined) return false;
  const own = createHash(hash).update(identityOf(issuer).publicKey).digest();
  return own.equals(new Uint8Array(issuerKeyHash.buffer));
}

/** Lower hex, as in `Certificate.serial`. */
export function serialOf({ serialNumber }: CertId): string {
  return Buffer.from(serialNumber)
    .toString('hex')
    .replace(/^(00)+(?=..)/, '');
}

export function singleResponse({
  certId,
  status,
  thisUpdate,
  nextUpdate,
}: SingleResponseOptions): SingleResponse {
  const single = Object.assign(new SingleResponse(), {
    certId,
    certStatus: bytesOf(statusOf(status)),
    thisUpdate: secondsOf(thisUpdate),
  });
  if (nextUpdate !== null) single.nextUpdate = secondsOf(nextUpdate);
  return single;
}

/** ResponseData that names the signer by its subject; `producedAt`: milliseconds since the epoch. */
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
  { signer, certificates = [], hash = 'sha256', pss = false }: SigningOptions,
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

/** DER of an OCSPResponse that contains `response`, DER of the given type. */
export function wrapResponse(response: ArrayBuffer | Uint8Array, responseType = basicResponseType): Buffer {
  const responseBytes = Object.assign(new ResponseBytes(), {
    responseType,
    response: new OctetString(response),
  });
  return Buffer.from(AsnConvert.serialize(Object.assign(new OcspResponse(), { responseBytes })));
}

/** DER of an OCSPResponse with an error status. */
export function errorResponse(responseStatus: number): Buffer {
  return Buffer.from(AsnConvert.serialize(Object.assign(new OcspResponse(), { responseStatus })));
}

/** DER of a CertStatus. */
function statusOf(status: SingleStatus): Buffer {
  if (status === 'good') return Buffer.of(0x80, 0);
  if (status === 'unknown') return Buffer.of(0x82, 0);
  const info = Object.assign(new RevokedInfo(), { revocationTime: secondsOf(status.revokedAt) });
  if (status.reason !== undefined) info.reason = status.reason;
  const der = Buffer.from(AsnConvert.serialize(info));
  der[0] = 0xa1;
  return der;
}

/** RFC 5280 §4.1.2.5.2: GeneralizedTime in DER has no fractions of a second. */
function secondsOf(milliseconds: number): Date {
  return new Date(Math.floor(milliseconds / 1000) * 1000);
}

function bytesOf(buffer: Uint8Array): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
