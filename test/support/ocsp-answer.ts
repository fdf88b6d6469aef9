/** Makes OCSP answers, the sound ones and the ones that nobody may believe. */
import { createHash, constants as openssl, sign } from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier, Extension } from '@peculiar/asn1-x509';
import { parseCertificate } from '../../src/pki/certificate.ts';
import type { Issued } from '../../src/pki/issue.ts';
import { type NamedHash, pssAlgorithm, signatureAlgorithms } from '../../src/pki/signature.ts';
import { type CertIdHash, certIdOf, nonceOf } from '../../src/revocation/ocsp-request.ts';
import {
  BasicResponse,
  basicResponseType,
  type CertId,
  identityOf,
  OcspResponse,
  ResponderId,
  ResponseBytes,
  ResponseData,
  RevokedInfo,
  readStrictly,
  SingleResponse,
} from '../../src/revocation/ocsp-structure.ts';

/** A buffer: the DER of whatever is to stand there. */
export type AnsweredStatus =
  | 'good'
  | 'unknown'
  | { readonly revokedAt: number; readonly reason?: number }
  | Buffer;

/** Times are milliseconds since the epoch. */
export interface SingleOptions {
  readonly certId: CertId;
  /** Default good. */
  readonly status?: AnsweredStatus;
  readonly thisUpdate: number;
  /** null: none. */
  readonly nextUpdate: number | null;
  readonly extensions?: readonly { oid: string; critical?: boolean; value?: Uint8Array }[];
}

export interface AnswerOptions {
  readonly singles: readonly SingleOptions[];
  readonly producedAt: number;
  readonly signer: Issued;
  /** Default the name. */
  readonly responderId?: 'name' | 'key';
  /** Certificates to send along. */
  readonly certificates?: readonly Uint8Array[];
  /** Default sha256. */
  readonly hash?: NamedHash;
  readonly pss?: boolean;
  readonly nonce?: Uint8Array;
  readonly extensions?: SingleOptions['extensions'];
}

/** DER of an OCSPResponse with status successful. */
export function ocspAnswer(options: AnswerOptions): Buffer {
  const { singles, producedAt, signer, responderId = 'name', certificates = [], nonce } = options;
  const { subject, publicKey } = identityOf(signer);
  const keyHash = createHash('sha1').update(publicKey).digest();
  const data = Object.assign(new ResponseData(), {
    responderId: Object.assign(
      new ResponderId(),
      responderId === 'name' ? { byName: bytesOf(subject) } : { byKey: bytesOf(keyHash) },
    ),
    producedAt: secondsOf(producedAt),
    responses: singles.map(singleResponse),
  });
  const extensions = extensionsOf(options.extensions);
  if (nonce !== undefined) extensions.push(nonceOf(nonce));
  if (extensions.length > 0) data.extensions = extensions;
  return signAnswer(data, { ...options, certificates });
}

function signAnswer(
  data: ResponseData,
  { signer, hash = 'sha256', pss = false, certificates = [] }: AnswerOptions,
): Buffer {
  const key = signer.privateKey;
  const type = key.asymmetricKeyType as keyof typeof signatureAlgorithms;
  const oids: Partial<Record<string, string>> = signatureAlgorithms[type];
  const algorithm = oids[hash] ?? oids.none;
  if (algorithm === undefined) throw new TypeError(`no signature algorithm for ${type} with ${hash}`);
  const bytes = Buffer.from(AsnConvert.serialize(data));
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = openssl;
  const basic = Object.assign(new BasicResponse(), {
    data,
    signatureAlgorithm: pss
      ? pssAlgorithm(hash)
      : new AlgorithmIdentifier({ algorithm, ...(type === 'rsa' ? { parameters: null } : {}) }),
    signature: bytesOf(
      sign(oids[hash] === undefined ? null : hash, bytes, pss ? { key, padding, saltLength } : key),
    ),
    ...(certificates.length === 0 ? {} : { certificates: certificates.map(bytesOf) }),
  });
  return wrapAnswer(basic);
}

/** What is in an answer, to be changed and wrapped again. */
export function unwrapAnswer(answer: Buffer): BasicResponse {
  const { responseBytes } = readStrictly(answer, OcspResponse);
  return readStrictly(new Uint8Array(responseBytes?.response.buffer ?? new ArrayBuffer()), BasicResponse);
}

export function wrapAnswer(basic: BasicResponse | Uint8Array, responseType = basicResponseType): Buffer {
  const responseBytes = Object.assign(new ResponseBytes(), {
    responseType,
    response: new OctetString(basic instanceof BasicResponse ? AsnConvert.serialize(basic) : basic),
  });
  return Buffer.from(AsnConvert.serialize(Object.assign(new OcspResponse(), { responseBytes })));
}

/** DER of an OCSPResponse that only states an error: 3 tryLater, 6 unauthorized. */
export function ocspError(responseStatus: number): Buffer {
  return Buffer.from(AsnConvert.serialize(Object.assign(new OcspResponse(), { responseStatus })));
}

export function certId(certificate: Issued, issuer: Issued, hash: CertIdHash = 'sha1'): CertId {
  const subject = { certificate: parseCertificate(certificate.der), issuer: parseCertificate(issuer.der) };
  return certIdOf(subject, hash);
}

function singleResponse({ certId, status = 'good', ...options }: SingleOptions): SingleResponse {
  const single = Object.assign(new SingleResponse(), {
    certId,
    certStatus: statusOf(status),
    thisUpdate: secondsOf(options.thisUpdate),
  });
  if (options.nextUpdate !== null) single.nextUpdate = secondsOf(options.nextUpdate);
  const extensions = extensionsOf(options.extensions);
  if (extensions.length > 0) single.extensions = extensions;
  return single;
}

function statusOf(status: AnsweredStatus): ArrayBuffer {
  if (status === 'good') return bytesOf(Buffer.from('8000', 'hex'));
  if (status === 'unknown') return bytesOf(Buffer.from('8200', 'hex'));
  if (Buffer.isBuffer(status)) return bytesOf(status);
  const info = Object.assign(new RevokedInfo(), { revocationTime: secondsOf(status.revokedAt) });
  if (status.reason !== undefined) info.reason = status.reason;
  const der = Buffer.from(AsnConvert.serialize(info));
  der[0] = 0xa1;
  return bytesOf(der);
}

function extensionsOf(extensions: SingleOptions['extensions'] = []): Extension[] {
  return extensions.map(
    ({ oid, critical = false, value = Buffer.of(5, 0) }) =>
      new Extension({ extnID: oid, critical, extnValue: new OctetString(value) }),
  );
}

/** GeneralizedTime in DER, as RFC 5280 §4.1.2.5.2 has it, knows whole seconds only. */
function secondsOf(milliseconds: number): Date {
  return new Date(Math.floor(milliseconds / 1000) * 1000);
}

function bytesOf(buffer: Uint8Array): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
