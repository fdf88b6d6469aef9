import { createHash, createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isPinned } from '../../src/identity/pin.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { authority } from '../support/pki/authority.ts';

const pki = authority();
const leaf = pki.issueClient();
const path = [leaf, pki.issuing, pki.root].map(({ der }) => parseCertificate(der));
const pins = path.map(({ spkiPin }) => spkiPin);
const other = parseCertificate(authority().root.der).spkiPin;

it('a pin is the SHA-256 that `openssl pkey -pubin -outform der | openssl dgst -sha256` prints, in base64', () => {
  const spki = createPublicKey(leaf.privateKey).export({ type: 'spki', format: 'der' });
  expect(pins[0]).toBe(createHash('sha256').update(spki).digest('base64'));
});

it('a path is pinned if any of its keys is among the pins, and only then', () => {
  fc.assert(
    fc.property(fc.subarray(pins), fc.boolean(), (chosen, withOther) => {
      const set = new Set(withOther ? [...chosen, other] : chosen);
      expect(isPinned(path, set)).toBe(chosen.length > 0);
    }),
  );
});

it('a pin in another spelling does not match', () => {
  const [pin = ''] = pins;
  for (const spelling of [`sha256/${pin}`, pin.toLowerCase(), pin.replace(/=$/, ''), `${pin} `]) {
    expect(isPinned(path, new Set([spelling])), spelling).toBe(spelling === pin);
  }
});
