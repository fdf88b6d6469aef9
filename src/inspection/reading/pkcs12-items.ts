/** Reads a PKCS#12 file into items; its password is asked for only if the empty one does not open it. */
import { GatewayError } from '../../errors.ts';
import { readPkcs12, WrongPasswordError } from '../../issuing/pkcs12/reader.ts';
import { certificateItem } from './certificate-item.ts';
import { allowedContents, type Item, type UnreadableItem, unreadableItem } from './item.ts';
import { privateKey } from './key-items.ts';

export async function readPkcs12Items(bytes: Uint8Array, password: () => Promise<string>): Promise<Item[]> {
  try {
    const { certificates, privateKeys } = await openPkcs12(bytes, password);
    const total = certificates.length;
    const items: Item[] = certificates.map((der, index) =>
      certificateItem(der, { at: `certificate ${index + 1} of ${total}` }),
    );
    items.push(
      ...privateKeys.map(({ key }, index) => privateKey(key, `key ${index + 1} of ${privateKeys.length}`)),
    );
    return items.length > 0 ? items : [unreadableItem('a PKCS#12 file without certificates and keys')];
  } catch (cause) {
    if (!(cause instanceof GatewayError) || cause.code === 'USAGE') throw cause;
    return [pkcs12Fault(cause)];
  }
}

async function openPkcs12(bytes: Uint8Array, password: () => Promise<string>) {
  try {
    return readPkcs12(bytes, '');
  } catch (cause) {
    if (!(cause instanceof WrongPasswordError)) throw cause;
  }
  return readPkcs12(bytes, await password());
}

/** The messages of Pkcs12Error continue "FILE: ". */
function pkcs12Fault(cause: GatewayError): UnreadableItem {
  const isWrong = cause instanceof WrongPasswordError;
  return {
    kind: 'unreadable',
    at: null,
    found: `a key store that ${cause.message}`,
    allowed: isWrong ? 'its password, in the first line of --password-file' : allowedContents,
  };
}
