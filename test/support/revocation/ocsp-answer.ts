/** Makes valid and invalid OCSP responses. */
import { createHash } from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { Extension } from '@peculiar/asn1-x509';
import type { Issued } from '../../../src/issuing/certificate.ts';
import {
  responseData,
  type SigningOptions,
  type SingleResponseOptions,
  type SingleStatus,
  signResponse,
  singleResponse,
  wrapResponse,
} from '../../../src/issuing/ocsp.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { type CertIdHash, certIdOf } from '../../../src/revocation/ocsp/request.ts';
import {
  BasicResponse,
  type CertId,
  identityOf,
  nonceExtension,
  OcspResponse,
  ResponderId,
  type SingleResponse,
} from '../../../src/revocation/ocsp/structure.ts';

/** A buffer: the DER of the CertStatus. */
export type AnsweredStatus = SingleStatus | Buffer;

/** Times are milliseconds since the epoch. */
export interface SingleOptions extends Omit<SingleResponseOptions, 'status'> {
  /** Default good. */
  readonly status?: AnsweredStatus;
  readonly extensions?: readonly { oid: string; critical?: boolean; value?: Uint8Array }[];
}

export interface AnswerOptions extends SigningOptions {
  readonly singles: readonly SingleOptions[];
  readonly producedAt: number;
  /** Default `name`. */
  readonly responderId?: 'name' | 'key';
  readonly nonce?: Uint8Array;
  readonly extensions?: SingleOptions['extensions'];
}

/** DER of an OCSPResponse with status successful. */
export function ocspAnswer(options: AnswerOptions): Buffer {
  const { singles, producedAt, signer, responderId = 'name', nonce } = options;
  const data = responseData({ singles: singles.map(singleOf), producedAt, signer });
  if (responderId === 'key') {
    const byKey = bytesOf(createHash('sha1').update(identityOf(signer).publicKey).digest());
    data.responderId = Object.assign(new ResponderId(), { byKey });
  }
  const extensions = extensionsOf(options.extensions);
  if (nonce !== undefined) extensions.push(nonceOf(nonce));
  if (extensions.length > 0) data.extensions = extensions;
  return signResponse(data, options);
}

/** The BasicOCSPResponse in a response, to be changed and wrapped again. */
export function unwrapAnswer(answer: Buffer): BasicResponse {
  const { responseBytes } = AsnConvert.parse(answer, OcspResponse);
  return AsnConvert.parse(responseBytes?.response.buffer ?? new ArrayBuffer(), BasicResponse);
}

export function wrapAnswer(basic: BasicResponse | Uint8Array, responseType?: string): Buffer {
  return wrapResponse(basic instanceof BasicResponse ? AsnConvert.serialize(basic) : basic, responseType);
}

export function certId(certificate: Issued, issuer: Issued, hash: CertIdHash = 'sha1'): CertId {
  const subject = { certificate: parseCertificate(certificate.der), issuer: parseCertificate(issuer.der) };
  return certIdOf(subject, hash);
}

function singleOf({ status = 'good', extensions: list, ...options }: SingleOptions): SingleResponse {
  const isRaw = Buffer.isBuffer(status);
  const single = singleResponse({ ...options, status: isRaw ? 'good' : status });
  if (isRaw) single.certStatus = bytesOf(status);
  const extensions = extensionsOf(list);
  if (extensions.length > 0) single.extensions = extensions;
  return single;
}

function extensionsOf(extensions: SingleOptions['extensions'] = []): Extension[] {
  return extensions.map(
    ({ oid, critical = false, value = Buffer.of(5, 0) }) =>
      new Extension({ extnID: oid, critical, extnValue: new OctetString(value) }),
  );
}

/** An OCTET STRING of the nonce, in the OCTET STRING of every extension's value (RFC 9654 §2.1). */
function nonceOf(nonce: Uint8Array): Extension {
  const extnValue = new OctetString(AsnConvert.serialize(new OctetString(nonce)));
  return new Extension({ extnID: nonceExtension, extnValue });
}

function bytesOf(buffer: Uint8Array): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
