/** Issues certificates for the demo and the tests, valid ones and ones that a gateway must refuse. */
import {
  createHash,
  createPublicKey,
  type KeyObject,
  constants as opensslConstants,
  randomBytes,
  sign,
} from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
} from '@peculiar/asn1-x509';
import { attributeTypes } from '../pki/distinguished-name.ts';
import type { KeyUsageName } from '../pki/extension-decoders.ts';
import { type KeyKind, makeKey } from '../pki/key.ts';
import { toPem } from '../pki/pem.ts';
import { type NamedHash, pssAlgorithm, signatureAlgorithms } from '../pki/signature.ts';

/** Values per attribute, in the order of the name, the most general first: `{ C: 'GB', O: '…', CN: '…' }`. */
export type Subject = Partial<Record<keyof typeof subjectTypes, string | readonly string[]>>;

export interface Issued {
  readonly der: Buffer;
  /** PEM of the certificate alone. */
  readonly pem: string;
  readonly privateKey: KeyObject;
  /** PKCS#8 PEM: a secret, to be written with mode 0600. */
  readonly keyPem: string;
  readonly subject: Name;
}

export interface IssueOptions {
  readonly subject: Subject | Name;
  /** Absent: self-signed. */
  readonly issuer?: Issued;
  /** Added to the authority key identifier, together with the issuer's name. */
  readonly authoritySerial?: Uint8Array;
  /** The kind of a new key, or an existing key; default P-256. */
  readonly key?: KeyKind | KeyObject;
  /** Milliseconds since the epoch; both are rounded down to seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** null or absent: no basicConstraints. */
  readonly basicConstraints?: { readonly ca: boolean; readonly pathLength?: number } | null;
  /** null or absent: no key usage. */
  readonly keyUsage?: readonly KeyUsageName[] | null;
  /** OIDs. */
  readonly extendedKeyUsage?: readonly string[] | null;
  /** `DNS:…`, `URI:…`, `email:…`, `IP:…`. */
  readonly sans?: readonly string[];
  /** Appended without changes, duplicates included. */
  readonly extensions?: readonly { oid: string; critical?: boolean; value: Uint8Array }[];
  /** Default sha256; Ed25519 ignores it. */
  readonly hash?: NamedHash;
  /** RSA-PSS instead of PKCS#1 v1.5. */
  readonly pss?: boolean;
  /** Default 3. */
  readonly version?: 1 | 3;
}

const subjectTypes = {
  C: '2.5.4.6',
  O: '2.5.4.10',
  OU: attributeTypes.organizationalUnit,
  CN: attributeTypes.commonName,
} as const;

/** Issues one certificate. Checks nothing, so that tests can issue invalid certificates. */
export function issueCertificate(options: IssueOptions): Issued {
  const { issuer, key = 'P-256', hash = 'sha256', version = 3 } = options;
  const privateKey = typeof key === 'string' ? makeKey(key) : key;
  const subject = options.subject instanceof Name ? options.subject : nameOf(options.subject);
  const spki = spkiOf(privateKey);
  const signer = issuer?.privateKey ?? privateKey;
  const algorithm = algorithmOf(signer, hash, options.pss === true);

  const tbs = new TBSCertificate({
    version: version - 1,
    serialNumber: bytesOf(Buffer.concat([Buffer.of(0x4d), randomBytes(15)])),
    signature: algorithm,
    issuer: issuer?.subject ?? subject,
    validity: new Validity({ notBefore: new Date(options.notBefore), notAfter: new Date(options.notAfter) }),
    subject,
    subjectPublicKeyInfo: spki,
  });
  if (version === 3) tbs.extensions = new Extensions(extensionsOf(options, privateKey, signer));

  const der = Buffer.from(
    AsnConvert.serialize(
      new Certificate({
        tbsCertificate: tbs,
        signatureAlgorithm: algorithm,
        signatureValue: bytesOf(signBytes(Buffer.from(AsnConvert.serialize(tbs)), signer, options)),
      }),
    ),
  );
  return {
    der,
    pem: toPem(der),
    privateKey,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    subject,
  };
}

function nameOf(subject: Subject): Name {
  return new Name(
    Object.entries(subject).flatMap(([type, values]) =>
      [values].flat().map(
        (value) =>
          new RelativeDistinguishedName([
            new AttributeTypeAndValue({
              type: subjectTypes[type as keyof typeof subjectTypes],
              value: new AttributeValue(type === 'C' ? { printableString: value } : { utf8String: value }),
            }),
          ]),
      ),
    ),
  );
}

