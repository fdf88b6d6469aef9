/** Certificate extensions that name its revocation sources, for `IssueOptions.extensions`. */
import { derElement, tags } from '../pki/der-cursor.ts';
import { derOid, type RawExtension } from '../pki/der-writer.ts';

/** One CRL distribution point (RFC 5280 §4.2.1.13) with several URLs of the same CRL. */
export function distributionPoint(urls: readonly string[]): RawExtension {
  const name = derElement(0xa0, derElement(0xa0, ...urls.map(uri)));
  return { oid: '2.5.29.31', value: derElement(tags.sequence, derElement(tags.sequence, name)) };
}

/** The OCSP responders (RFC 5280 §4.2.2.1). */
export function ocspResponders(urls: readonly string[]): RawExtension {
  const ocsp = derOid('1.3.6.1.5.5.7.48.1');
  const responders = urls.map((url) => derElement(tags.sequence, ocsp, uri(url)));
  return { oid: '1.3.6.1.5.5.7.1.1', value: derElement(tags.sequence, ...responders) };
}

/** A GeneralName (§4.2.1.6). */
export function uri(url: string): Buffer {
  return derElement(0x86, Buffer.from(url));
}
