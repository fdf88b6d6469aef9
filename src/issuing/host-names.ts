/** The host names and addresses that a server certificate is requested for (RFC 5280 §4.2.1.6, RFC 6125 §6.4). */
import { isIP } from 'node:net';
import { UsageError } from '../errors.ts';
import { printable } from '../terminal/printable.ts';
import type { SubjectAttribute } from './subject.ts';

/** Letters, digits and hyphens; a star may be the whole first label. */
const label = '(?!-)[A-Za-z0-9-]{1,63}(?<!-)';
const hostName = new RegExp(`^(?:\\*\\.)?${label}(?:\\.${label})*$`);

export function isHost(text: string): boolean {
  return isIP(text) !== 0 || (text.length <= 253 && hostName.test(text));
}

/** `given`, or else the CN of the subject, which clients no longer compare with the name. Throws UsageError. */
export function serverHosts(
  given: readonly string[],
  subject: readonly SubjectAttribute[],
): readonly string[] {
  for (const host of given)
    if (!isHost(host))
      throw new UsageError(
        `--dns: found "${printable(host)}"; allowed a host name (punycode for others than ASCII) or an IP address`,
      );
  if (given.length > 0) return [...new Set(given)];
  const name = subject.find(({ type }) => type === 'CN')?.value ?? '';
  if (!isHost(name))
    throw new UsageError('--type server: found no host name; allowed --dns NAME, or a CN that is one');
  return [name];
}