function extensionsOf(options: IssueOptions, key: KeyObject, signer: KeyObject): Extension[] {
  const { basicConstraints, keyUsage, extendedKeyUsage, sans, extensions = [] } = options;
  const { issuer, authoritySerial } = options;
  const list = [
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdOf(key))),
    extension(
      id_ce_authorityKeyIdentifier,
      new AuthorityKeyIdentifier({
        keyIdentifier: new KeyIdentifier(keyIdOf(signer)),
        ...(authoritySerial === undefined || issuer === undefined
          ? {}
          : {
              authorityCertIssuer: [new GeneralName({ directoryName: issuer.subject })],
              authorityCertSerialNumber: new Uint8Array(authoritySerial).buffer,
            }),
      }),
    ),
  ];
  if (basicConstraints) {
    const { ca, pathLength } = basicConstraints;
    const value = pathLength === undefined ? { cA: ca } : { cA: ca, pathLenConstraint: pathLength };
    list.push(extension(id_ce_basicConstraints, new BasicConstraints(value), true));
  }
  if (keyUsage) {
    const bits = keyUsage.reduce((sum, name) => sum | KeyUsageFlags[name], 0);
    list.push(extension(id_ce_keyUsage, new KeyUsage(bits), true));
  }
  if (extendedKeyUsage) list.push(extension(id_ce_extKeyUsage, new ExtendedKeyUsage([...extendedKeyUsage])));
  if (sans) {
    list.push(extension(id_ce_subjectAltName, new SubjectAlternativeName(sans.map(alternativeName))));
  }
  for (const { oid, critical = false, value } of extensions) {
    list.push(new Extension({ extnID: oid, critical, extnValue: new OctetString(value) }));
  }
  return list;
}

function extension(id: string, value: object, critical = false): Extension {
  return new Extension({ extnID: id, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function alternativeName(san: string): GeneralName {
  const value = san.slice(san.indexOf(':') + 1);
  if (san.startsWith('DNS:')) return new GeneralName({ dNSName: value });
  if (san.startsWith('URI:')) return new GeneralName({ uniformResourceIdentifier: value });
  if (san.startsWith('email:')) return new GeneralName({ rfc822Name: value });
  if (san.startsWith('IP:')) return new GeneralName({ iPAddress: value });
  throw new TypeError(`not a subject alternative name: ${san}`);
}

function spkiOf(privateKey: KeyObject): SubjectPublicKeyInfo {
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return AsnConvert.parse(der, SubjectPublicKeyInfo);
}

/** The key identifier of the public key: RFC 5280 §4.2.1.2, method 1. */
export function keyIdOf(privateKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(Buffer.from(spkiOf(privateKey).subjectPublicKey))
    .digest();
}

/** The algorithm identifier of a signature with this key. Throws TypeError if there is none. */
export function algorithmOf(signer: KeyObject, hash: NamedHash, pss: boolean): AlgorithmIdentifier {
  const type = signer.asymmetricKeyType;
  if (pss) return pssAlgorithm(hash);
  if (type === 'ed25519') return new AlgorithmIdentifier({ algorithm: '1.3.101.112' });
  if (type === 'rsa')
    return new AlgorithmIdentifier({ algorithm: signatureAlgorithms.rsa[hash], parameters: null });
  if (type === 'ec' && hash !== 'md5')
    return new AlgorithmIdentifier({ algorithm: signatureAlgorithms.ec[hash] });
  if (type === 'dsa' && (hash === 'sha1' || hash === 'sha256')) {
    return new AlgorithmIdentifier({ algorithm: signatureAlgorithms.dsa[hash] });
  }
  throw new TypeError(`no signature algorithm for ${type} with ${hash}`);
}

export function signBytes(
  bytes: Uint8Array,
  key: KeyObject,
  { hash = 'sha256', pss }: Pick<IssueOptions, 'hash' | 'pss'>,
): Buffer {
  if (key.asymmetricKeyType === 'ed25519') return sign(null, bytes, key);
  if (!pss) return sign(hash, bytes, key);
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = opensslConstants;
  return sign(hash, bytes, { key, padding, saltLength });
}

function bytesOf(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
