/** Client certificates that no endpoint may accept: their CA was made on the spot. */
import { AsnConvert } from '@peculiar/asn1-schema';
import { Name } from '@peculiar/asn1-x509';
import { createAuthority, type Leaf, purposes } from './development.ts';

/**
 * Like a certificate of Thredd. `caName`: DER of the name that its CA takes, as one that the endpoint accepts;
 * its key is another. Throws an error of the parser if it is no Name.
 */
export function issueStranger(caName?: Uint8Array): Leaf {
  const subject = caName === undefined ? {} : { subject: AsnConvert.parse(caName, Name) };
  const authority = createAuthority({ name: 'Wrong', issuing: subject });
  return authority.issueClient({
    key: 'rsa-2048',
    keyUsage: ['digitalSignature', 'keyEncipherment'],
    extendedKeyUsage: [purposes.clientAuth],
  });
}
