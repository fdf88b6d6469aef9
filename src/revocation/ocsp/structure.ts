/**
 * ASN.1 types to encode OCSP requests and responses (RFC 6960 §4.1.1, §4.2.1), and the parts of a certificate that a
 * CertID is made of. Responses are parsed by response-parser.ts instead, which accepts more encodings.
 */
import {
  AsnIntegerArrayBufferConverter,
  AsnProp,
  AsnPropTypes,
  AsnType,
  AsnTypeTypes,
  OctetString,
} from '@peculiar/asn1-schema';
import { AlgorithmIdentifier, Extension } from '@peculiar/asn1-x509';
import { readCertificateStructure } from '../../pki/certificate-der.ts';

const { Any, BitString, Enumerated, GeneralizedTime, Integer, ObjectIdentifier } = AsnPropTypes;

export const basicResponseType = '1.3.6.1.5.5.7.48.1.1';
export const nonceExtension = '1.3.6.1.5.5.7.48.1.2';
export const extendedRevokeExtension = '1.3.6.1.5.5.7.48.1.9';
export const noCheckExtension = '1.3.6.1.5.5.7.48.1.5';
export const ocspSigning = '1.3.6.1.5.5.7.3.9';

/** Declares a SEQUENCE with its fields in order. Calls instead of decorators, which Node cannot strip with the types. */
function sequence(
  Structure: new () => object,
  fields: Readonly<Record<string, Parameters<typeof AsnProp>[0]>>,
): void {
  AsnType({ type: AsnTypeTypes.Sequence })(Structure);
  for (const [name, options] of Object.entries(fields)) AsnProp(options)(Structure.prototype, name);
}

const integerBytes = { type: Integer, converter: AsnIntegerArrayBufferConverter };

export class CertId {
  hashAlgorithm = new AlgorithmIdentifier();
  issuerNameHash = new OctetString();
  issuerKeyHash = new OctetString();
  /** As encoded in the certificate. */
  serialNumber = new ArrayBuffer(0);
}
sequence(CertId, {
  hashAlgorithm: { type: AlgorithmIdentifier },
  issuerNameHash: { type: OctetString },
  issuerKeyHash: { type: OctetString },
  serialNumber: integerBytes,
});

export class SingleRequest {
  certId = new CertId();
}
sequence(SingleRequest, { certId: { type: CertId } });

export class TbsRequest {
  requests: SingleRequest[] = [];
  extensions?: Extension[];
}
sequence(TbsRequest, {
  requests: { type: SingleRequest, repeated: 'sequence' },
  extensions: { type: Extension, repeated: 'sequence', context: 2, optional: true },
});

export class OcspRequest {
  tbsRequest = new TbsRequest();
}
sequence(OcspRequest, { tbsRequest: { type: TbsRequest } });

export class RevokedInfo {
  revocationTime = new Date(0);
  reason?: number;
}
sequence(RevokedInfo, {
  revocationTime: { type: GeneralizedTime },
  reason: { type: Enumerated, context: 0, optional: true },
});

export class SingleResponse {
  certId = new CertId();
  /** DER of the CHOICE: good [0] NULL, revoked [1] RevokedInfo, unknown [2] NULL, all implicit. */
  certStatus = new ArrayBuffer(0);
  thisUpdate = new Date(0);
  nextUpdate?: Date;
  extensions?: Extension[];
}
sequence(SingleResponse, {
  certId: { type: CertId },
  certStatus: { type: Any },
  thisUpdate: { type: GeneralizedTime },
  nextUpdate: { type: GeneralizedTime, context: 0, optional: true },
  extensions: { type: Extension, repeated: 'sequence', context: 1, optional: true },
});

/** Exactly one of the two is set. */
export class ResponderId {
  /** DER of a Name. */
  byName?: ArrayBuffer;
  byKey?: ArrayBuffer;
}
AsnType({ type: AsnTypeTypes.Choice })(ResponderId);
AsnProp({ type: Any, context: 1 })(ResponderId.prototype, 'byName');
AsnProp({ type: AsnPropTypes.OctetString, context: 2 })(ResponderId.prototype, 'byKey');

export class ResponseData {
  version = 0;
  responderId = new ResponderId();
  producedAt = new Date(0);
  responses: SingleResponse[] = [];
  extensions?: Extension[];
}
sequence(ResponseData, {
  version: { type: Integer, context: 0, defaultValue: 0 },
  responderId: { type: ResponderId },
  producedAt: { type: GeneralizedTime },
  responses: { type: SingleResponse, repeated: 'sequence' },
  extensions: { type: Extension, repeated: 'sequence', context: 1, optional: true },
});

export class BasicResponse {
  data = new ResponseData();
  /** The bytes that `data` was parsed from: those that the signature covers. */
  dataRaw = new Uint8Array();
  signatureAlgorithm = new AlgorithmIdentifier();
  signature = new ArrayBuffer(0);
  /** DER of certificates. */
  certificates?: ArrayBuffer[];
}
sequence(BasicResponse, {
  data: { type: ResponseData, raw: true },
  signatureAlgorithm: { type: AlgorithmIdentifier },
  signature: { type: BitString },
  certificates: { type: Any, repeated: 'sequence', context: 0, optional: true },
});

export class ResponseBytes {
  responseType = '';
  response = new OctetString();
}
sequence(ResponseBytes, { responseType: { type: ObjectIdentifier }, response: { type: OctetString } });

export class OcspResponse {
  responseStatus = 0;
  responseBytes?: ResponseBytes;
}
sequence(OcspResponse, {
  responseStatus: { type: Enumerated },
  responseBytes: { type: ResponseBytes, context: 0, optional: true },
});

/** What a CertID is made of: names as DER, the contents of serial number and public key. */
export function identityOf(certificate: { readonly der: Uint8Array }) {
  const { serial, issuer, subject, publicKey } = readCertificateStructure(certificate.der);
  return {
    serialNumber: new Uint8Array(serial).buffer,
    issuer: Buffer.from(issuer),
    subject: Buffer.from(subject),
    publicKey: Buffer.from(publicKey),
  };
}
