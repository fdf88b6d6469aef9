/**
 * Loaded into a process before its own code (`--import`): its resolver first reads the file of `EHI_TEST_NAMES`,
 * `{"name": ["address"]}`, each time. A name without an address does not resolve. The looked up names are
 * written to a file beside it, one name a line.
 */
import dns from 'node:dns';
import { appendFileSync, readFileSync } from 'node:fs';

const lookup = dns.lookup as (...args: unknown[]) => void;

Object.assign(dns, {
  lookup: (host: string, options: object, done: (error: Error | null, found?: object[]) => void) => {
    const names = JSON.parse(readFileSync(process.env.EHI_TEST_NAMES ?? '', 'utf8')) as Record<
      string,
      string[]
    >;
    const addresses = names[host];
    appendFileSync(`${process.env.EHI_TEST_NAMES}.asked`, `${host}\n`);
    if (addresses === undefined) return lookup(host, options, done);
    const found = addresses.map((address) => ({ address, family: 4 }));
    const unknown = Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
    process.nextTick(() => (found.length > 0 ? done(null, found) : done(unknown)));
  },
});
