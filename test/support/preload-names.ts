/** Loaded into a process before its own code (`--import`): its resolver reads `EHI_TEST_NAMES` first, `{"name": ["address"]}`. */
import dns from 'node:dns';

const names = JSON.parse(process.env.EHI_TEST_NAMES ?? '{}') as Record<string, string[]>;
const lookup = dns.lookup as (...args: unknown[]) => void;

Object.assign(dns, {
  lookup: (host: string, options: object, done: (error: null, found: object[]) => void) => {
    const addresses = names[host];
    if (addresses === undefined) return lookup(host, options, done);
    process.nextTick(() =>
      done(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      ),
    );
  },
});
