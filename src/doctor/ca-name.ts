/** Names of CAs: those that a server advertises (DER), and those that a sender expects. */
import type { Certificate } from '../pki/certificate.ts';
import { DerError } from '../pki/der-cursor.ts';
import { attributeTypes, type DistinguishedName, formatName, readName } from '../pki/distinguished-name.ts';
import { canonicalText } from '../pki/distribution-point.ts';

export interface CaName {
  /** RFC 4514, the most specific part first. */
  readonly text: string;
  /** Equal names are equal strings. */
  readonly canonical: string;
}

/** `der`: one entry of certificate_authorities (RFC 5246 §7.4.4). */
export function readCaName(der: Uint8Array): CaName {
  try {
    return caNameOf(readName(der));
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    const hex = Buffer.from(der).toString('hex').slice(0, 40);
    return { text: `(not a name: ${hex}…)`, canonical: `#${hex}` };
  }
}

export function isCaName(der: Uint8Array): boolean {
  return !readCaName(der).canonical.startsWith('#');
}

export function subjectOf({ subject, canonicalSubject }: Certificate): CaName {
  return { text: subject, canonical: canonicalSubject };
}

const country = '2.5.4.6';
const organization = '2.5.4.10';

/** The names of Thredd's CAs in the order of the "Connecting to Thredd Guide", section 4. */
export const presetNames = {
  sandbox: [threddName('Thredd Sandbox Root CA - G1'), threddName('Thredd Sandbox Issuing CA - G1')],
  production: [threddName('Thredd Root CA - G1'), threddName('Thredd Issuing CA - G1')],
} as const;

export type PresetName = keyof typeof presetNames;

function threddName(commonName: string): CaName {
  const attribute = (type: string, text: string) => [{ type, text, value: new Uint8Array() }];
  return caNameOf([
    attribute(country, 'GB'),
    attribute(organization, 'Thredd UK Limited'),
    attribute(attributeTypes.organizationalUnit, 'Thredd Directory'),
    attribute(attributeTypes.commonName, commonName),
  ]);
}

function caNameOf(name: DistinguishedName): CaName {
  return { text: formatName(name), canonical: canonicalText(name) };
}
