/** Distinguished names: as RFC 4514 strings, most specific RDN first, and in the form that two are compared in. */
import { AsnConvert } from '@peculiar/asn1-schema';
import type { AttributeTypeAndValue, AttributeValue, Name } from '@peculiar/asn1-x509';

export const attributeTypes = {
  commonName: '2.5.4.3',
  organizationalUnit: '2.5.4.11',
  emailAddress: '1.2.840.113549.1.9.1',
} as const;

/** RFC 4514 §3 demands the first nine; the others are registered LDAP descriptors that CAs use in practice. */
const shortNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.6': 'C',
  '2.5.4.9': 'STREET',
  '0.9.2342.19200300.100.1.25': 'DC',
  '0.9.2342.19200300.100.1.1': 'UID',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.12': 'title',
  '2.5.4.42': 'GN',
  '2.5.4.97': 'organizationIdentifier',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

export function formatName(name: Name): string {
  return [...name]
    .reverse()
    .map((rdn) => [...rdn].map(formatAttribute).join('+'))
    .join(',');
}

/** Every value of one attribute type, in the order of the certificate; values that are no strings are left out. */
export function attributeValues(name: Name, type: string): string[] {
  return attributesOf(name, type).flatMap((value) => textOf(value) ?? []);
}

/** Every value of one attribute type, strings or not. */
export function attributesOf(name: Name, type: string): AttributeValue[] {
  return [...name]
    .flatMap((rdn) => [...rdn])
    .filter((attribute) => attribute.type === type)
    .map(({ value }) => value);
}

/**
 * One string per RDN, the most general first: equal strings are equal RDNs, and each tells where it ends. RFC 5280
 * §7.1: the order of RDNs counts, that of the attributes within one does not; strings are compared whatever their
 * ASN.1 type, case and superfluous white space (RFC 4518 in short), other values by their DER.
 */
export function canonicalName(name: Name, fold: (text: string) => string = foldText): readonly string[] {
  return [...name].map((rdn) =>
    JSON.stringify([...rdn].map((attribute) => canonicalAttribute(attribute, fold)).sort()),
  );
}

/**
 * A name as one string, as `canonicalName` has it but for letters beyond ASCII, whose case counts: how OpenSSL compares
 * names. For what must not be wider than OpenSSL's reading: names that are permitted, names that count as self-issued.
 */
export function exactText(name: Name): string {
  return canonicalName(name, foldAscii).join('');
}

function canonicalAttribute({ type, value }: AttributeTypeAndValue, fold: (text: string) => string): string {
  const text = textOf(value);
  if (text === undefined) return `${type}#${Buffer.from(AsnConvert.serialize(value)).toString('hex')}`;
  return `${type}=${fold(text)}`;
}

function foldText(text: string): string {
  return text.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
}

function foldAscii(text: string): string {
  return text
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
    .replace(/^[\t-\r ]+|[\t-\r ]+$/g, '')
    .replace(/[\t-\r ]+/g, ' ');
}

/** RFC 4514 §2.4: a type without a short name, or a value that is no string, is written as the hex of its DER. */
function formatAttribute({ type, value }: AttributeTypeAndValue): string {
  const short = shortNames[type];
  const text = textOf(value);
  if (short === undefined || text === undefined) {
    return `${short ?? type}=#${Buffer.from(AsnConvert.serialize(value)).toString('hex')}`;
  }
  return `${short}=${escapeValue(text)}`;
}

/** undefined: the value is no string. */
export function textOf(value: AttributeValue): string | undefined {
  return (
    value.utf8String ??
    value.printableString ??
    value.ia5String ??
    value.teletexString ??
    value.bmpString ??
    value.universalString
  );
}

/** RFC 4514 §2.4, and control characters as hex pairs too, which it allows: the string ends up in logs. */
function escapeValue(text: string): string {
  return text
    .replace(/["+,;<>\\]|^[ #]| $/g, '\\$&')
    .replace(/[\p{Cc}\u2028\u2029]/gu, (control) =>
      Buffer.from(control).toString('hex').replace(/../g, '\\$&'),
    );
}
